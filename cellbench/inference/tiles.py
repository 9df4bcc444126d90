"""Whole slides: tile by tile, or their middle, as their maps at once would fill the memory."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from cellbench.labels import LabelMap, relabel

Pixels = TypeVar("Pixels", bound=Any)  # an array of NumPy or PyTorch

LARGEST_SIDE = 5000
"""Larger images are cut; from 5000 × 5000 px on the challenge speaks of whole slides."""
_MARGIN = 256
_SLACK = 16  # pixels; a cell's middle is not quite the same in two tiles


def segment_in_tiles(
    segment: Callable[[Pixels], LabelMap],
    image: Pixels,
    largest_side: int = LARGEST_SIDE,
    margin: int = _MARGIN,
) -> LabelMap:
    """Segment an image in tiles of about equal size, each of which sees some of its neighbours.

    A cell is taken from the tile in which its centre of mass lies. Close to the line both tiles may
    claim it: the second leaves out what has most of its pixels in cells that are there already. Only
    what reaches further than ``margin`` into a neighbour is cut off.

    Args:
        segment: (h, w, 3) to a label map (h, w), ids 1 … n.
        image: (H, W, 3).
        largest_side: tiles have no longer sides; a smaller image is segmented as it is.
        margin: pixels of its neighbours that a tile sees too.

    Returns:
        (H, W) label map, ids 1 … N.

    Example:
        >>> image = np.zeros((8, 30, 3))
        >>> image[2:6, 8:14] = 1
        >>> cells = segment_in_tiles(lambda tile: (tile[..., 0] > 0).astype(int), image, 10, 8)
        >>> int(cells.max()), int((cells == 1).sum())
        (1, 24)
    """
    height, width = image.shape[:2]
    if max(height, width) <= largest_side:
        return relabel(segment(image))
    labels = np.zeros((height, width), np.int32)
    count = 0
    for top, bottom in _parts(height, largest_side):
        for left, right in _parts(width, largest_side):
            first_row, first_column = max(0, top - margin), max(0, left - margin)
            seen = slice(first_row, bottom + margin), slice(first_column, right + margin)
            found = np.ascontiguousarray(segment(image[seen]), np.int32)
            there = labels[seen]
            core = (
                (top - first_row, bottom - first_row),
                (left - first_column, right - first_column),
            )
            numbers = _numbers(found, there > 0, core, count)
            there += np.where(there == 0, numbers[found], 0)
            count = max(count, int(numbers.max()))
    return relabel(labels)


def middle(image: Pixels, largest_side: int = LARGEST_SIDE) -> Pixels:
    """Cut out the middle of an image (H, W, …), up to ``largest_side`` pixels high and wide.

    Example:
        >>> middle(np.arange(10)[None], 4)
        array([[3, 4, 5, 6]])
    """
    top, left = (max(0, (side - largest_side) // 2) for side in image.shape[:2])
    cut: Pixels = image[top : top + largest_side, left : left + largest_side]
    return cut


def _parts(side: int, largest: int) -> list[tuple[int, int]]:
    """Cut a side into as few parts as can be, equal but for a pixel."""
    count = -(-side // largest)
    return list(pairwise(side * index // count for index in range(count + 1)))


def _numbers(
    found: npt.NDArray[np.int32],
    taken: npt.NDArray[np.bool_],
    core: tuple[tuple[int, int], tuple[int, int]],
    used: int,
) -> npt.NDArray[np.int32]:
    """Give each cell of a tile its number in the slide, from ``used`` + 1 on; 0 where it is left out.

    Args:
        found: (h, w) the tile's own label map.
        taken: (h, w) pixels of cells that are there already.
        core: first row and the one after the last of what belongs to the tile alone; the same of columns.
        used: the largest number so far.
    """
    from cellbench.labels.measures import COLUMN_SUM, PIXELS, ROW_SUM, measure_cells

    cells = measure_cells(found, int(found.max()))
    pixels = np.maximum(cells[:, PIXELS], 1)
    kept = 2 * np.bincount(found[taken], minlength=len(cells)) <= pixels
    for total, (first, last) in zip((ROW_SUM, COLUMN_SUM), core, strict=True):
        middle = cells[:, total] / pixels
        kept &= (middle >= first - _SLACK) & (middle < last + _SLACK)
    kept[0] = False
    return np.where(kept, used + np.cumsum(kept), 0).astype(np.int32)
