"""Cellpose's network: its size, and the style vector, which every pixel depends on."""

import pytest
import torch

from cellbench.errors import UsageError
from cellbench.networks.cellpose_unet import CellposeUNet

MAPS = {"foreground": 1, "flows": 2}


def test_the_size_of_the_paper() -> None:
    network = CellposeUNet(MAPS)
    assert sum(each.numel() for each in network.parameters()) == pytest.approx(6.6e6, rel=0.002)


def test_the_style_of_an_image_reaches_every_pixel() -> None:
    network = CellposeUNet(MAPS, (4, 8)).eval()
    image = torch.rand(1, 3, 128, 128)
    changed = image.clone()
    changed[..., :32, :32] = 0
    corner = (..., slice(96, None), slice(96, None))  # too far for the convolutions
    with torch.inference_mode():
        assert not torch.allclose(
            network(image)["flows"][corner], network(changed)["flows"][corner]
        )
        for block in network.up:
            for each in block.styles:  # type: ignore[union-attr]
                each.weight.zero_()
        assert torch.equal(network(image)["flows"][corner], network(changed)["flows"][corner])


def test_the_style_of_an_image_is_its_own() -> None:
    network = CellposeUNet(MAPS, (4, 8)).eval()
    images = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        together, alone = network(images)["foreground"][:1], network(images[:1])["foreground"]
    torch.testing.assert_close(together, alone)


def test_a_black_image_has_finite_maps_and_gradients() -> None:
    network = CellposeUNet(MAPS, (4, 8))
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)  # the style vector has no length
    loss = torch.stack([each.sum() for each in network(torch.zeros(1, 3, 32, 32)).values()]).sum()
    loss.backward()
    assert all(torch.isfinite(each.grad).all() for each in network.parameters())


@pytest.mark.parametrize("channels", [(), (8,), (8, 0)])
def test_numbers_of_features_that_cannot_be_used(channels: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="must be at least two numbers above 0"):
        CellposeUNet(MAPS, channels)
