"""Whole slides are processed in tiles, or only their middle, because all maps at once fill the memory."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from cellbench.labels import LabelMap
from cellbench.representations.base import DecodedCells
from cellbench.representations.decoded import renumbered

Pixels = TypeVar("Pixels", bound=Any)  # an array of NumPy or PyTorch

LARGEST_SIDE = 5000
"""Images with a longer side are cut into tiles; the challenge calls 5000 × 5000 px a whole slide."""
_MARGIN = 256
_SLACK = 16  # pixels; the centre of a cell differs a little between two tiles


def segment_in_tiles(
    segment: Callable[[Pixels], LabelMap],
    image: Pixels,
    largest_side: int = LARGEST_SIDE,
    margin: int = _MARGIN,
) -> LabelMap:
    """Segment an image in tiles, as [`cells_in_tiles`][] does, where cells have no measures.

    Args:
        segment: function from a tile (h, w, 3) to its label map (h, w).
        image: (H, W, 3).
        largest_side: as in [`cells_in_tiles`][].
        margin: as in [`cells_in_tiles`][].

    Returns:
        (H, W) label map, ids 1 … N.

    Examples:
        >>> image = np.zeros((8, 30, 3))
        >>> image[2:6, 8:14] = 1
        >>> cells = segment_in_tiles(lambda tile: (tile[..., 0] > 0).astype(int), image, 10, 8)
        >>> int(cells.max()), int((cells == 1).sum())
        (1, 24)
    """

    def without_measures(tile: Pixels) -> DecodedCells:
        return DecodedCells(segment(tile), {})

    return cells_in_tiles(without_measures, image, largest_side, margin).labels


def cells_in_tiles(
    segment: Callable[[Pixels], DecodedCells],
    image: Pixels,
    largest_side: int = LARGEST_SIDE,
    margin: int = _MARGIN,
) -> DecodedCells:
    """Segment an image in tiles of about equal size that overlap by a margin.

    A cell is taken, with its measures, from the tile that contains its centre of mass. Close to the
    border between two tiles both may contain it; then the second tile leaves out a cell most of whose
    pixels are in cells found before. Only cells that reach further than ``margin`` into a neighbouring
    tile are cut off.

    Args:
        segment: function from a tile (h, w, 3) to its cells.
        image: (H, W, 3).
        largest_side: longest side of a tile without its margin; a smaller image is segmented at once.
        margin: number of pixels of the neighbouring tiles that a tile includes.

    Returns:
        (H, W) label map, ids 1 … N, and the measures of the cells.

    Raises:
        ValueError: if the cells of two tiles have different measures, or one has no value.
    """
    height, width = image.shape[:2]
    if max(height, width) <= largest_side:
        return renumbered(segment(image))
    labels = np.zeros((height, width), np.int32)
    count, measures = 0, []
    for tile in tiles((height, width), largest_side, margin):
        cells = renumbered(segment(image[tile.seen]))
        found, there = cells.labels.astype(np.int32), labels[tile.seen]
        numbers = _numbers(found, there > 0, tile.core, count)
        there += np.where(there == 0, numbers[found], 0)
        count = max(count, int(numbers.max()))
        kept = np.flatnonzero(numbers) - 1
        measures.append({name: values[kept] for name, values in cells.measures.items()})
    return renumbered(DecodedCells(labels, _joined(measures)))


class Tile(NamedTuple):
    """A part of an image that is segmented at once.

    Attributes:
        seen: rows and columns of the image, with the margin.
        core: rows and columns of the tile without its margin.
    """

    seen: tuple[slice, slice]
    core: tuple[slice, slice]


def tiles(
    shape: tuple[int, int], largest_side: int = LARGEST_SIDE, margin: int = _MARGIN
) -> Iterator[Tile]:
    """List the tiles of an image, in the order in which [`cells_in_tiles`][] segments them.

    Args:
        shape: (H, W) of the image.
        largest_side: as in [`cells_in_tiles`][].
        margin: as in [`cells_in_tiles`][].

    Yields:
        Tiles whose cores together cover the image once.

    Examples:
        >>> [(tile.seen[1], tile.core[1]) for tile in tiles((5, 16), 10, 4)]
        [(slice(0, 12, None), slice(0, 8, None)), (slice(4, 16, None), slice(4, 12, None))]
    """
    if max(shape) <= largest_side:
        margin, largest_side = 0, max(shape)
    height, width = shape
    for top, bottom in _parts(height, largest_side):
        for left, right in _parts(width, largest_side):
            row, column = max(0, top - margin), max(0, left - margin)
            yield Tile(
                (
                    slice(row, min(height, bottom + margin)),
                    slice(column, min(width, right + margin)),
                ),
                (slice(top - row, bottom - row), slice(left - column, right - column)),
            )


def _joined(
    parts: Sequence[Mapping[str, npt.NDArray[np.float32]]],
) -> Mapping[str, npt.NDArray[np.float32]]:
    """Join the measures of the cells of all tiles."""
    if any(part.keys() != parts[0].keys() for part in parts):
        names = sorted({name for part in parts for name in part})
        raise ValueError(
            f"measures of the decoded cells: not all tiles have {', '.join(names)}; return the same "
            "measures for every image, also without cells"
        )
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def middle(image: Pixels, largest_side: int = LARGEST_SIDE) -> Pixels:
    """Cut out the middle of an image.

    Args:
        image: (H, W, …).
        largest_side: largest height and width of the result, in pixels.

    Examples:
        >>> middle(np.arange(10)[None], 4)
        array([[3, 4, 5, 6]])
    """
    top, left = (max(0, (side - largest_side) // 2) for side in image.shape[:2])
    cut: Pixels = image[top : top + largest_side, left : left + largest_side]
    return cut


def _parts(side: int, largest: int) -> list[tuple[int, int]]:
    """Cut a side into as few parts as possible, whose lengths differ by at most one pixel."""
    count = -(-side // largest)
    return list(pairwise(side * index // count for index in range(count + 1)))


def _numbers(
    found: npt.NDArray[np.int32],
    taken: npt.NDArray[np.bool_],
    core: tuple[slice, slice],
    used: int,
) -> npt.NDArray[np.int32]:
    """Return the id of each cell of a tile in the slide, from ``used`` + 1 on; 0 where it is left out.

    Args:
        found: (h, w) label map of the tile.
        taken: (h, w) pixels of cells that were found in other tiles.
        core: rows and columns of the tile without its margin.
        used: the largest id so far.
    """
    from cellbench.labels.measures import COLUMN_SUM, PIXELS, ROW_SUM, measure_cells

    cells = measure_cells(found, int(found.max()))
    pixels = np.maximum(cells[:, PIXELS], 1)
    kept = 2 * np.bincount(found[taken], minlength=len(cells)) <= pixels
    for total, part in zip((ROW_SUM, COLUMN_SUM), core, strict=True):
        middle = cells[:, total] / pixels
        kept &= (middle >= part.start - _SLACK) & (middle < part.stop + _SLACK)
    kept[0] = False
    return np.where(kept, used + np.cumsum(kept), 0).astype(np.int32)
