"""Boundaries of cells, and distances from their pixels to the nearest ones of others, compiled."""

from typing import Any

import numpy as np
import numpy.typing as npt

from cellbench.compiling import compiled

Table = npt.NDArray[np.uint8]
"""(H, W) distance in pixels from each pixel to the nearest boundary pixel in its column, at most 255."""
Distances = npt.NDArray[np.float64]

_FAR = 255  # a table of bytes is filled several times faster than one of larger integers


def boundary_table(labels: npt.NDArray[Any]) -> Table:
    """Find the boundaries of the cells, and the distances to them within each column.

    Args:
        labels: (H, W) label map.

    Returns:
        The table, which is 0 on boundaries.
    """
    view = np.ascontiguousarray(labels).view()
    view.flags.writeable = (
        False  # maps from files are read-only, and each kind is compiled separately
    )
    table: Table = fill(edges(view))
    return table


def nearest_distances(points: Table, others: Table) -> Distances:
    """Compute the Euclidean distance from each boundary pixel to the nearest one of another label map.

    A distance transform computes the distance of every pixel. Only boundary pixels need one, so the second
    of its two passes (Saito and Toriwaki 1994) is only made for them: it searches their row outwards until
    the columns are farther away than the nearest boundary pixel so far.

    Args:
        points: table of the boundary pixels, see [`boundary_table`][].
        others: table of the other label map.

    Returns:
        (N,) distances in pixels, boundary pixels in the order of rows; infinite without others.

    Examples:
        >>> tables = [boundary_table(np.array([row])) for row in ([1, 0, 1], [1, 0, 0])]
        >>> nearest_distances(*tables).tolist()
        [0.0, 2.0]
    """
    found = search(points, others)
    if len(found) and found.max() >= _FAR**2:  # there, the nearest boundary may in fact be farther
        if others.all():
            return np.full(len(found), np.inf)
        farthest = np.int32(sum(others.shape))
        found = search(points, fill(np.where(others == 0, np.int32(0), farthest)))
    distances: Distances = np.sqrt(found)
    return distances


@compiled
def edges(labels: npt.NDArray[Any]) -> Table:
    """Find which pixels of cells have one of their four neighbours in another cell or in none.

    Args:
        labels: (H, W) label map; beyond it, there are no cells.

    Returns:
        (H, W), 0 for such pixels and 255 for all others.
    """
    height, width = labels.shape
    found = np.empty((height, width), np.uint8)
    for row in range(height):
        own, above, below = labels[row], labels[max(row - 1, 0)], labels[min(row + 1, height - 1)]
        for column in range(1, width - 1):
            cell = own[column]
            sides = (cell != own[column - 1]) | (cell != own[column + 1])
            edge = (cell != 0) & (sides | (cell != above[column]) | (cell != below[column]))
            found[row, column] = np.uint8(edge) - np.uint8(1)
        for column in (0, width - 1):
            found[row, column] = 0 if own[column] else 255
    for row in (0, height - 1):
        for column in range(width):
            found[row, column] = 0 if labels[row, column] else 255
    return found


@compiled
def fill(table: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Fill in the distance from each pixel to the nearest boundary pixel in its column.

    Args:
        table: (H, W) integers, 0 for boundary pixels and the largest distance for all others; it is
            overwritten.

    Returns:
        ``table``.
    """
    height, width = table.shape
    for row in range(1, height):
        before, own = table[row - 1], table[row]
        for column in range(width):
            own[column] = min(own[column], before[column] + (before[column] < own[column]))
    for row in range(height - 2, -1, -1):
        before, own = table[row + 1], table[row]
        for column in range(width):
            own[column] = min(own[column], before[column] + (before[column] < own[column]))
    return table


@compiled
def search(points: Table, vertical: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Search the row of each boundary pixel for the column with the nearest other boundary pixel.

    Args:
        points: table of the boundary pixels.
        vertical: (H, W), as [`fill`][] returns it.

    Returns:
        (N,) squared distances, boundary pixels in the order of rows.
    """
    height, width = points.shape
    found = np.empty(np.sum(points == 0), np.int64)
    number = 0
    for row in range(height):
        own, distances = points[row], vertical[row]
        for column in range(width):
            if own[column]:
                continue
            best = np.int64(distances[column]) ** 2
            step = 1
            while step * step < best and step < width:
                if column >= step:
                    best = min(best, step * step + np.int64(distances[column - step]) ** 2)
                if column + step < width:
                    best = min(best, step * step + np.int64(distances[column + step]) ** 2)
                step += 1
            found[number] = best
            number += 1
    return found
