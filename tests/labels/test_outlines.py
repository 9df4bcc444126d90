"""Filling outlines: exact along pixel edges, the field's rule elsewhere, and no pixel twice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.draw import polygon2mask

from cellbench.errors import LabelMapError
from cellbench.labels.outlines import Ring, fill_rings


def edge_rings(mask: np.ndarray) -> list[Ring]:
    """The outlines of a mask along pixel edges, one square per pixel: even-odd must join them."""
    return [
        np.array([[c, r], [c + 1, r], [c + 1, r + 1], [c, r + 1]], float)
        for r, c in np.argwhere(mask)
    ]


@given(st.lists(st.booleans(), min_size=20, max_size=20))
def test_squares_of_pixels_fill_those_pixels(pixels: list[bool]) -> None:
    mask = np.array(pixels).reshape(4, 5)
    np.testing.assert_array_equal(fill_rings(edge_rings(mask), (4, 5)), np.flatnonzero(mask))


@given(
    st.lists(
        st.tuples(st.floats(-3, 14), st.floats(-3, 12)).map(lambda p: (p[0] + 0.01, p[1] + 0.01)),
        min_size=3,
        max_size=9,
    )
)
def test_polygons_are_filled_as_scikit_image_does(corners: list[tuple[float, float]]) -> None:
    ring = np.array(corners).round(2) + 0.003  # no corner in the middle of a pixel
    expected = polygon2mask((10, 12), ring[:, ::-1] - 0.5)
    ours = np.zeros((10, 12), bool)
    ours.flat[fill_rings([ring], (10, 12))] = True
    rows, columns = np.nonzero(ours != expected)
    assert all(_distance(ring, c + 0.5, r + 0.5) < 1e-6 for r, c in zip(rows, columns, strict=True))


def _distance(ring: Ring, x: float, y: float) -> float:
    start, step = ring, np.roll(ring, -1, axis=0) - ring
    length = np.maximum((step**2).sum(axis=1), 1e-12)
    along = (((np.array([x, y]) - start) * step).sum(axis=1) / length).clip(0, 1)
    return float(np.hypot(*(start + along[:, None] * step - [x, y]).T).min())


def test_neighbours_share_no_pixel_and_leave_none_out() -> None:
    left = np.array([[0, 0], [2.5, 0], [2.5, 4], [0, 4]])
    right = np.array([[2.5, 0], [6, 0], [6, 4], [2.5, 4]])
    first, second = fill_rings([left], (4, 6)), fill_rings([right], (4, 6))
    assert sorted([*first, *second]) == list(range(24))


def test_a_hole_with_an_island_and_what_is_outside() -> None:
    def square(low: float, high: float) -> Ring:
        return np.array([[low, low], [high, low], [high, high], [low, high], [low, low]])

    mask = np.zeros((5, 5), bool)
    mask.flat[fill_rings([square(-9, 99), square(1, 4), square(2, 3)], (5, 5))] = True
    assert mask.sum() == 25 - 9 + 1
    assert mask[2, 2]
    assert fill_rings([square(7, 1e300)], (5, 5)).tolist() == []
    assert fill_rings([], (5, 5)).tolist() == []


@pytest.mark.parametrize(
    ("ring", "message"),
    [
        ([[0, 0], [1, 1]], "at least three corners"),
        ([0, 1, 2], "at least three corners"),
        ([[0, 0], [1, 0], [float("nan"), 1]], "not a finite number"),
    ],
)
def test_outlines_that_are_none(ring: list[list[float]], message: str) -> None:
    with pytest.raises(LabelMapError, match=message):
        fill_rings([np.array(ring)], (5, 5))
