"""Watershed by markers, one connected component at a time.

The rule is that of `skimage.segmentation.watershed` with neighbours by edges: the lowest pixel
beside the flood is flooded next; among equal ones, the one that was found first. Three things make it
fast: a component with one marker needs no flooding, the others are small enough for the processor's
cache, and with heights of 16 bits one queue for each height replaces a heap.
"""

import numpy as np
import numpy.typing as npt

from cellbench.compiling import compiled

HEIGHTS = 1 << 16
_OUTSIDE, _UNMARKED, _SEVERAL = -1, 0, -1
_WORD = 6  # a machine word has 2^6 bits
_ONE = np.uint64(1)

# The lowest bit of a word times this constant has the bit's place in the upper six bits (de Bruijn).
_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
_PLACES = np.zeros(64, np.int64)
_PLACES[[(int(_DE_BRUIJN) << place & 2**64 - 1) >> 58 for place in range(64)]] = np.arange(64)


def watershed(
    heights: npt.NDArray[np.uint16],
    markers: npt.NDArray[np.int32],
    components: npt.NDArray[np.int32],
) -> npt.NDArray[np.int32]:
    """Flood each component from its markers, lowest pixels first.

    Args:
        heights: (H, W).
        markers: (H, W), 0 is none; markers outside the components are ignored.
        components: (H, W), the numbered components, connected by edges, of the pixels to be divided; 0 is
            outside. Numbers may have gaps.

    Returns:
        (H, W), ids 1 … N in the order of first pixels. A component without a marker is one cell.
    """
    labels, owners, cells = _marked(markers, components, int(markers.max()), int(components.max()))
    seeds, starts = _seeds(labels, components, owners)
    _flood(_padded(heights), labels.ravel(), seeds, starts, labels.shape[1])
    filled: npt.NDArray[np.int32] = _filled(labels, components, owners, cells)
    return filled


def _padded(heights: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint16]:
    return np.pad(heights, 1).ravel()


@compiled
def _marked(
    markers: npt.NDArray[np.int32],
    components: npt.NDArray[np.int32],
    largest_marker: int,
    largest_component: int,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], int]:
    """Number the markers inside components; find out which components have one, several or no marker.

    Returns:
        (H + 2, W + 2) numbered markers, ``_OUTSIDE`` outside; the marker of each component, 0 for none,
        ``_SEVERAL``; the number of markers.
    """
    height, width = markers.shape
    labels = np.full((height + 2, width + 2), _OUTSIDE, np.int32)
    owners = np.zeros(largest_component + 1, np.int32)
    numbers = np.zeros(largest_marker + 1, np.int32)
    cells = 0
    for row in range(height):
        for column in range(width):
            component = components[row, column]
            if component == 0:
                continue
            marker = markers[row, column]
            if marker == 0:
                labels[row + 1, column + 1] = _UNMARKED
                continue
            if numbers[marker] == 0:
                cells += 1
                numbers[marker] = cells
            number = numbers[marker]
            labels[row + 1, column + 1] = number
            if owners[component] == 0:
                owners[component] = number
            elif owners[component] != number:
                owners[component] = _SEVERAL
    return labels, owners, cells


@compiled
def _seeds(
    labels: npt.NDArray[np.int32],
    components: npt.NDArray[np.int32],
    owners: npt.NDArray[np.int32],
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """List the marked pixels beside unmarked ones, by component, in components of several markers.

    Returns:
        Their places in the padded map, and where each component's begin; one more is the end.
    """
    height, width = components.shape
    starts = np.zeros(owners.size + 1, np.int64)
    for counting in (True, False):
        if not counting:
            starts[1:] = np.cumsum(starts)[:-1]
            starts[0] = 0
            seeds = np.empty(starts[-1], np.int32)
            ends = starts.copy()
        for row in range(1, height + 1):
            for column in range(1, width + 1):
                if labels[row, column] <= 0:
                    continue
                component = components[row - 1, column - 1]
                if owners[component] != _SEVERAL:
                    continue
                if (
                    labels[row - 1, column] != _UNMARKED
                    and labels[row, column - 1] != _UNMARKED
                    and labels[row, column + 1] != _UNMARKED
                    and labels[row + 1, column] != _UNMARKED
                ):
                    continue
                if counting:
                    starts[component] += 1
                else:
                    seeds[ends[component]] = row * labels.shape[1] + column
                    ends[component] += 1
    return seeds, starts


@compiled
def _flood(
    heights: npt.NDArray[np.uint16],
    labels: npt.NDArray[np.int32],
    seeds: npt.NDArray[np.int32],
    starts: npt.NDArray[np.int64],
    width: int,
) -> None:
    """Flood the padded, flattened maps in place."""
    first = np.empty(HEIGHTS, np.int32)
    last = np.empty(HEIGHTS, np.int32)
    following = np.empty(labels.size, np.int32)
    # A bit for each height with pixels in its queue.
    waiting = np.zeros(HEIGHTS >> _WORD, np.uint64)
    for component in range(starts.size - 1):
        lowest = waiting.size  # the first word that may have a bit
        left = 0
        for seed in seeds[starts[component] : starts[component + 1]]:
            height = np.int64(heights[seed])
            _append(height, seed, first, last, following, waiting)
            lowest = min(lowest, int(height >> _WORD))
            left += 1
        while left > 0:
            while waiting[lowest] == 0:
                lowest += 1
            word = waiting[lowest]
            place = _PLACES[((word & (~word + _ONE)) * _DE_BRUIJN) >> np.uint64(58)]
            height = (lowest << _WORD) + place
            pixel = first[height]
            left -= 1
            if pixel == last[height]:
                waiting[lowest] = word & (word - _ONE)
            else:
                first[height] = following[pixel]
            label = labels[pixel]
            for neighbour in (pixel - width, pixel - 1, pixel + 1, pixel + width):
                if labels[neighbour] == _UNMARKED:
                    labels[neighbour] = label
                    height = np.int64(heights[neighbour])
                    _append(height, neighbour, first, last, following, waiting)
                    lowest = min(lowest, int(height >> _WORD))
                    left += 1


@compiled
def _append(
    height: int,
    pixel: int,
    first: npt.NDArray[np.int32],
    last: npt.NDArray[np.int32],
    following: npt.NDArray[np.int32],
    waiting: npt.NDArray[np.uint64],
) -> None:
    bit = _ONE << np.uint64(height & 63)
    if waiting[height >> _WORD] & bit:
        following[last[height]] = pixel
    else:
        first[height] = pixel
        waiting[height >> _WORD] |= bit
    last[height] = pixel


@compiled
def _filled(
    labels: npt.NDArray[np.int32],
    components: npt.NDArray[np.int32],
    owners: npt.NDArray[np.int32],
    cells: int,
) -> npt.NDArray[np.int32]:
    """Fill the components of one marker, and of none, and take the padding off."""
    height, width = components.shape
    filled = np.empty((height, width), np.int32)
    for row in range(height):
        for column in range(width):
            component = components[row, column]
            if component == 0:
                filled[row, column] = 0
                continue
            if owners[component] == 0:
                cells += 1
                owners[component] = cells
            owner = owners[component]
            filled[row, column] = labels[row + 1, column + 1] if owner == _SEVERAL else owner
    return filled
