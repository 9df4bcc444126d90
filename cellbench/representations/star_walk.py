"""Compiled loops along the rays of star-convex cells."""

import numpy as np

from cellbench.compiling import compiled
from cellbench.representations.star_kernels import Flags, Floats, Integers

_CHUNK = 256  # columns processed together
_FEW = 16  # the last few columns are processed one by one, which is faster


@compiled
def walk(
    labels: Integers, positions: Floats, lengths: Floats, steady: Flags, grid: int, found: Floats
) -> None:
    """Follow every ray from every pixel of a cell to the end of the cell.

    The pixels of a part of a row take each step together, as long as many of them are still inside.

    Args:
        labels: (H, W) uint16 or uint32, a type whose largest number is above the number of steps.
        positions: (rays, steps, 2) row and column after 1, 2, … steps from pixel (0, 0).
        lengths: (rays, steps) distance of a ray that leaves the cell at that step.
        steady: (rays, steps) true where the rounded column of a step, relative to its start, is the
            same for every start.
        grid: distance in pixels between the starts.
        found: (rays, rows, columns) array that is filled with the distances; 0 on the background.
    """
    height, width = labels.shape
    # All of one type, so that the processor can handle many pixels with one instruction.
    inside, steps = np.zeros(_CHUNK, labels.dtype), np.zeros(_CHUNK, labels.dtype)
    for ray in range(len(positions)):
        for row in range(0, height, grid):
            for start in range(0, width, _CHUNK):
                cells = labels[row, start : start + _CHUNK]
                left, step = _all_inside(cells, inside, steps), 0
                while left > _FEW and steady[ray, step]:
                    there = int(np.rint(np.float32(row) + positions[ray, step, 0]))
                    if there < 0 or there >= height:
                        left = 0
                        break
                    shift = int(np.rint(positions[ray, step, 1]))
                    left = _step(cells, labels[there], start, shift, inside, steps)
                    step += 1
                for column in range(len(cells) if left else 0):
                    if inside[column]:
                        place = row, start + column
                        steps[column] = _walk_alone(labels, place, positions[ray], step)
                measured = (start + grid - 1) // grid
                line = found[ray, row // grid]
                for column in range(measured * grid - start, len(cells), grid):
                    line[measured] = lengths[ray, steps[column]] if cells[column] else np.float32(0)
                    measured += 1


@compiled
def _all_inside(cells: Integers, inside: Integers, steps: Integers) -> int:
    """Start all rays: mark the pixels of cells, and count them."""
    left = 0
    for column in range(len(cells)):
        inside[column] = cells[column] != 0
        steps[column] = 0
        left += inside[column]
    return left


@compiled
def _step(
    cells: Integers, line: Integers, start: int, shift: int, inside: Integers, steps: Integers
) -> int:
    """Step to the pixels ``shift`` columns away on ``line``; count those still inside their cells."""
    first = min(max(-shift - start, 0), len(cells))
    last = max(min(len(line) - shift - start, len(cells)), first)
    inside[:first] = 0
    inside[last : len(cells)] = 0
    here, there = cells[first:last], line[start + shift + first : start + shift + last]
    still, taken = inside[first:last], steps[first:last]
    left = 0
    for column in range(last - first):
        still[column] &= here[column] == there[column]
        taken[column] += still[column]
        left += still[column]
    return left


@compiled
def _walk_alone(labels: Integers, place: tuple[int, int], positions: Floats, step: int) -> int:
    """Continue from one pixel; return the number of steps that stay inside its cell."""
    cell = labels[place]
    row, column = np.float32(place[0]), np.float32(place[1])
    while True:
        down, across = (
            int(np.rint(row + positions[step, 0])),
            int(np.rint(column + positions[step, 1])),
        )
        if not (0 <= down < labels.shape[0] and 0 <= across < labels.shape[1]):
            return step
        if labels[down, across] != cell:
            return step
        step += 1
