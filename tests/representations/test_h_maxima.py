"""Maxima of a least height against scikit-image's, which reconstructs the image."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from skimage.morphology import h_maxima as reconstructed_maxima

from cellbench.representations.h_maxima import h_maxima

Heights = npt.NDArray[np.uint16]


def smooth_heights(seed: int, blur: float, highest: int = 60_000) -> Heights:
    """Random hills, whose lowest pixel is 0."""
    noise = np.random.default_rng(seed).normal(size=(60, 75))
    hills = ndimage.gaussian_filter(noise, blur)
    return np.rint((hills - hills.min()) / np.ptp(hills) * highest).astype(np.uint16)


@pytest.mark.parametrize("blur", [0, 0.7, 2, 5])
@pytest.mark.parametrize("least", [1, 500, 5000, 20_000])
@pytest.mark.parametrize("masked", [False, True])
def test_maxima_are_those_of_scikit_image(blur: float, least: int, masked: bool) -> None:
    heights = smooth_heights(seed=1, blur=blur)
    if masked:
        heights[heights < 30_000] = 0
    found = h_maxima(heights, least)
    np.testing.assert_array_equal(found > 0, reconstructed_maxima(heights, least))
    np.testing.assert_array_equal(np.unique(found), np.arange(found.max() + 1))


@given(
    heights=arrays(
        np.uint16, st.tuples(st.integers(1, 7), st.integers(1, 7)), elements=st.integers(0, 5)
    ),
    least=st.integers(1, 5),
)
def test_small_maps_with_many_ties(heights: Heights, least: int) -> None:
    found = h_maxima(heights, least)
    if heights.max() < least:  # scikit-image always keeps the highest pixels of the image
        assert not found.any()
    elif heights.min() < heights.max():
        padded = np.pad(heights, 1)
        expected = reconstructed_maxima(padded, least)[1:-1, 1:-1]
        np.testing.assert_array_equal(found > 0, expected)


@given(
    heights=arrays(
        np.uint16, st.tuples(st.integers(1, 7), st.integers(1, 7)), elements=st.integers(0, 5)
    ),
    least=st.integers(1, 5),
)
def test_a_maximum_is_connected_above_its_least_height(heights: Heights, least: int) -> None:
    found = h_maxima(heights, least)
    for number in range(1, found.max() + 1):
        (top,) = np.unique(heights[found == number])
        parts, _ = ndimage.label((heights > top - least) & (heights > 0), np.ones((3, 3)))
        (part,) = np.unique(parts[found == number])
        assert not found[(parts == part) & (found != number)].any()


@pytest.mark.parametrize(
    ("heights", "least", "expected"),
    [
        ([5, 4, 5], 1, [1, 0, 2]),  # a valley of exactly the height separates
        ([5, 4, 5], 2, [1, 0, 1]),  # a shallower one does not
        ([5, 3, 4, 3, 5], 2, [1, 0, 0, 0, 2]),
        ([5, 4, 3, 5, 1, 9], 3, [1, 0, 0, 1, 0, 2]),
        ([5, 4, 5, 4, 9], 2, [0, 0, 0, 0, 1]),
        ([0, 0, 2, 0], 3, [0, 0, 0, 0]),
        ([0, 0, 3, 0], 3, [0, 0, 1, 0]),
        ([7, 7, 7], 7, [1, 1, 1]),
        ([65535, 0, 65535], 65535, [1, 0, 2]),
    ],
)
def test_rules(heights: list[int], least: int, expected: list[int]) -> None:
    row = np.array([heights], np.uint16)
    assert h_maxima(row, least).tolist() == [expected]
    column = h_maxima(row.T, least)
    assert column.T.tolist() == [expected]


def test_the_orientation_does_not_matter() -> None:
    heights = smooth_heights(seed=3, blur=1, highest=40)
    found = h_maxima(heights, 4)
    for turns in range(4):
        turned = np.rot90(h_maxima(np.rot90(heights, turns), 4), -turns)
        pairs = set(zip(found.ravel(), turned.ravel(), strict=True))
        assert len(pairs) == found.max() + 1 == turned.max() + 1
