"""Networks: maps have the size of the image; encoders are found by name."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from cellbench.errors import CellbenchError, UsageError
from cellbench.networks.cellpose_unet import CellposeUNet
from cellbench.networks.double_unet import DoubleUNet
from cellbench.networks.encoder_unet import EncoderUNet
from cellbench.networks.grid import between_grid
from cellbench.networks.manet import MANet
from cellbench.networks.padding import padded
from cellbench.networks.panoptic_fpn import PanopticFPN
from cellbench.networks.precision import half_precision
from cellbench.networks.swin_unetr import SwinUNETR
from cellbench.networks.unet import UNet
from cellbench.networks.unetr import UNETR

MAPS = {"distances": 5, "probability": 1}
SMALL = (8, 8, 8, 8, 8)
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "convnext": lambda: EncoderUNet(MAPS, "convnext_atto", False, SMALL),
    "efficientnet": lambda: EncoderUNet(MAPS, "tf_efficientnet_lite0", False, SMALL),
    "manet": lambda: MANet(MAPS, "tf_efficientnet_lite0", False, SMALL, 4),
    "manet_mit": lambda: MANet(MAPS, "mit_b0", False, SMALL, 4),
    "manet_mambaout": lambda: MANet(MAPS, "mambaout_femto", False, SMALL, 4),
    "manet_vgg": lambda: MANet(MAPS, "vgg11", False, SMALL, 4),
    "panoptic_fpn": lambda: PanopticFPN(MAPS, "tf_efficientnet_lite0", False, 8, 8),
    "panoptic_fpn_convnext": lambda: PanopticFPN(MAPS, "convnext_atto", False, 8, 8),
    "panoptic_fpn_vgg": lambda: PanopticFPN(MAPS, "vgg11", False, 8, 8),
    "cellpose": lambda: CellposeUNet(MAPS, channels=(4, 4, 8)),
    "double_unet": lambda: DoubleUNet(MAPS, channels=(4, 4, 8)),
    "unet": lambda: UNet(MAPS, channels=(4, 4, 4, 4, 4, 4, 8)),
    "swin_unetr": lambda: SwinUNETR(MAPS, feature_size=12),
    "swin_unetr_convolutions": lambda: SwinUNETR(MAPS, feature_size=12, convolutions=True),
    "unetr": lambda: UNETR(MAPS, 48, 4, 24, 48, 3),
    "unetr_stem": lambda: UNETR(MAPS, 48, 4, 24, 48, 3, convolution_stem=True),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_maps_have_the_images_size(name: str) -> None:
    network = NETWORKS[name]().eval()
    for shape in ((1, 1), (64, 64), (33, 70)):
        with torch.inference_mode():
            maps = network(torch.rand(2, 3, *shape))
        assert list(maps) == list(MAPS)
        assert [each.shape for each in maps.values()] == [(2, 5, *shape), (2, 1, *shape)]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_parameter_learns(name: str) -> None:
    network = NETWORKS[name]()
    torch.stack(
        [each.sum() for each in network(torch.rand(2, 3, 64, 64)).values()]
    ).sum().backward()
    idle = [key for key, each in network.named_parameters() if each.grad is None]
    assert not idle


@pytest.mark.parametrize("name", sorted(NETWORKS.keys() - {"unet", "cellpose"}))
def test_the_encoder_is_a_part_of_the_network(name: str) -> None:
    network = NETWORKS[name]()
    assert {id(each) for each in network.encoder.parameters()} <= {  # type: ignore[union-attr]
        id(each) for each in network.parameters()
    }


@pytest.mark.parametrize(("imitated", "half"), [(True, torch.float16), (False, torch.bfloat16)])
def test_half_precision_is_what_the_gpu_multiplies_in(
    imitated: bool, half: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    def supported(including_emulation: bool = True) -> bool:
        return including_emulation or not imitated

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    assert half_precision("cuda") is half


def test_what_is_padded_does_not_matter_far_away() -> None:
    network = NETWORKS["convnext"]().eval()
    image = torch.rand(1, 3, 64, 65)
    with torch.inference_mode():
        whole, by_hand = network(image), network(padded(image, 32))
    torch.testing.assert_close(whole["distances"], by_hand["distances"][..., :65])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nonsense", "choose from tf_efficientnet_lite0"),
        ("convnext_atta", "choose from .*convnext_atto"),
    ],
)
def test_unknown_encoders(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        EncoderUNet(MAPS, name, pretrained=False)


def test_wrong_number_of_widths() -> None:
    with pytest.raises(UsageError, match="must be 5 numbers"):
        EncoderUNet(MAPS, "convnext_atto", False, (8, 8))


def test_weights_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*arguments: object, **options: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("timm.create_model", offline)
    with pytest.raises(CellbenchError, match=r"--model\.init_args\.pretrained false"):
        EncoderUNet(MAPS, "convnext_atto", pretrained=True)


def test_maps_start_where_they_should() -> None:
    torch.manual_seed(0)
    start = {
        "scales": {"distances": 10.0},
        "initial_outputs": {"distances": 1.0, "probability": -2.0},
    }
    network = EncoderUNet(MAPS, "convnext_atto", False, SMALL, **start).eval()
    with torch.inference_mode():
        maps = network(torch.rand(1, 3, 64, 64))
    assert 5 < maps["distances"].mean() < 15
    assert -3 < maps["probability"].mean() < -1


def test_every_block_of_a_fresh_encoder_counts() -> None:
    torch.manual_seed(0)
    network = EncoderUNet(MAPS, "convnext_atto", False, SMALL)
    added: list[float] = []

    def measure(_block: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        added.append(((output - inputs[0]).std() / inputs[0].std()).item())

    for each in network.encoder.modules():
        if type(each).__name__ == "ConvNeXtBlock":
            each.register_forward_hook(measure)
    with torch.inference_mode():
        network(torch.randn(1, 3, 64, 64))
    assert len(added) == 2 + 2 + 6 + 2
    assert min(added) > 0.3


def test_an_image_is_seen_alike_alone_and_beside_another_in_training_and_after() -> None:
    network = EncoderUNet(MAPS, "convnext_atto", False, SMALL)
    image = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        beside = network(torch.cat([image, torch.zeros_like(image)]))["distances"][:1]
        alone = network.eval()(image)["distances"]
    torch.testing.assert_close(beside, alone, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (33, 64), (70, 31)])
def test_a_decoder_that_stops_early_gives_maps_at_every_second_pixel(size: tuple[int, int]) -> None:
    network = EncoderUNet(MAPS, "convnext_atto", False, SMALL[:4]).eval()
    with torch.inference_mode():
        maps = network(torch.rand(1, 3, *size))
    assert network.grid == 2
    half = tuple((side + 1) // 2 for side in size)
    assert all(each.shape[-2:] == half for each in maps.values())
    enlarged = between_grid(maps, network.grid, size)
    for name, coarse in maps.items():
        assert enlarged[name].shape[-2:] == size
        torch.testing.assert_close(enlarged[name][..., ::2, ::2], coarse)


def test_swin_unetr_has_the_heads_asked_for() -> None:
    blocks = SwinUNETR(MAPS, feature_size=12, heads=(1, 2, 4, 8)).encoder.modules()
    heads = [block.num_heads for block in blocks if type(block).__name__ == "WindowAttention"]
    assert heads == [1, 1, 2, 2, 4, 4, 8, 8]
