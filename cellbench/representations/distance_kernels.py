"""Compiled distances inside cells and between cells, in time proportional to the pixels.

A squared Euclidean distance is the smallest of squared distances along rows plus squared distances along
the column (Felzenszwalb and Huttenlocher 2012, Distance transforms of sampled functions). Each vertical
run of pixels of one cell is solved on its own, so that touching cells need no map of their own each.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from cellbench.compiling import compiled

Floats = npt.NDArray[np.floating[Any]]

REACH = 3.0
"""A neighbour counts up to the depth of a cell plus this, in pixels."""


@compiled
def cell_depths(
    labels: npt.NDArray[np.int32], largest: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Measure how far each pixel of a cell is from the nearest pixel outside of it.

    The border of the map is no outside. A cell that covers the whole map has the depth 1.

    Args:
        labels: (H, W) ids from 0 to ``largest``.
        largest: the largest id.

    Returns:
        (H, W) distances in pixels, 0 in the background, and the largest distance of each id,
        (largest + 1,).
    """
    height, width = labels.shape
    across = _ends_of_runs(labels)
    depths = np.zeros((height, width), np.float32)
    deepest = np.zeros(largest + 1, np.float32)
    squares, places = np.empty(height + 2), np.empty(height + 2, np.int64)
    starts, found = np.empty(height + 2), np.empty(height + 2)
    for column in range(width):
        top = 0
        while top < height:
            label = labels[top, column]
            bottom = _bottom_of_run(labels, top, column)
            if label > 0:
                size = bottom - top + 2
                squares[0] = np.inf if top == 0 else 0.0
                squares[size - 1] = np.inf if bottom == height else 0.0
                for row in range(top, bottom):
                    squares[row - top + 1] = np.square(across[row, column])
                _smallest(squares[:size], places, starts, found)
                for row in range(top, bottom):
                    square = found[row - top + 1]
                    depths[row, column] = np.sqrt(square) if square < np.inf else 1
                    deepest[label] = max(deepest[label], depths[row, column])
            top = bottom
    return depths, deepest


