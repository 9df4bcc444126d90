"""Maxima that rise above their surroundings by at least a given height, found with a union-find.

They are the pixels of `skimage.morphology.h_maxima`, which reconstructs the whole image instead.
"""

import numpy as np
import numpy.typing as npt

from cellbench.compiling import compiled

_HEIGHTS = 1 << 16
_OUTSIDE = -1


def h_maxima(heights: npt.NDArray[np.uint16], least: int) -> npt.NDArray[np.int32]:
    """Find and number the maxima from which every path to a higher maximum descends by at least ``least``.

    Pixels connect by edges and corners. Pixels of height 0 are outside: a maximum must also be at least
    ``least`` high. Maxima of equal height with a shallower valley between them are one maximum, with one
    number; so the result does not depend on the orientation of the image.

    Args:
        heights: (H, W).
        least: smallest descent, at least 1.

    Returns:
        (H, W), 1 … N at the highest pixels of each maximum, in the order of first pixels; 0 elsewhere.

    Examples:
        >>> h_maxima(np.array([[5, 4, 6, 0, 5, 1, 2, 1]], np.uint16), least=2).tolist()
        [[0, 0, 1, 0, 2, 0, 0, 0]]
    """
    padded = np.pad(heights, 1)
    maxima = _maxima(padded.ravel(), padded.shape[1], least)
    numbered: npt.NDArray[np.int32] = maxima.reshape(padded.shape)[1:-1, 1:-1]
    return numbered


@compiled
def _maxima(heights: npt.NDArray[np.uint16], width: int, least: int) -> npt.NDArray[np.int32]:
    """Grow regions from the highest pixels downwards, and judge the lower of two where they meet."""
    order = _descending(heights)
    parents = np.full(heights.size, _OUTSIDE, np.int32)  # of regions
    # The first pixel of each region's maximum; by region.
    tops = np.empty(heights.size, np.int32)
    # Pixels of the same maximum; by pixel.
    equals = np.full(heights.size, _OUTSIDE, np.int32)
    kept = np.zeros(heights.size, np.bool_)
    steps = (-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1)
    for pixel in order:
        parents[pixel] = tops[pixel] = equals[pixel] = pixel
        region = pixel
        level = np.int64(heights[pixel])
        for step in steps:
            if parents[pixel + step] == _OUTSIDE:
                continue
            other = _root(parents, pixel + step)
            if other == region:
                continue
            high, low = tops[region], tops[other]
            if heights[high] < heights[low]:
                high, low = low, high
            if np.int64(heights[low]) - level >= least:
                kept[_root(equals, low)] = True
            elif heights[low] == heights[high]:
                equals[_root(equals, low)] = _root(equals, high)
            # The region of more pixels is mostly the one that was there before the pixel.
            parents[region] = other
            tops[other] = high
            region = other
    for pixel in order:
        if parents[pixel] == pixel and heights[tops[pixel]] >= least:
            kept[_root(equals, tops[pixel])] = True
    numbered: npt.NDArray[np.int32] = _numbered(equals, kept)
    return numbered


@compiled
def _descending(heights: npt.NDArray[np.uint16]) -> npt.NDArray[np.int32]:
    """Sort the pixels above 0 by height, the highest first."""
    ends = np.zeros(_HEIGHTS + 1, np.int64)
    for height in heights:
        ends[_HEIGHTS - height] += 1
    ends[_HEIGHTS] = 0
    starts = np.zeros(_HEIGHTS + 1, np.int64)
    for place in range(1, _HEIGHTS + 1):
        starts[place] = starts[place - 1] + ends[place - 1]
    order = np.empty(starts[_HEIGHTS], np.int32)
    for pixel in range(heights.size):
        if heights[pixel] > 0:
            place = _HEIGHTS - heights[pixel]
            order[starts[place]] = pixel
            starts[place] += 1
    return order


@compiled
def _root(parents: npt.NDArray[np.int32], pixel: int) -> int:
    """Follow the parents to the root, and halve the path for the next time."""
    while parents[pixel] != pixel:
        parents[pixel] = parents[parents[pixel]]
        pixel = parents[pixel]
    return pixel


@compiled
def _numbered(equals: npt.NDArray[np.int32], kept: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    numbers = np.zeros(equals.size, np.int32)
    markers = np.zeros(equals.size, np.int32)
    count = 0
    for pixel in range(equals.size):
        if equals[pixel] == _OUTSIDE:
            continue
        top = _root(equals, pixel)
        if kept[top]:
            if numbers[top] == 0:
                count += 1
                numbers[top] = count
            markers[pixel] = numbers[top]
    return markers
