"""Compiled loops of affinities: whether two pixels belong to one cell, for pairs at fixed offsets."""

import numpy as np
import numpy.typing as npt

from cellbench.compiling import compiled

Integers = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]


@compiled
def same_cell(labels: Integers, offsets: Integers) -> npt.NDArray[np.uint8]:
    """Return 1 where a pixel and the pixel at an offset from it belong to the same cell.

    Args:
        labels: (H, W) ids, 0 is background.
        offsets: (K, 2) rows and columns from the first pixel to the second.

    Returns:
        (K, H, W), 0 where either pixel is background, or the second is outside the map.
    """
    height, width = labels.shape
    same = np.zeros((len(offsets), height, width), np.uint8)
    for channel in range(len(offsets)):
        down, right = offsets[channel]
        left, end = max(0, -right), width - max(0, right)
        for row in range(max(0, -down), height - max(0, down)):
            for column in range(left, end):
                label = labels[row, column]
                if label > 0 and label == labels[row + down, column + right]:
                    same[channel, row, column] = 1
    return same


@compiled
def attracted_parts(
    affinities: Floats, inside: npt.NDArray[np.bool_], offsets: Integers, smallest: float
) -> Integers:
    """Join pixels along all edges that attract, as if no edge repelled.

    Args:
        affinities: (K, H, W) of the edges that can attract.
        inside: (H, W) the foreground.
        offsets: (K, 2) rows and columns from the first pixel of an edge to the second.
        smallest: smallest affinity that attracts.

    Returns:
        (H · W) for each pixel the first pixel of its part.
    """
    height, width = inside.shape
    parents = np.arange(height * width).astype(np.int32)
    for row in range(height):
        for column in range(width):
            if not inside[row, column]:
                continue
            for channel in range(len(offsets)):
                far_row, far = row + offsets[channel, 0], column + offsets[channel, 1]
                within = 0 <= far_row < height and 0 <= far < width
                if not within or not inside[far_row, far]:
                    continue
                if affinities[channel, row, column] >= smallest:
                    first = root(parents, row * width + column)
                    second = root(parents, far_row * width + far)
                    parents[max(first, second)] = min(first, second)
    for place in range(len(parents)):
        parents[place] = parents[parents[place]]  # a parent has a smaller number, and is done
    return parents


@compiled
def root(parents: Integers, place: int) -> int:
    """Return the pixel that stands for the part of a pixel, and shorten the way to it.

    Args:
        parents: (H · W) another pixel of the same part, or the pixel itself; changed.
        place: number of the pixel.
    """
    while parents[place] != place:
        parents[place] = parents[parents[place]]
        place = parents[place]
    return place


@compiled
def number_cells(parents: Integers, inside: npt.NDArray[np.bool_], smallest: float) -> Integers:
    """Number the parts of the foreground 1 … N in the order of their first pixels.

    Args:
        parents: (H · W) pixels of the same part, see [`root`][]; changed.
        inside: (H, W) the foreground.
        smallest: parts of fewer pixels are left out.

    Returns:
        (H, W) ids, 0 elsewhere.
    """
    pixels = np.zeros(len(parents), np.int32)
    for place in range(len(parents)):
        if inside.flat[place]:
            parents[place] = root(parents, place)
            pixels[parents[place]] += 1
    labels = np.zeros(inside.shape, np.int32)
    numbers = np.zeros(len(parents), np.int32)
    count = 0
    for place in range(len(parents)):
        if not inside.flat[place]:
            continue
        part = parents[place]
        if pixels[part] >= smallest:
            if numbers[part] == 0:
                count += 1
                numbers[part] = count
            labels.flat[place] = numbers[part]
    return labels