@compiled
def neighbour_distances(
    labels: npt.NDArray[np.int32], deepest: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Measure how far each pixel of a cell is from the nearest pixel of another cell.

    Args:
        labels: (H, W) ids.
        deepest: depth of each id, see [`cell_depths`][].

    Returns:
        (H, W) distances in pixels, exact up to the depth of the cell plus ``REACH`` and larger, or
        infinite, beyond; infinite in the background. The largest finite or infinite distance of each
        id.
    """
    height, width = labels.shape
    owners, across = _neighbours_along_rows(labels)
    distances = np.full((height, width), np.inf, np.float32)
    farthest = np.zeros(deepest.size, np.float32)
    squares, places = np.empty(height), np.empty(height, np.int64)
    starts, found = np.empty(height), np.empty(height)
    for column in range(width):
        top = 0
        while top < height:
            label = labels[top, column]
            bottom = _bottom_of_run(labels, top, column)
            if label > 0:
                reach = int(np.ceil(deepest[label] + REACH))
                first, end = max(0, top - reach), min(height, bottom + reach)
                for row in range(first, end):
                    other = 1 if owners[row, column] == label else 0
                    squares[row - first] = np.square(across[other, row, column])
                _smallest(squares[: end - first], places, starts, found)
                for row in range(top, bottom):
                    distances[row, column] = np.sqrt(found[row - first])
                    farthest[label] = max(farthest[label], distances[row, column])
            top = bottom
    return distances, farthest


@compiled
def scaled_distances(
    labels: npt.NDArray[np.int32],
    depths: npt.NDArray[np.float32],
    deepest: npt.NDArray[np.float32],
    distances: npt.NDArray[np.float32],
    farthest: npt.NDArray[np.float32],
) -> npt.NDArray[np.float32]:
    """Scale both distances of each cell to [0, 1].

    Args:
        labels: (H, W) ids.
        depths: (H, W), see [`cell_depths`][].
        deepest: the largest of each id.
        distances: (H, W), see [`neighbour_distances`][].
        farthest: the largest of each id.

    Returns:
        (2, H, W): the cell distance, 1 where the cell is deepest, and the neighbour distance, largest
        beside another cell and 0 far from all; both are 0 in the background.
    """
    height, width = labels.shape
    scaled = np.zeros((2, height, width), np.float32)
    for row in range(height):
        for column in range(width):
            label = labels[row, column]
            if label > 0:
                scaled[0, row, column] = depths[row, column] / deepest[label]
                limit = min(deepest[label] + np.float32(REACH), farthest[label])
                distance = distances[row, column]
                if distance < limit:
                    scaled[1, row, column] = 1 - distance / limit
    return scaled


@compiled
def _bottom_of_run(labels: npt.NDArray[np.int32], top: int, column: int) -> int:
    """Return the row below the last pixel of a vertical run of one id."""
    bottom = top + 1
    while bottom < labels.shape[0] and labels[bottom, column] == labels[top, column]:
        bottom += 1
    return bottom


@compiled
def _ends_of_runs(labels: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
    """Return the distance of each pixel to the nearest pixel of its row with another id, (H, W)."""
    height, width = labels.shape
    across = np.empty((height, width), np.float32)
    for row in range(height):
        end = np.float32(np.inf)
        for column in range(width):
            if column > 0 and labels[row, column] != labels[row, column - 1]:
                end = np.float32(0)
            end += np.float32(1)
            across[row, column] = end
        end = np.float32(np.inf)
        for column in range(width - 1, -1, -1):
            if column < width - 1 and labels[row, column] != labels[row, column + 1]:
                end = np.float32(0)
            end += np.float32(1)
            across[row, column] = min(end, across[row, column])
    return across


@compiled
def _neighbours_along_rows(
    labels: npt.NDArray[np.int32],
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Find the nearest cell of each pixel in its row, and the nearest one that is another cell.

    Returns:
        (H, W) ids of the nearest cells, and (2, H, W) distances to both, infinite where there is none.
    """
    height, width = labels.shape
    owners = np.zeros((height, width), np.int32)
    across = np.full((2, height, width), np.inf, np.float32)
    for row in range(height):
        for step in (1, -1):
            seen = last = other = -1  # an id, its last column, the last column of another id
            for place in range(width):
                column = place if step > 0 else width - 1 - place
                label = labels[row, column]
                if label > 0:
                    if label != seen:
                        seen, other = label, last
                    last = column
                if last >= 0:
                    near = np.float32(abs(column - last))
                    far = np.float32(abs(column - other)) if other >= 0 else np.float32(np.inf)
                    _add_nearest(owners, across, row, column, seen, near, far)
    return owners, across


@compiled
def _add_nearest(
    owners: npt.NDArray[np.int32],
    across: npt.NDArray[np.float32],
    row: int,
    column: int,
    label: int,
    near: float,
    far: float,
) -> None:
    """Take over a cell on one side of a pixel, and the distance ``far`` of the next cell there."""
    nearest, second = across[0, row, column], across[1, row, column]
    if label == owners[row, column]:
        across[0, row, column] = min(near, nearest)
        across[1, row, column] = min(far, second)
    elif near < nearest:
        owners[row, column] = label
        across[0, row, column] = near
        across[1, row, column] = min(far, nearest)
    else:
        across[1, row, column] = min(near, second)


@compiled
def _smallest(
    squares: Floats, places: npt.NDArray[np.int64], starts: Floats, found: Floats
) -> None:
    """Find for each place the smallest sum of a square and the squared distance to its place.

    The sums are parabolas of the place; those that are the lowest somewhere are kept in order.

    Args:
        squares: (N,), may be infinite.
        places: at least N numbers of space, for the places of the kept parabolas.
        starts: at least N numbers of space, for where each of these becomes the lowest.
        found: at least N numbers, for the result.
    """
    kept = 0
    for place in range(squares.size):
        if squares[place] == np.inf:
            continue
        start = -np.inf
        while kept > 0:
            before = places[kept - 1]
            rise = squares[place] - squares[before] + place * place - before * before
            start = rise / (2 * (place - before))
            if start > starts[kept - 1]:
                break
            kept -= 1
        places[kept] = place
        starts[kept] = start if kept > 0 else -np.inf
        kept += 1
    if kept == 0:
        found[: squares.size] = np.inf
        return
    lowest = 0
    for place in range(squares.size):
        while lowest < kept - 1 and starts[lowest + 1] < place:
            lowest += 1
        found[place] = squares[places[lowest]] + np.square(place - places[lowest])
