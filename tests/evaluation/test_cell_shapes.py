"""measure_shapes: scikit-image as oracle, bands and tiles of any height, shapes with known axes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_maps import blocky_maps
from skimage.draw import ellipse
from skimage.measure import regionprops

from cellbench.evaluation.cell_shapes import measure_shapes
from cellbench.labels import LabelMap
from cellbench.labels.banded import BandedLabels, in_bands


def banded(labels: LabelMap, rows: int) -> BandedLabels:
    def bands() -> list[LabelMap]:
        return [labels[top : top + rows] for top in range(0, len(labels), rows)]

    return BandedLabels("test", labels.shape, labels.dtype, lambda: iter(bands()))


@given(blocky_maps(), st.integers(1, 20), st.integers(1, 20), st.integers(1, 20))
def test_centroids_of_each_tile_equal_regionprops(
    labels: LabelMap, rows: int, height: int, width: int
) -> None:
    tiles = [
        (top, left, labels[top : top + height, left : left + width])
        for top in range(0, labels.shape[0], height)
        for left in range(0, labels.shape[1], width)
    ]
    found = measure_shapes(banded(labels, rows), (height, width))
    for (top, left, tile), places in zip(tiles, found, strict=True):
        regions = regionprops(tile)
        assert places.ids.tolist() == [region.label for region in regions]
        corner = np.array([top, left])
        expected = np.array([region.centroid for region in regions]).reshape(-1, 2) + corner
        np.testing.assert_allclose(np.column_stack([places.rows, places.columns]), expected)
        # scikit-image takes pixels as points; as squares they have a moment of 1 / 12 of their own.
        moments = [region.inertia_tensor + np.eye(2) / 12 for region in regions]
        ratios = [np.sqrt(high / low) for low, high in map(np.linalg.eigvalsh, moments)]
        np.testing.assert_allclose(places.elongations, ratios)


@given(blocky_maps(), st.integers(1, 20))
def test_the_whole_is_one_tile(labels: LabelMap, rows: int) -> None:
    maps = banded(labels, rows)
    np.testing.assert_equal(measure_shapes(maps), measure_shapes(maps, labels.shape))


def test_ids_of_63_bits() -> None:
    (found,) = measure_shapes(
        in_bands(np.array([[2**63 - 1, 0], [2**63 - 2, 2**63 - 1]], np.uint64))
    )
    assert found.ids.tolist() == [2**63 - 2, 2**63 - 1]
    assert found.rows.tolist() == [1.0, 0.5]
    assert found.columns.tolist() == [0.0, 0.5]


def elongation_of(cell: LabelMap) -> float:
    (found,) = measure_shapes(in_bands(cell.astype(np.uint8)))
    return float(found.elongations[0])


@pytest.mark.parametrize("length", [1, 2, 3, 7, 1000])
def test_a_line_is_exactly_as_long_as_it_has_pixels(length: int) -> None:
    line = np.pad(np.ones((1, length)), ((3, 0), (5, 0)))
    assert elongation_of(line) == elongation_of(line.T) == length


@pytest.mark.parametrize(("rows", "columns"), [(4, 4), (3, 6), (10, 13)])
def test_a_rectangle_has_the_ratio_of_its_sides(rows: int, columns: int) -> None:
    assert elongation_of(np.ones((rows, columns))) == pytest.approx(columns / rows, rel=1e-12)


@pytest.mark.parametrize("angle", [0.0, 0.4, 1.2])
def test_an_ellipse_of_any_direction_has_the_ratio_of_its_axes(angle: float) -> None:
    cell = np.zeros((200, 200))
    cell[ellipse(100, 100, 30, 72, rotation=angle)] = 1
    assert elongation_of(cell) == pytest.approx(2.4, rel=0.01)


def test_shapes_are_exact_far_from_the_corner_in_any_bands() -> None:
    rows = 60_000
    labels = np.broadcast_to(np.uint32(0), (rows, 12)).copy()
    labels[-9:-5, 3:9] = 4_000_000_000
    labels[-3:, 2] = 7
    whole, in_pieces = measure_shapes(in_bands(labels)), measure_shapes(banded(labels, 59_993))
    np.testing.assert_array_equal(whole[0].elongations, [3.0, 1.5])
    np.testing.assert_equal(whole, in_pieces)


def test_pieces_of_a_cell_count_together() -> None:
    (found,) = measure_shapes(in_bands(np.array([[1, 0, 0, 0, 1]])))
    assert found.elongations[0] == pytest.approx(7)  # variance 4 + 1/12 against 1/12: sqrt(49)


def test_some_of_the_cells_in_the_order_that_is_asked_for() -> None:
    (found,) = measure_shapes(in_bands(np.array([[3, 3, 0, 9, 0, 12, 12, 12]])))
    chosen = found.of(np.array([12, 3]))
    assert (chosen.ids.tolist(), chosen.elongations.tolist()) == ([12, 3], [3.0, 2.0])
    assert chosen.columns.tolist() == [6.0, 0.5]
