"""Image layers as planes of (H, W, C): gray, channels, RGB, stacks and pyramids."""

import numpy as np
import pytest

from cellbench.errors import ImageError
from cellbench.images.pixel_size import PixelSize
from cellbench.napari.planes import Axes, layer_pixel_size, layer_planes


@pytest.mark.parametrize(
    ("shape", "rgb", "axes", "stack", "pixels"),
    [
        ((7, 9), False, "auto", (), (7, 9, 1)),
        ((7, 9, 3), True, "auto", (), (7, 9, 3)),
        ((7, 9, 4), True, "auto", (), (7, 9, 3)),
        ((2, 7, 9), False, "auto", (), (7, 9, 2)),
        ((6, 7, 9), False, "auto", (6,), (7, 9, 1)),
        ((6, 7, 9), False, "channels", (), (7, 9, 6)),
        ((2, 7, 9), False, "planes", (2,), (7, 9, 1)),
        ((2, 3, 7, 9), False, "auto", (2, 3), (7, 9, 1)),
        ((2, 7, 9, 3), True, "auto", (2,), (7, 9, 3)),
    ],
)
def test_planes(
    shape: tuple[int, ...],
    rgb: bool,
    axes: Axes,
    stack: tuple[int, ...],
    pixels: tuple[int, ...],
) -> None:
    data = np.arange(np.prod(shape)).reshape(shape)
    planes = layer_planes(data, rgb=rgb, axes=axes)
    assert planes.stack == stack
    assert planes.sides == (7, 9)
    found = list(planes)
    assert len(found) == len(planes)
    assert {each.shape for each in found} == {pixels}


def test_channels_keep_their_order() -> None:
    data = np.stack([np.full((4, 5), value) for value in (10, 20)])
    (pixels,) = layer_planes(data)
    assert pixels[0, 0].tolist() == [10, 20]


def test_of_a_pyramid_the_full_resolution_is_used() -> None:
    assert layer_planes([np.zeros((8, 8)), np.zeros((4, 4))]).sides == (8, 8)


@pytest.mark.parametrize(
    ("data", "axes", "words"),
    [
        (np.zeros(5), "auto", "height and width"),
        (np.zeros((0, 5)), "auto", "height and width"),
        (np.zeros((4, 4), complex), "auto", "complex128"),
        (np.zeros((2, 2, 4, 4)), "channels", "only one can be the channels"),
    ],
)
def test_what_is_refused(data: np.ndarray, axes: Axes, words: str) -> None:
    with pytest.raises(ImageError, match=words):
        layer_planes(data, axes=axes)


def test_pixel_size() -> None:
    assert layer_pixel_size([1, 650, 325], ["pixel", "nanometer", "nanometer"]) == PixelSize(
        0.325, 0.65
    )
    assert layer_pixel_size([1, 1], ["pixel", "pixel"]) is None
