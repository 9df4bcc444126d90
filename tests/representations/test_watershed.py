"""Components and the watershed against scikit-image and SciPy."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.segmentation import watershed as scikit_watershed

from cellbench.labels import LabelMap
from cellbench.representations.components import components, drop_small
from cellbench.representations.watershed import watershed


def pieces(mask: npt.NDArray[np.bool_]) -> LabelMap:
    return ndimage.label(mask)[0].astype(np.int32)


def scene(
    seed: int, side: int = 160, smooth: float = 3
) -> tuple[npt.NDArray[np.uint16], LabelMap, npt.NDArray[np.bool_]]:
    """Hills with distinct heights, markers in the valleys, and an uneven mask."""
    rng = np.random.default_rng(seed)
    hills = ndimage.gaussian_filter(rng.normal(size=(side, side)), smooth)
    heights = hills.ravel().argsort().argsort().reshape(side, side).astype(np.uint16)
    mask = ndimage.gaussian_filter(rng.normal(size=(side, side)), 6) > -0.02
    markers = pieces(heights < np.quantile(heights, 0.1))
    return heights, markers, mask


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("smooth", [0, 1, 3])
def test_the_flood_is_that_of_scikit_image(seed: int, smooth: float) -> None:
    heights, markers, mask = scene(seed, smooth=smooth)
    ours = watershed(heights, markers, pieces(mask))
    theirs = scikit_watershed(heights, markers, mask=mask)
    reached = theirs > 0
    ids = np.zeros(ours.max() + 1, int)
    inside = reached & (markers > 0)
    ids[ours[inside]] = markers[inside]
    np.testing.assert_array_equal(ids[ours[reached]], theirs[reached])
    np.testing.assert_array_equal(ours > 0, mask)


@settings(max_examples=40)
@given(seed=st.integers(0, 9999), levels=st.integers(1, 5))
def test_floods_of_few_levels_agree_but_for_ties(seed: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((24, 31)) < 0.8
    markers = (np.cumsum(rng.random((24, 31)) < 0.02).reshape(24, 31) * mask).astype(np.int32)
    markers[rng.random(markers.shape) < 0.9] = 0
    heights = rng.integers(0, levels, mask.shape).astype(np.uint16) * 13_000
    ours = watershed(heights, markers, pieces(mask))
    np.testing.assert_array_equal(ours > 0, mask)
    marked = markers > 0
    pairs = np.unique(np.stack([ours[marked], markers[marked]]), axis=1)
    assert len(np.unique(pairs[1])) == pairs.shape[1]  # a marker keeps to one cell
    assert pieces(mask).max() <= ours.max() <= pieces(mask).max() + len(np.unique(pairs[1]))


def test_a_component_without_a_marker_is_one_cell() -> None:
    mask = np.array([[1, 1, 0, 1, 1, 1, 0, 1]], bool)
    markers = np.array([[0, 0, 0, 5, 0, 9, 9, 0]], np.int32)
    heights = np.array([[0, 0, 0, 0, 1, 0, 0, 0]], np.uint16)
    cells = watershed(heights, markers, pieces(mask))
    assert cells.tolist() == [[3, 3, 0, 1, 1, 2, 0, 4]]


def test_numbers_of_components_may_have_gaps() -> None:
    heights, markers, mask = scene(0)
    gapped = pieces(mask) * 7
    np.testing.assert_array_equal(
        watershed(heights, markers, gapped), watershed(heights, markers, pieces(mask))
    )


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1)])
def test_no_markers_and_no_mask(shape: tuple[int, int]) -> None:
    nothing, heights = np.zeros(shape, np.int32), np.zeros(shape, np.uint16)
    assert not watershed(heights, nothing, nothing).any()
    assert not watershed(heights, nothing + 1, nothing).any()
    assert (watershed(heights, nothing, nothing + 1) == 1).all()


@settings(max_examples=40)
@given(
    seed=st.integers(0, 9999),
    smallest=st.integers(0, 9),
    connectivity=st.sampled_from([4, 8]),
)
def test_components_keep_those_of_at_least_so_many_pixels(
    seed: int, smallest: int, connectivity: int
) -> None:
    mask = np.random.default_rng(seed).random((19, 23)) < 0.5
    parts = ndimage.label(mask, np.ones((3, 3)) if connectivity == 8 else None)[0]
    kept = (np.bincount(parts.ravel()) >= smallest)[parts] & mask
    np.testing.assert_array_equal(drop_small(mask, smallest, connectivity), kept)
    numbered = components(mask, smallest, connectivity)
    np.testing.assert_array_equal(numbered > 0, kept)
    assert set(np.unique(numbered)) | {0} == set(range(numbered.max() + 1))
    pairs = np.unique(np.stack([numbered[kept], parts[kept]]), axis=1)
    assert pairs.shape[1] == numbered.max()


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0)])
def test_an_empty_image_has_no_components(shape: tuple[int, int]) -> None:
    assert components(np.zeros(shape, bool), 1, 4).shape == shape
    assert drop_small(np.zeros(shape, bool), 1, 4).shape == shape
