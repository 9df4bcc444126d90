"""KIT-GE's network: its size and its two decoders."""

import pytest
import torch

from cellbench.errors import UsageError
from cellbench.networks.double_unet import DoubleUNet

MAPS = {"cell": 1, "neighbour": 1}


@pytest.mark.parametrize(
    ("channels", "parameters"),
    [((64, 128, 256, 512, 1024), 46.4e6), ((16, 32, 64, 128, 256), 2.90e6)],
)
def test_the_size_of_the_paper_and_the_small_one(
    channels: tuple[int, ...], parameters: float
) -> None:
    network = DoubleUNet(MAPS, channels)
    size = sum(each.numel() for each in network.parameters())
    assert size == pytest.approx(parameters, rel=0.002)


def test_each_map_has_a_decoder_of_its_own() -> None:
    network = DoubleUNet(MAPS, (4, 8))
    network(torch.rand(2, 3, 16, 16))["cell"].sum().backward()
    assert all(each.grad is not None for each in network.decoders["cell"].parameters())
    assert all(each.grad is None for each in network.decoders["neighbour"].parameters())
    assert all(each.grad is not None for each in network.encoder.parameters())


def test_a_black_image_has_finite_maps_and_gradients() -> None:
    network = DoubleUNet(MAPS, (4, 8))
    torch.stack(
        [each.sum() for each in network(torch.zeros(1, 3, 32, 32)).values()]
    ).sum().backward()
    assert all(torch.isfinite(each.grad).all() for each in network.parameters())


@pytest.mark.parametrize("channels", [(), (8,), (8, 0)])
def test_numbers_of_features_that_cannot_be_used(channels: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="must be at least two numbers above 0"):
        DoubleUNet(MAPS, channels)
