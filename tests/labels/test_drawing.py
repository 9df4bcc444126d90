"""Pictures with outlines of cells."""

import numpy as np
import pytest
from label_maps import discs
from skimage.segmentation import find_boundaries

from cellbench.labels.drawing import draw_outlines, inner_outlines, overlay


def test_outlines_are_those_of_scikit_image() -> None:
    expected = find_boundaries(discs(), connectivity=1, mode="inner")
    np.testing.assert_array_equal(inner_outlines(discs()), expected)


def test_only_outlines_are_drawn() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (*discs().shape, 3), np.uint8)
    before = picture.copy()
    drawn = draw_outlines(picture, discs(), (1, 2, 3))
    outline = inner_outlines(discs())
    assert (drawn[outline] == (1, 2, 3)).all()
    np.testing.assert_array_equal(drawn[~outline], before[~outline])
    np.testing.assert_array_equal(picture, before)


@pytest.mark.parametrize(("brightness", "colour"), [(20, (255, 128, 0)), (230, (0, 200, 0))])
def test_a_large_image_is_made_smaller_before_outlines_are_drawn(
    brightness: int, colour: tuple[int, int, int]
) -> None:
    picture = np.full((300, 500, 3), brightness, np.uint8)
    labels = np.zeros((300, 500), int)
    labels[100:200, 100:300] = 5
    drawn = overlay(picture, labels, 100)
    assert drawn.shape == (60, 100, 3)
    coloured = (drawn == colour).all(axis=2)
    expected = np.zeros((60, 100), bool)
    expected[20:40, 20:60] = True
    expected[21:39, 21:59] = False
    np.testing.assert_array_equal(coloured, expected)
    assert overlay(picture, labels, 500).shape == picture.shape
