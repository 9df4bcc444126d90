"""Compiled parts of Embedding: the centres of cells, and the greedy search for the members of cells."""

import numpy as np
import numpy.typing as npt

from cellbench.compiling import compiled

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

BIN = 4
"""Side in pixels of the squares in which embeddings are looked up."""


@compiled
def doubled_centres(
    labels: npt.NDArray[np.int32], pixels: Integers, row_sums: Integers, column_sums: Integers
) -> Integers:
    """Find the pixel of each cell that is nearest to its centre of mass.

    If two pixels side by side, or all four of a square, are equally near, the centre is in the middle
    between them; of others that are equally near, it is the first. So each centre belongs to one cell.

    Args:
        labels: (H, W) ids from 0 to N.
        pixels: (N + 1,) number of pixels of each cell.
        row_sums: (N + 1,) sum of the rows of its pixels.
        column_sums: (N + 1,) sum of their columns.

    Returns:
        (N + 1, 2) row and column of the centre, both times two, so that they are whole numbers.
    """
    count = len(pixels)
    least = np.full(count, np.inf)
    ties = np.zeros(count, np.int64)
    first, last = np.zeros((count, 2), np.int64), np.zeros((count, 2), np.int64)
    for row in range(labels.shape[0]):
        for column in range(labels.shape[1]):
            cell = labels[row, column]
            if cell == 0:
                continue
            down = float(row * pixels[cell] - row_sums[cell])
            right = float(column * pixels[cell] - column_sums[cell])
            distance = down * down + right * right
            if distance < least[cell]:
                least[cell], ties[cell] = distance, 1
                first[cell, 0], first[cell, 1] = row, column
            elif distance == least[cell]:
                ties[cell] += 1
            else:
                continue
            last[cell, 0], last[cell, 1] = row, column
    for cell in range(count):
        down, right = last[cell, 0] - first[cell, 0], last[cell, 1] - first[cell, 1]
        beside = ties[cell] == 2 and (down, right) in ((0, 1), (1, 0))
        square = ties[cell] == 4 and (down, right) == (1, 1)
        if not (beside or square):
            last[cell] = first[cell]
    return first + last


@compiled
def sorted_into_bins(embeddings: Floats, bins: tuple[int, int]) -> tuple[Integers, Integers]:
    """Sort embeddings into squares of the image; those outside belong to the nearest square.

    Args:
        embeddings: (N, 2) finite rows and columns in pixels.
        bins: rows and columns of squares.

    Returns:
        (bins + 1,) where the embeddings of each square start, and (N,) the order of the embeddings.
    """
    count = len(embeddings)
    places = np.empty(count, np.int64)
    starts = np.zeros(bins[0] * bins[1] + 1, np.int64)
    for index in range(count):
        row = bin_of(embeddings[index, 0], bins[0])
        places[index] = row * bins[1] + bin_of(embeddings[index, 1], bins[1])
        starts[places[index] + 1] += 1
    for place in range(len(starts) - 1):
        starts[place + 1] += starts[place]
    filled = starts[:-1].copy()
    order = np.empty(count, np.int64)
    for index in range(count):
        order[filled[places[index]]] = index
        filled[places[index]] += 1
    return starts, order


@compiled
def bin_of(position: float, bins: int) -> int:
    """Return the number of the square along one axis, of any position.

    Args:
        position: row or column in pixels.
        bins: number of squares along this axis.
    """
    return int(max(0.0, min(position / BIN, bins - 1.0)))


@compiled
def gather_cells(
    embeddings: Floats,
    precisions: Floats,
    seeds: Integers,
    starts: Integers,
    bins: tuple[int, int],
    limit: float,
    smallest: int,
) -> tuple[npt.NDArray[np.int32], Integers]:
    """Gather the members of one seed after the other: pixels whose embeddings are near that of the seed.

    Args:
        embeddings: (N, 2) rows and columns, in the order of [`sorted_into_bins`][].
        precisions: (N, 2) 1 / (2 sigma²) along both axes, in the same order.
        seeds: (M,) indices of the pixels that may start a cell, the best first.
        starts: where the embeddings of each square start.
        bins: rows and columns of squares.
        limit: a member is nearer than this: squared distances times precisions, added.
        smallest: smallest number of pixels of a cell, at least 1.

    Returns:
        (N,) cell of each pixel, 0 for none, and (cells,) the index of each cell's seed.
    """
    count = len(embeddings)
    cells = np.zeros(count, np.int32)
    used = np.zeros(count, np.bool_)
    members = np.empty(count, np.int64)
    found = np.empty(len(seeds), np.int64)
    number = 0
    for seed in seeds:
        if used[seed]:
            continue
        size = _members(embeddings, precisions[seed], seed, starts, bins, limit, members)
        fresh, free = 0, 0
        for member in members[:size]:
            fresh += not used[member]
            free += cells[member] == 0
            used[member] = True
        used[seed] = True
        if free < smallest or 2 * fresh <= size:
            continue
        found[number] = seed
        number += 1
        for member in members[:size]:
            if cells[member] == 0:
                cells[member] = number
    return cells, found[:number]


@compiled
def _members(
    embeddings: Floats,
    precision: Floats,
    seed: int,
    starts: Integers,
    bins: tuple[int, int],
    limit: float,
    members: Integers,
) -> int:
    """Write the members of a seed into ``members`` and return how many there are."""
    row, column = embeddings[seed]
    reach_down, reach_right = np.sqrt(limit / precision[0]), np.sqrt(limit / precision[1])
    left, right = bin_of(column - reach_right, bins[1]), bin_of(column + reach_right, bins[1])
    size = 0
    for line in range(bin_of(row - reach_down, bins[0]), bin_of(row + reach_down, bins[0]) + 1):
        # The squares of a line lie one after the other.
        for other in range(starts[line * bins[1] + left], starts[line * bins[1] + right + 1]):
            down, across = embeddings[other, 0] - row, embeddings[other, 1] - column
            if precision[0] * down * down + precision[1] * across * across < limit:
                members[size] = other
                size += 1
    return size
