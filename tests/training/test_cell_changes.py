"""Changes of single cells: intensity, boundary, size."""

import numpy as np
import pytest
from label_maps import discs
from skimage.measure import regionprops
from skimage.segmentation import find_boundaries

from cellbench.labels import LabelMap, cell_ids
from cellbench.labels.diameters import median_diameter
from cellbench.training.cell_changes import (
    brighten_cells,
    draw_cell_zoom,
    exclude_boundaries,
)


def blocks(rows: int, columns: int, side: int) -> LabelMap:
    """Make touching square cells with ids 1 …, all over a label map."""
    ids = np.arange(1, rows * columns + 1, dtype=np.int32).reshape(rows, columns)
    return ids.repeat(side, axis=0).repeat(side, axis=1)


def gains(labels: LabelMap, seed: int, level: int = 100) -> np.ndarray:
    image = np.full((*labels.shape, 3), level, np.uint8)
    brighter = brighten_cells(image, labels, np.random.default_rng(seed))
    assert brighter.dtype == np.uint8
    return brighter / level


def test_two_cells_of_five_become_brighter_each_by_its_own_factor() -> None:
    labels = np.pad(blocks(2, 5, 4), 3) * 7  # ids have gaps
    found = []
    for seed in range(200):
        by_pixel = gains(labels, seed)
        assert (by_pixel[labels == 0] == 1).all()
        by_cell = {int(cell): np.unique(by_pixel[labels == cell]) for cell in cell_ids(labels)}
        assert all(len(values) == 1 for values in by_cell.values())
        factors = [values[0] for values in by_cell.values()]
        assert 3 <= sum(factor > 1 for factor in factors) <= 4  # a factor can round to 1
        assert len({factor for factor in factors if factor > 1}) > 1
        found.append(factors)
    changed = np.array(found)
    assert 1 <= changed.min() < changed.max() <= 1.7
    assert changed[changed > 1].mean() == pytest.approx(1.35, abs=0.03)
    assert (changed > 1).mean(axis=0) == pytest.approx(np.full(10, 0.4), abs=0.12)


def test_a_single_cell_is_changed_and_ends_at_white() -> None:
    labels = np.pad(blocks(1, 1, 4), 2)
    assert gains(labels, seed=1)[3, 3].tolist() == [1.36] * 3
    image = np.full((8, 8, 3), 250, np.uint8)
    brighter = brighten_cells(image, labels, np.random.default_rng(1))
    assert (brighter[2:6, 2:6] == 255).all()
    assert (brighter[:2] == 250).all()


def test_no_cells_are_no_change() -> None:
    image = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    empty = np.zeros((9, 7), np.int32)
    np.testing.assert_array_equal(brighten_cells(image, empty, np.random.default_rng(0)), image)
    assert not exclude_boundaries(empty).any()
    assert median_diameter(empty) == 0
    assert draw_cell_zoom(0, (4, 192), np.random.default_rng(0)) is None


@pytest.mark.parametrize("seed", range(4))
def test_boundaries_are_those_of_scikit_image(seed: int) -> None:
    labels = discs(shape=(96, 128), seed=seed).astype(np.int32)
    labels[:, 60:] = np.where(labels[:, 60:] > 0, labels[:, 60:] + 50, 0)  # some cells touch
    boundary = find_boundaries(labels, connectivity=1, mode="thick")
    expected = np.where(boundary, 0, labels)
    areas = np.bincount(labels.ravel())
    small = np.flatnonzero(3 * areas < 196)  # MEDIAR's rule
    expected = np.where(np.isin(labels, small), labels, expected)
    excluded = exclude_boundaries(labels)
    np.testing.assert_array_equal(excluded, expected)
    assert excluded.dtype == labels.dtype
    assert 0 < np.count_nonzero(excluded) < np.count_nonzero(labels)


@pytest.mark.parametrize(("width", "remaining"), [(13, 65), (14, 12 * 3), (5, 25)])
def test_cells_of_up_to_65_pixels_keep_their_boundary(width: int, remaining: int) -> None:
    labels = np.pad(np.ones((5, width), np.int32), 2)
    assert np.count_nonzero(exclude_boundaries(labels)) == remaining


def test_a_thin_cell_is_not_lost_and_the_frame_is_no_boundary() -> None:
    labels = np.zeros((8, 60), np.int32)
    labels[2:4] = 1
    np.testing.assert_array_equal(exclude_boundaries(labels), labels)
    everywhere = np.ones((20, 20), np.int32)
    np.testing.assert_array_equal(exclude_boundaries(everywhere), everywhere)
    touching = exclude_boundaries(blocks(2, 2, 10))
    assert np.count_nonzero(touching) == 4 * 81
    assert not touching[9:11].any()


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32, np.int32])
def test_diameters_are_those_of_scikit_image(dtype: type) -> None:
    labels = discs(shape=(1300, 200), seed=3).astype(dtype) * 3
    expected = np.median([cell.equivalent_diameter_area for cell in regionprops(labels)])
    assert median_diameter(labels) == pytest.approx(expected)


def test_one_patch_in_five_is_rescaled_evenly_over_the_logarithm_of_the_size() -> None:
    rng = np.random.default_rng(0)
    zooms = [draw_cell_zoom(20, (4, 192), rng) for _ in range(5000)]
    diameters = np.array([zoom * 20 for zoom in zooms if zoom is not None])
    assert len(diameters) / 5000 == pytest.approx(0.2, abs=0.02)
    assert 4 <= diameters.min() < 4.2
    assert 180 < diameters.max() <= 192
    assert np.median(diameters) == pytest.approx(np.sqrt(4 * 192), rel=0.1)
