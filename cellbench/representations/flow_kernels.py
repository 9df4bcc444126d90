"""Compiled encoding of flows: heat spreads inside each cell, and the flows point to where it comes from."""

from typing import Any

import numpy as np
import numpy.typing as npt

from cellbench.compiling import compiled

Floats = npt.NDArray[np.floating[Any]]

_STEPS_PER_LENGTH = 2  # of height + width, as in Cellpose
_BLOCK = 512  # pixels that are averaged at a time: their sums stay in the fastest cache
_COMPACT = 96  # height + width of cells whose heat fits in 32 bits, which is twice as fast
_FLAT = 1e-6  # a slope of this share of the heat is only rounding


@compiled
def diffusion_flows(labels: npt.NDArray[np.int32], largest: int) -> npt.NDArray[np.float32]:
    """Return unit vectors that lead from each pixel of a cell to its centre, without leaving the cell.

    Args:
        labels: (H, W) ids from 0 to ``largest``.
        largest: the largest id.

    Returns:
        (2, H, W): rows down and columns to the right; 0 in the background, and where heat does not
        come, see [`cellbench.representations.flow.Flow.encode`][].
    """
    height, width = labels.shape
    flows = np.zeros((2, height, width), np.float32)
    pixels, starts = pieces(labels)
    main = np.full(largest + 1, -1, np.int64)
    for piece in range(len(starts) - 1):
        label = labels[pixels[0, starts[piece]], pixels[1, starts[piece]]]
        best = main[label]
        if best < 0 or starts[piece + 1] - starts[piece] > starts[best + 1] - starts[best]:
            main[label] = piece
    for piece in range(len(starts) - 1):
        rows = pixels[0, starts[piece] : starts[piece + 1]]
        columns = pixels[1, starts[piece] : starts[piece + 1]]
        label = labels[rows[0], columns[0]]
        top, bottom, left, right = rows.min(), rows.max(), columns.min(), columns.max()
        cut = top == 0 or left == 0 or bottom == height - 1 or right == width - 1
        if cut or main[label] == piece:
            rows -= top - 1
            columns -= left - 1
            tall, wide = bottom - top + 1, right - left + 1
            box = (tall + 2) * (wide + 2)
            into = flows[:, top:, left:]
            if tall + wide <= _COMPACT:
                cold = np.zeros(box, np.float32)
                _point_to_heat(_spread_heat(rows, columns, tall, wide, cold), rows, columns, into)
            else:  # heat of 64 bits reaches the ends of long and narrow cells
                cold = np.zeros(box, np.float64)
                _point_to_heat(_spread_heat(rows, columns, tall, wide, cold), rows, columns, into)
    return flows


