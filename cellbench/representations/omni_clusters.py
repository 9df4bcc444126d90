"""Compiled decoding of Omnipose: pixels take ever shorter steps uphill, and end in heaps."""

import numpy as np
import numpy.typing as npt

from cellbench.compiling import compiled
from cellbench.representations.flow_sinks import interpolated, steps_inside

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

_STEPS = 12  # of lengths 1, 1/2, 1/3, …: 3.1 pixels in all
_REACH = 2.0  # squared pixels between the mean positions of neighbouring heaps
_HALF = np.float32(0.5)


@compiled
def suppressed_ends(flows: Floats, inside: Flags) -> Floats:
    """Return where each pixel ends after steps along the flows whose lengths fall as 1 / (1 + t).

    With steps of one length, pixels that reach the middle line of a cell would drift along it, and gather
    at several places of a long cell.

    Args:
        flows: (2, H, W) predicted flows, of length 1 or shorter, finite.
        inside: (H, W) pixels that move.

    Returns:
        (2, H, W) rows and columns.
    """
    height, width = inside.shape
    steps = steps_inside(flows, inside)
    lowest, rightmost = np.float32(height - 1), np.float32(width - 1)
    shares = (1 / np.arange(1, _STEPS + 1)).astype(np.float32)
    ends = np.zeros((2, height, width), np.float32)
    for row in range(height):
        for column in range(width):
            if not inside[row, column]:
                continue
            down, across = np.float32(row), np.float32(column)
            for step in range(_STEPS):
                move_down, move_across = interpolated(steps, down, across)
                share = shares[step]
                down = min(max(down + np.float32(move_down) * share, np.float32(0)), lowest)
                across = min(
                    max(across + np.float32(move_across) * share, np.float32(0)), rightmost
                )
            ends[0, row, column], ends[1, row, column] = down, across
    return ends


@compiled
def fragments(ends: Floats, inside: Flags) -> tuple[Integers, int]:
    """Number the pixels by clusters of the places where they end.

    The end points in one pixel are a heap. Each heap follows the highest heap whose mean position is within
    1.4 pixels, until there is no higher one: those that arrive at the same heap are a fragment of a cell.
    The height is the number of end points in the 3 × 3 pixels around a heap.

    Args:
        ends: (2, H, W) what [`suppressed_ends`][] returns.
        inside: (H, W) pixels that have an end.

    Returns:
        (H, W) ids, 0 outside, and the largest id.
    """
    height, width = inside.shape
    heaps, middles = _heaps(ends, inside)
    higher = _higher(heaps, middles)
    labels = np.zeros((height, width), np.int32)
    numbers = np.zeros(height * width, np.int32)
    count = 0
    for row in range(height):
        for column in range(width):
            if not inside[row, column]:
                continue
            down, across = ends[0, row, column], ends[1, row, column]
            top = _root(higher, int(down + _HALF) * width + int(across + _HALF))
            if numbers[top] == 0:
                count += 1
                numbers[top] = count
            labels[row, column] = numbers[top]
    return labels, count


@compiled
def _heaps(ends: Floats, inside: Flags) -> tuple[Integers, Floats]:
    """Return the number of pixels that end in each pixel, and their mean position, (2, H, W)."""
    height, width = inside.shape
    heaps, middles = np.zeros((height, width), np.int32), np.zeros((2, height, width), np.float32)
    for row in range(height):
        for column in range(width):
            if inside[row, column]:
                down, across = ends[0, row, column], ends[1, row, column]
                place = int(down + _HALF), int(across + _HALF)
                heaps[place] += 1
                middles[0, place[0], place[1]] += down
                middles[1, place[0], place[1]] += across
    for row in range(height):
        for column in range(width):
            if heaps[row, column] > 1:
                middles[0, row, column] /= heaps[row, column]
                middles[1, row, column] /= heaps[row, column]
    return heaps, middles


@compiled
def _higher(heaps: Integers, middles: Floats) -> npt.NDArray[np.int64]:
    """Return, by place, the place of the highest heap near it; of equal heights the last in the image."""
    height, width = heaps.shape
    heights = np.zeros((height, width), np.int64)
    for row in range(height):
        for column in range(width):
            if heaps[row, column] > 0:
                for near_row in range(max(row - 1, 0), min(row + 2, height)):
                    for near in range(max(column - 1, 0), min(column + 2, width)):
                        heights[row, column] += heaps[near_row, near]
    higher = np.arange(height * width)
    for row in range(height):
        for column in range(width):
            if heaps[row, column] == 0:
                continue
            best = heights[row, column]
            for near_row in range(max(row - 2, 0), min(row + 3, height)):
                for near in range(max(column - 2, 0), min(column + 3, width)):
                    if heights[near_row, near] < best:
                        continue
                    place = near_row * width + near
                    if heights[near_row, near] == best and place <= higher[row * width + column]:
                        continue
                    down = middles[0, near_row, near] - middles[0, row, column]
                    across = middles[1, near_row, near] - middles[1, row, column]
                    if down * down + across * across <= _REACH:
                        best, higher[row * width + column] = heights[near_row, near], place
    return higher


@compiled
def _root(owners: npt.NDArray[np.int64], place: int) -> int:
    """Return the last place of a chain of places, and shorten the chain."""
    while owners[place] != place:
        owners[place] = owners[owners[place]]
        place = owners[place]
    return place
