"""Compiled decoding of Omnipose: pixels take ever shorter steps uphill; places close together are a cell."""

import numpy as np
import numpy.typing as npt

from cellbench.compiling import compiled
from cellbench.representations.flow_sinks import interpolated, steps_inside

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

_STEPS = 20  # of lengths 1, 1/2, 1/3, …: 3.6 pixels in all
_SHORTEST = np.float32(1)
_REACH = 2.0  # squared pixels: heaps nearer than the square root of two are one cluster
_CROWD = 5  # pixels that end in 3 × 3 places; fewer are no part of a cluster
_SNAP = 2  # places around an end point in which the nearest cluster is sought


@compiled
def suppressed_ends(flows: Floats, inside: Flags) -> Floats:
    """Return where each pixel ends after steps along the flows whose lengths fall as 1 / (1 + t).

    Without this, pixels that reach the middle line of a cell would go on to and fro across it, or along it.

    Args:
        flows: (2, H, W) predicted flows, of length 1 or shorter, finite.
        inside: (H, W) pixels that move.

    Returns:
        (2, H, W) rows and columns.
    """
    height, width = inside.shape
    steps = steps_inside(flows, inside)
    lowest, rightmost = np.float32(height - 1), np.float32(width - 1)
    ends = np.zeros((2, height, width), np.float32)
    for row in range(height):
        for column in range(width):
            if not inside[row, column]:
                continue
            down, across = np.float32(row), np.float32(column)
            for step in range(_STEPS):
                move_down, move_across = interpolated(steps, down, across)
                length = np.sqrt(move_down * move_down + move_across * move_across)
                share = np.float32(1) / (max(length, _SHORTEST) * np.float32(1 + step))
                down = min(max(down + move_down * share, np.float32(0)), lowest)
                across = min(max(across + move_across * share, np.float32(0)), rightmost)
            ends[0, row, column], ends[1, row, column] = down, across
    return ends


@compiled
def clusters(ends: Floats, inside: Flags) -> tuple[Integers, int]:
    """Number the pixels by clusters of the places where they end, as DBSCAN does, pixel by pixel of a grid.

    The end points in one pixel are a heap. Heaps in crowded places are one cluster if their mean positions
    are nearer than √2 pixels. The end points of other heaps belong to the nearest cluster within about two
    pixels.

    Args:
        ends: (2, H, W) what :func:`suppressed_ends` returns.
        inside: (H, W) pixels that have an end.

    Returns:
        (H, W) ids, 0 where there is no cluster, and the largest id.
    """
    height, width = inside.shape
    heaps, middles = _heaps(ends, inside)
    crowded = _crowded(heaps)
    owners = _connect(crowded, middles)
    labels = np.zeros((height, width), np.int32)
    numbers = np.zeros(height * width, np.int32)
    count = 0
    for row in range(height):
        for column in range(width):
            if not inside[row, column]:
                continue
            place = _nearest(ends[0, row, column], ends[1, row, column], crowded, middles)
            if place < 0:
                continue
            owner = _root(owners, place)
            if numbers[owner] == 0:
                count += 1
                numbers[owner] = count
            labels[row, column] = numbers[owner]
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
                place = int(down + np.float32(0.5)), int(across + np.float32(0.5))
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
def _crowded(heaps: Integers) -> Flags:
    """Return which heaps have enough end points in the 3 × 3 pixels around them."""
    height, width = heaps.shape
    crowded = np.zeros((height, width), np.bool_)
    for row in range(height):
        for column in range(width):
            if heaps[row, column] > 0:
                near = 0
                for near_row in range(max(row - 1, 0), min(row + 2, height)):
                    for near_column in range(max(column - 1, 0), min(column + 2, width)):
                        near += heaps[near_row, near_column]
                crowded[row, column] = near >= _CROWD
    return crowded


@compiled
def _connect(crowded: Flags, middles: Floats) -> npt.NDArray[np.int64]:
    """Return, by place, a place that is nearer to the root of its cluster (see :func:`_root`)."""
    height, width = crowded.shape
    owners = np.arange(height * width)
    for row in range(height):
        for column in range(width):
            if not crowded[row, column]:
                continue
            for near_row in range(row, min(row + 3, height)):
                for near in range(max(column - 2, 0), min(column + 3, width)):
                    if not crowded[near_row, near] or (near_row == row and near <= column):
                        continue
                    down = middles[0, near_row, near] - middles[0, row, column]
                    across = middles[1, near_row, near] - middles[1, row, column]
                    if down * down + across * across <= _REACH:
                        first = _root(owners, row * width + column)
                        owners[_root(owners, near_row * width + near)] = first
    return owners


@compiled
def _root(owners: npt.NDArray[np.int64], place: int) -> int:
    """Return the place that stands for a cluster, and shorten the way to it."""
    while owners[place] != place:
        owners[place] = owners[owners[place]]
        place = owners[place]
    return place


@compiled
def _nearest(down: float, across: float, crowded: Flags, middles: Floats) -> int:
    """Return the crowded place whose mean is nearest to an end point, or −1 if there is none near it."""
    height, width = crowded.shape
    row, column = int(down + np.float32(0.5)), int(across + np.float32(0.5))
    if crowded[row, column]:
        return row * width + column
    nearest, place = np.inf, -1
    for near_row in range(max(row - _SNAP, 0), min(row + _SNAP + 1, height)):
        for near in range(max(column - _SNAP, 0), min(column + _SNAP + 1, width)):
            if crowded[near_row, near]:
                squared = (middles[0, near_row, near] - down) ** 2
                squared += (middles[1, near_row, near] - across) ** 2
                if squared < nearest:
                    nearest, place = squared, near_row * width + near
    return place
