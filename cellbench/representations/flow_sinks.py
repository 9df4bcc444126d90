"""Compiled decoding of flows: pixels follow the flows, and those that end in the same place are a cell."""

import numpy as np
import numpy.typing as npt

from cellbench.compiling import compiled

Integers = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

_STEPS = 100
_JUMPS = 6  # each jump doubles the way that a pixel can go
_STILL = 1e-5  # squared pixels per step; 1e-3 splits more cells where flows are noisy
_SAME_PLACE = 1e-3  # squared pixels
_HALF = np.float32(0.55)  # so that pixels that end near the middle of two places all get the same
_NEIGHBOURHOOD = 2  # seeds are the most frequent end points of 5 × 5 pixels
_EXPANSIONS = 5
_SMALLEST_HEAP = 3  # pixels that end in a place into which a seed expands


@compiled
def follow_flows(flows: Floats, inside: Flags) -> npt.NDArray[np.int64]:
    """Return the place at which each pixel ends when it follows the flows.

    A pixel moves by Euler steps in flows that are interpolated linearly and are 0 outside. It stops
    where the flow is nearly 0, and in the middle between two places if it goes to and fro. A pixel that
    still moves after 100 steps goes on from where the nearest pixel ended, so that cells may be long.

    Args:
        flows: (2, H, W) steps down and to the right, in pixels, finite.
        inside: (H, W) pixels that are followed.

    Returns:
        (H, W) places, row · W + column; −1 outside.
    """
    height, width = inside.shape
    steps = steps_inside(flows, inside)
    ends = np.full((height, width), -1, np.int64)
    moving = []
    for row in range(height):
        for column in range(width):
            if inside[row, column]:
                end, stopped = _follow(steps, row, column)
                ends[row, column] = end
                if not stopped:
                    moving.append(row * width + column)
    for _ in range(_JUMPS if moving else 0):
        before = ends.copy()
        for place in moving:
            further = before.flat[before.flat[place]]
            if further >= 0:
                ends[place // width, place % width] = further
    return ends


@compiled
def steps_inside(flows: Floats, inside: Flags) -> Floats:
    """Return (H + 1, W + 1, 2) flows, 0 outside: one row and column more, for interpolation at the end.

    Args:
        flows: (2, H, W) steps down and to the right.
        inside: (H, W) pixels whose flows count.
    """
    height, width = inside.shape
    steps = np.zeros((height + 1, width + 1, 2), np.float32)
    for row in range(height):
        for column in range(width):
            if inside[row, column]:
                steps[row, column, 0] = flows[0, row, column]
                steps[row, column, 1] = flows[1, row, column]
    return steps


@compiled
def interpolated(steps: Floats, down: float, across: float) -> tuple[float, float]:
    """Return the step at a place between pixels, interpolated linearly.

    Args:
        steps: (H + 1, W + 1, 2) steps down and to the right.
        down: place, from 0 to H − 1, a 32-bit number.
        across: place, from 0 to W − 1, a 32-bit number.
    """
    top, left = int(down), int(across)
    lower, right = down - np.float32(top), across - np.float32(left)
    upper_left, upper_right = (1 - lower) * (1 - right), (1 - lower) * right
    lower_left, lower_right = lower * (1 - right), lower * right
    first, second = steps[top, left], steps[top, left + 1]
    third, fourth = steps[top + 1, left], steps[top + 1, left + 1]
    move_down = (
        upper_left * first[0]
        + upper_right * second[0]
        + lower_left * third[0]
        + lower_right * fourth[0]
    )
    move_across = (
        upper_left * first[1]
        + upper_right * second[1]
        + lower_left * third[1]
        + lower_right * fourth[1]
    )
    return move_down, move_across


@compiled
def _follow(steps: Floats, row: int, column: int) -> tuple[int, bool]:
    """Return the place at which a pixel ends, and whether it stopped there."""
    width = steps.shape[1] - 1
    lowest, rightmost = np.float32(steps.shape[0] - 2), np.float32(width - 1)
    down, across = np.float32(row), np.float32(column)
    down_before, across_before = down, across
    stopped = False
    for _ in range(_STEPS):
        move_down, move_across = interpolated(steps, down, across)
        if move_down * move_down + move_across * move_across < _STILL:
            stopped = True
            break
        next_down = min(max(down + move_down, np.float32(0)), lowest)
        next_across = min(max(across + move_across, np.float32(0)), rightmost)
        back = (next_down - down_before) ** 2 + (next_across - across_before) ** 2
        down_before, across_before = down, across
        down, across = next_down, next_across
        if back < _SAME_PLACE:
            down, across = (down + down_before) / 2, (across + across_before) / 2
            stopped = True
            break
    return int(min(down + _HALF, lowest)) * width + int(min(across + _HALF, rightmost)), stopped


@compiled
def cells_of_ends(ends: npt.NDArray[np.int64], smallest_seed: float) -> tuple[Integers, int]:
    """Number the pixels by the seed at which they end.

    Seeds are places at which more than ``smallest_seed`` pixels end, and more than at any place within
    two pixels. The largest come first. A seed expands five times by a pixel into places at which three
    pixels or more end. A smaller seed in the region of a larger one belongs to the larger.

    Args:
        ends: (H, W) what [`follow_flows`][] returns.
        smallest_seed: number of end points that is too small for a seed.

    Returns:
        (H, W) ids, 0 where a pixel ends at no seed, and the largest id.
    """
    height, width = ends.shape
    heaps = np.zeros((height, width), np.int32)
    for end in ends.flat:
        if end >= 0:
            heaps[end // width, end % width] += 1
    seeds = _seeds(heaps, smallest_seed)
    owners = np.zeros((height, width), np.int32)
    count = 0
    for seed in seeds:
        row, column = seed // width, seed % width
        if owners[row, column] == 0:
            count += 1
            owners[row, column] = count
        _expand(heaps, owners, row, column)
    labels = np.zeros((height, width), np.int32)
    for row in range(height):
        for column in range(width):
            end = ends[row, column]
            if end >= 0:
                labels[row, column] = owners[end // width, end % width]
    return labels, count


@compiled
def _seeds(heaps: Integers, smallest_seed: float) -> npt.NDArray[np.int64]:
    """Return the places of the highest heaps, the highest first."""
    height, width = heaps.shape
    places, heights = [0 for _ in range(0)], [0 for _ in range(0)]
    for row in range(height):
        for column in range(width):
            if heaps[row, column] > smallest_seed:
                top, left = max(row - _NEIGHBOURHOOD, 0), max(column - _NEIGHBOURHOOD, 0)
                near = heaps[top : row + _NEIGHBOURHOOD + 1, left : column + _NEIGHBOURHOOD + 1]
                if heaps[row, column] == near.max():
                    places.append(row * width + column)
                    heights.append(-heaps[row, column])
    return np.array(places)[np.argsort(np.array(heights), kind="mergesort")]


@compiled
def _expand(heaps: Integers, owners: Integers, row: int, column: int) -> None:
    """Assign the heaps that are connected to a seed, and have no owner yet, to the owner of the seed."""
    height, width = heaps.shape
    owner = owners[row, column]
    border = [(row, column)]
    for _ in range(_EXPANSIONS):
        reached = [(0, 0) for _ in range(0)]
        for row, column in border:
            for near_row in range(max(row - 1, 0), min(row + 2, height)):
                for near in range(max(column - 1, 0), min(column + 2, width)):
                    free = owners[near_row, near] == 0
                    if free and heaps[near_row, near] >= _SMALLEST_HEAP:
                        owners[near_row, near] = owner
                        reached.append((near_row, near))
        border = reached


@compiled
def add_unseeded(labels: Integers, parts: Integers, count: int, largest: int) -> int:
    """Make a cell of each part of the foreground that is too small for a seed and has no ids.

    Args:
        labels: (H, W) ids, changed.
        parts: (H, W) numbers of the connected parts of the foreground, 0 outside.
        count: the largest id.
        largest: largest number of pixels of such a part.

    Returns:
        The largest id afterwards.
    """
    pixels = np.zeros(parts.max() + 1, np.int64)
    for place in range(labels.size):
        pixels[parts.flat[place]] += 1 if labels.flat[place] == 0 else largest + 1
    ids = np.zeros(len(pixels), np.int32)
    for part in range(1, len(pixels)):
        if pixels[part] <= largest:
            count += 1
            ids[part] = count
    for place in range(labels.size):
        if ids[parts.flat[place]] > 0:
            labels.flat[place] = ids[parts.flat[place]]
    return count


@compiled
def keep_good_cells(
    labels: Integers, count: int, flows: Floats, own: Floats, largest_error: float, smallest: float
) -> int:
    """Remove cells that are too small or whose flows are wrong, and number the others 1 … N.

    Args:
        labels: (H, W) ids, changed.
        count: the largest id.
        flows: (2, H, W) predicted flows, as unit vectors.
        own: (2, H, W) flows of ``labels``.
        largest_error: largest mean squared length of the difference of a cell's flows.
        smallest: cells of fewer pixels are removed.

    Returns:
        The number of cells that are left.
    """
    pixels, errors = np.zeros(count + 1, np.int64), np.zeros(count + 1)
    height, width = labels.shape
    for row in range(height):
        for column in range(width):
            label = labels[row, column]
            if label > 0:
                pixels[label] += 1
                for axis in range(2):
                    errors[label] += (flows[axis, row, column] - own[axis, row, column]) ** 2
    numbers = np.zeros(count + 1, np.int32)
    left = 0
    for label in range(1, count + 1):
        if pixels[label] >= max(smallest, 1) and errors[label] <= largest_error * pixels[label]:
            left += 1
            numbers[label] = left
    for row in range(height):
        for column in range(width):
            labels[row, column] = numbers[labels[row, column]]
    return left


@compiled
def fill_holes(labels: Integers, gaps: Integers, holes: Flags) -> None:
    """Fill holes that a single cell encloses.

    Args:
        labels: (H, W) ids, changed.
        gaps: (H, W) numbers of the connected parts without a cell, 0 elsewhere.
        holes: by number of the gap, whether it may be filled.
    """
    height, width = labels.shape
    around = np.zeros(len(holes), np.int32)  # the cell around a gap; −1: several, or the frame
    for row in range(height):
        for column in range(width):
            gap = gaps[row, column]
            if gap == 0 or not holes[gap]:
                continue
            if row in (0, height - 1) or column in (0, width - 1):
                around[gap] = -1
                continue
            for place in (
                (row - 1, column),
                (row + 1, column),
                (row, column - 1),
                (row, column + 1),
            ):
                label = labels[place]
                if label > 0 and around[gap] != label:
                    around[gap] = label if around[gap] == 0 else -1
    for row in range(height):
        for column in range(width):
            gap = gaps[row, column]
            if gap > 0 and holes[gap] and around[gap] > 0:
                labels[row, column] = around[gap]
