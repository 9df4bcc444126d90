"""Outlines of cells as polygons in pixels.

The pixel in row r and column c is the square from (x, y) = (c, r) to (c + 1, r + 1).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cellbench.errors import LabelMapError
from cellbench.labels.runs import run_pixels

Ring = npt.NDArray[np.float64]
"""(N, 2) x and y of the corners of a closed polygon; the first corner need not be repeated at the end."""

_CORNERS_OF_ELLIPSE = 720
_FARTHEST = 1e9  # far outside any image; sums and products of such numbers are still exact enough


def fill_rings(rings: Sequence[Ring], shape: tuple[int, int]) -> npt.NDArray[np.int64]:
    """Return the pixels whose centre is inside a polygon that may have holes.

    A centre is inside if it is inside an odd number of the rings, so a ring within another one is a hole.
    Outlines along the edges of pixels (as QuPath, ImageJ and this suite write them) give exactly the pixels
    that they enclose. A pixel whose centre is on the common border of two polygons belongs to only one.

    Args:
        rings: the outline, and the holes in it.
        shape: (H, W) of the image; what is outside is cut off.

    Returns:
        Indices into the image flattened row by row, ascending.

    Raises:
        LabelMapError: if a ring has fewer than three corners, or a coordinate is not a number.

    Examples:
        >>> square = np.array([[0, 0], [3, 0], [3, 3], [0, 3]])
        >>> fill_rings([square, 1 + square / 3], (4, 4)).tolist()
        [0, 1, 2, 4, 6, 8, 9, 10]
    """
    height, width = shape
    rows, columns = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for ring in rings:
        row, x = _crossings(_checked(ring), height)
        rows.append(row)
        columns.append(np.ceil(x - 0.5).clip(0, width).astype(np.int64))
    row, column = np.concatenate(rows), np.concatenate(columns)
    order = np.lexsort((column, row))
    # Each row is crossed an even number of times: from outside to inside, and back.
    edges = (row * width + column)[order]
    return run_pixels(edges[::2], edges[1::2])


def ellipse_ring(left: float, top: float, right: float, bottom: float) -> Ring:
    """Return the outline of the ellipse that fills a rectangle.

    Args:
        left: x of the left side of the rectangle, in pixels as for all outlines.
        top: y of its upper side.
        right: x of its right side.
        bottom: y of its lower side.

    Examples:
        >>> fill_rings([ellipse_ring(0, 0, 4, 3)], (3, 4)).tolist()
        [1, 2, 4, 5, 6, 7, 9, 10]
    """
    turn = np.linspace(0, 2 * np.pi, _CORNERS_OF_ELLIPSE, endpoint=False)
    x, y = (left + right) / 2, (top + bottom) / 2
    return np.column_stack(
        [x + (right - left) / 2 * np.cos(turn), y + (bottom - top) / 2 * np.sin(turn)]
    )


def _checked(ring: Ring) -> Ring:
    ring = np.asarray(ring, np.float64)
    if ring.ndim != 2 or ring.shape[1] != 2 or len(ring) < 3:
        raise LabelMapError("an outline needs at least three corners with x and y")
    if not np.isfinite(ring).all():
        raise LabelMapError("a coordinate of an outline is not a finite number")
    return ring.clip(-_FARTHEST, _FARTHEST)


def _crossings(ring: Ring, height: int) -> tuple[npt.NDArray[np.int64], Ring]:
    """Return row and x of the places where a ring crosses the middle of a row of pixels."""
    x, y = ring.T
    next_x, next_y = np.roll(x, -1), np.roll(y, -1)
    # A corner in the middle of a row belongs to the side below it only.
    first, last = (
        np.ceil(end(y, next_y) - 0.5).clip(0, height).astype(np.int64)
        for end in (np.minimum, np.maximum)
    )
    side = np.repeat(np.arange(len(ring)), last - first)
    row = run_pixels(first, last)
    along = (row + 0.5 - y[side]) / (next_y - y)[side]
    return row, x[side] + along * (next_x - x)[side]
