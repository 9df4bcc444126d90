"""Outlines along the edges of pixels: filled again, they are the same cells."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from label_maps import discs
from scipy import ndimage

from cellbench.labels import LabelMap
from cellbench.labels.tracing import Ring, TracedCell, signed_area, trace_cells

SMALL_MAPS = arrays.arrays(
    np.int32, arrays.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(0, 3)
)


def inside(ring: Ring, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Return the pixels with an odd number of vertical sides of the polygon on their left."""
    crossed = np.zeros((shape[0], shape[1] + 1), int)
    for (x, y), (other_x, other_y) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        assert (x == other_x) != (y == other_y)
        crossed[min(y, other_y) : max(y, other_y), x] += 1
    return crossed[:, :-1].cumsum(axis=1) % 2 == 1


def filled(cells: list[TracedCell], shape: tuple[int, ...]) -> LabelMap:
    labels = np.zeros(shape, np.int64)
    for cell in cells:
        for piece in cell.pieces:
            mask = inside(piece.outline, shape)
            for hole in piece.holes:
                assert (inside(hole, shape) <= mask).all()
                mask &= ~inside(hole, shape)
            assert (labels[mask] == 0).all()
            labels[mask] = cell.id
    return labels


@settings(max_examples=200, deadline=None)
@given(labels=SMALL_MAPS)
def test_filled_outlines_are_the_cells(labels: LabelMap) -> None:
    cells = list(trace_cells(labels))
    np.testing.assert_array_equal(filled(cells, labels.shape), labels)
    for cell in cells:
        mask = labels == cell.id
        assert cell.area == mask.sum()
        assert len(cell.pieces) == ndimage.label(mask)[1]
        areas = [signed_area(piece.outline) for piece in cell.pieces]
        assert areas[0] > 0
        for piece in cell.pieces:
            for ring in (piece.outline, *piece.holes):
                corners = [tuple(corner) for corner in ring.tolist()]
                assert len(set(corners)) == len(corners)
                turns = np.roll(ring, -1, axis=0) - ring
                assert ((turns == 0).sum(axis=1) == 1).all()
            assert all(signed_area(hole) < 0 for hole in piece.holes)


def test_large_ids_and_real_shapes() -> None:
    labels = np.where(discs(seed=3) > 0, discs(seed=3) * 1000 + np.int64(1 << 33), 0)
    cells = list(trace_cells(labels))
    assert [cell.id for cell in cells] == np.unique(labels[labels > 0]).tolist()
    np.testing.assert_array_equal(filled(cells, labels.shape), labels)


@pytest.mark.parametrize(
    ("rows", "outline", "holes"),
    [
        (["1"], [[0, 0], [1, 0], [1, 1], [0, 1]], 0),
        (["11", "10"], [[0, 0], [2, 0], [2, 1], [1, 1], [1, 2], [0, 2]], 0),
        (["111", "101", "111"], [[0, 0], [3, 0], [3, 3], [0, 3]], 1),
        # The hole touches the outside at a corner: still one piece, with a hole.
        (["110", "101", "111"], [[0, 0], [2, 0], [2, 1], [3, 1], [3, 3], [0, 3]], 1),
    ],
)
def test_corners(rows: list[str], outline: list[list[int]], holes: int) -> None:
    (cell,) = trace_cells(np.array([list(map(int, row)) for row in rows]))
    (piece,) = cell.pieces
    assert sorted(piece.outline.tolist()) == sorted(outline)
    assert len(piece.holes) == holes


def test_a_map_without_cells_has_no_outlines() -> None:
    assert list(trace_cells(np.zeros((4, 5), np.uint16))) == []
