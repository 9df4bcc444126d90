"""The exact outlines of cells: polygons along the edges of pixels.

The pixel in row r and column c is the square from (c, r) to (c + 1, r + 1), as in QuPath, ImageJ and COCO.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cellbench.labels.maps import LabelMap, check_labels, relabel
from cellbench.labels.tracing_kernels import trace_edges

Ring = npt.NDArray[np.int32]
"""(N, 2) x and y of the corners of a closed polygon; the first corner is not repeated at the end."""


class Piece(NamedTuple):
    """Pixels of a cell that are connected by their edges.

    Attributes:
        outline: the outer polygon; its corners have increasing angles if y is drawn upwards.
        holes: the polygons of its holes, in the opposite direction.
    """

    outline: Ring
    holes: list[Ring]


class TracedCell(NamedTuple):
    """The outline of a cell.

    Attributes:
        id: id of the cell in the label map.
        area: area in pixels.
        pieces: its pieces, the largest one first.
    """

    id: int
    area: int
    pieces: list[Piece]


def trace_cells(labels: LabelMap) -> Iterator[TracedCell]:
    """Trace the cells of a label map along the edges of the pixels.

    Pixels that touch at a corner only are different pieces. No polygon touches itself: where an outline
    would meet itself at a corner, there is a hole that touches the outline, as the standard for simple
    features requires.

    Args:
        labels: (H, W) label map.

    Yields:
        The cells, ids ascending.

    Examples:
        >>> cell = next(trace_cells(np.array([[0, 5, 5], [5, 0, 0]])))
        >>> cell.id, cell.area, [piece.outline.tolist() for piece in cell.pieces]
        (5, 3, [[[1, 0], [3, 0], [3, 1], [1, 1]], [[0, 1], [1, 1], [1, 2], [0, 2]]])
    """
    from skimage.measure import label

    labels = check_labels(labels)
    pieces = label(relabel(labels).astype(np.int32), connectivity=1).astype(np.int32, copy=False)
    count = int(pieces.max())
    owners = np.zeros(count + 1, np.int64)
    owners[pieces] = labels
    rings: list[list[Ring]] = [[] for _ in range(count + 1)]
    for piece, ring in _rings(pieces):
        rings[piece].append(ring)
    areas = np.bincount(pieces.ravel(), minlength=count + 1)
    order = np.lexsort((np.arange(count + 1), -areas, owners))
    order = order[order > 0]
    for group in np.split(order, np.flatnonzero(np.diff(owners[order])) + 1):
        if len(group):
            cell = [_piece(rings[index]) for index in group]
            yield TracedCell(int(owners[group[0]]), int(areas[group].sum()), cell)


def _piece(rings: list[Ring]) -> Piece:
    if len(rings) == 1:
        return Piece(rings[0], [])
    outer = [ring for ring in rings if signed_area(ring) > 0]
    assert len(outer) == 1, "pixels that are connected by edges have one outer polygon"
    return Piece(outer[0], [ring for ring in rings if signed_area(ring) < 0])


def signed_area(ring: Ring) -> float:
    """Return the area of a polygon in pixels: positive for an outer polygon, negative for a hole.

    Args:
        ring: (N, 2) corners.

    Examples:
        >>> signed_area(np.array([[0, 0], [2, 0], [2, 1], [0, 1]]))
        2.0
    """
    x, y = ring.astype(np.int64).T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(np.roll(x, -1), y)) / 2


def _rings(pieces: npt.NDArray[np.int32]) -> Iterator[tuple[int, Ring]]:
    """Yield the polygons of all pieces with the number of the piece."""
    padded = np.pad(pieces, 1)
    corners, ends, owners, meets = trace_edges(padded)
    start = 0
    for end, owner, meeting in zip(ends.tolist(), owners.tolist(), meets.tolist(), strict=True):
        ring = corners[start:end]
        start = end
        for simple in _without_meetings(ring) if meeting else [ring]:
            yield owner, simple


def _without_meetings(ring: Ring) -> Iterator[Ring]:
    """Cut a polygon that meets itself at corners into polygons that do not."""
    path: list[tuple[int, int]] = []
    places: dict[tuple[int, int], int] = {}
    for corner in map(tuple, ring.tolist()):
        if (place := places.get(corner)) is not None:
            yield np.array(path[place:], np.int32)
            for passed in path[place + 1 :]:
                del places[passed]
            del path[place + 1 :]
        else:
            places[corner] = len(path)
            path.append(corner)
    yield np.array(path, np.int32)