@compiled
def pieces(labels: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the pixels of all connected pieces of cells, one piece after the other; corners connect.

    Args:
        labels: (H, W) ids.

    Returns:
        Rows and columns of the pixels, (2, N), and where each piece begins, and the last one ends.
    """
    height, width = labels.shape
    pixels = np.empty((2, np.count_nonzero(labels)), np.int64)
    starts = [0]
    seen = labels == 0
    end = 0
    for first_row in range(height):
        for first_column in range(width):
            if seen[first_row, first_column]:
                continue
            seen[first_row, first_column] = True
            pixels[0, end], pixels[1, end] = first_row, first_column
            position, end = end, end + 1
            while position < end:
                row, column = pixels[0, position], pixels[1, position]
                position += 1
                for near_row in range(max(row - 1, 0), min(row + 2, height)):
                    for near in range(max(column - 1, 0), min(column + 2, width)):
                        if (
                            not seen[near_row, near]
                            and labels[near_row, near] == labels[row, column]
                        ):
                            seen[near_row, near] = True
                            pixels[0, end], pixels[1, end] = near_row, near
                            end += 1
            starts.append(end)
    return pixels, np.array(starts)


@compiled
def _spread_heat(
    rows: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    height: int,
    width: int,
    heat: Floats,
) -> Floats:
    """Add heat at the centre, and average it over 3 × 3 pixels, step by step; outside it is lost.

    In a cell three pixels wide, the heat falls by more than half at each pixel.

    Args:
        rows: (N,) rows of the pixels of a cell, from 1 to ``height``.
        columns: (N,) their columns, from 1 to ``width``.
        height: rows of the cell's box.
        width: columns of the cell's box.
        heat: ((height + 2) · (width + 2),) zeros; their type is that of the heat.

    Returns:
        (height + 2, width + 2): the box with a border of one pixel.
    """
    stride = width + 2
    places = rows * stride + columns
    share = np.zeros_like(heat)
    share[places] = 1 / 9
    central = places[_central_pixels(rows, columns, height, width)]
    spread, sums = np.zeros_like(heat), np.empty(_BLOCK + 2, heat.dtype)
    for _ in range(_STEPS_PER_LENGTH * (height + width)):
        for place in central:
            heat[place] += 1
        _average(heat, share, spread, stride, sums)
        heat, spread = spread, heat
    return heat.reshape(height + 2, stride)


@compiled
def _average(heat: Floats, share: Floats, spread: Floats, stride: int, sums: Floats) -> None:
    """Set ``spread`` to the sum of ``heat`` over 3 × 3 pixels times ``share``, all flat.

    Loops over blocks of several rows are faster than over rows. Values that come from the other end of
    a row meet a share of 0. Opposite neighbours are added first: rounding is the same in mirrored cells.
    """
    last = len(heat) - stride - 1
    for start in range(stride + 1, last, _BLOCK):
        length = min(_BLOCK, last - start)
        above, here, below = (
            heat[start - stride - 1 :],
            heat[start - 1 :],
            heat[start + stride - 1 :],
        )
        for index in range(length + 2):
            sums[index] = (above[index] + below[index]) + here[index]
        weights, into = share[start:], spread[start:]
        for index in range(length):
            into[index] = ((sums[index] + sums[index + 2]) + sums[index + 1]) * weights[index]


@compiled
def _central_pixels(
    rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], height: int, width: int
) -> npt.NDArray[np.int64]:
    """Return the indices of the pixels nearest to the median: up to four neighbours equally near.

    Of pixels that are not neighbours, as in a ring, only one is the centre.
    """
    middle_row, middle_column = _twice_median(rows, height), _twice_median(columns, width)
    distances = (2 * rows - middle_row) ** 2 + (2 * columns - middle_column) ** 2
    nearest = np.flatnonzero(distances == distances.min())
    across, down = columns[nearest], rows[nearest]
    if down.max() - down.min() > 1 or across.max() - across.min() > 1:
        return nearest[:1]
    return nearest


@compiled
def _twice_median(positions: npt.NDArray[np.int64], largest: int) -> int:
    """Return the sum of the two middle positions, which are from 1 to ``largest``."""
    counts = np.zeros(largest + 1, np.int64)
    for position in positions:
        counts[position] += 1
    lower, upper = (len(positions) - 1) // 2, len(positions) // 2
    total = passed = 0
    for position in range(largest + 1):
        for rank in (lower, upper):
            if passed <= rank < passed + counts[position]:
                total += position
        passed += counts[position]
    return total


@compiled
def _point_to_heat(
    heat: Floats,
    rows: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    flows: npt.NDArray[np.float32],
) -> None:
    """Set the flows of a cell, whose box begins at the first row and column of ``flows``."""
    for index in range(len(rows)):
        row, column = rows[index], columns[index]
        here = heat[row, column]
        if here == 0:
            continue
        down = (heat[row + 1, column] - heat[row - 1, column]) / here
        across = (heat[row, column + 1] - heat[row, column - 1]) / here
        length = np.hypot(down, across)
        if length > _FLAT:
            flows[0, row - 1, column - 1] = down / length
            flows[1, row - 1, column - 1] = across / length
