"""Run-length codes of cells, in the formats of Kaggle and COCO."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cellbench.errors import LabelMapError
from cellbench.labels.maps import LabelMap, check_labels

_Numbers = npt.NDArray[np.int64]


def parse_runs(runs: str, shape: tuple[int, int]) -> tuple[_Numbers, _Numbers]:
    """Read a Kaggle run-length code.

    Args:
        runs: ``start length start length …``; starts count from 1, are sorted and do not overlap.
        shape: (H, W) of the image.

    Returns:
        The first pixel of each run and the pixel after its last one, as indices into the flattened image:
        row by row if the runs follow the rows (as in the Sartorius competition), column by column if they
        go down the columns (as in the Data Science Bowl 2018).

    Raises:
        LabelMapError: if the runs are not pairs of positive integers, are not sorted, overlap, or end
            outside the image.

    Examples:
        >>> starts, ends = parse_runs("2 2 6 1", (2, 3))
        >>> starts.tolist(), ends.tolist()
        ([1, 5], [3, 6])
    """
    words = runs.split()
    # The sum of two numbers of 18 digits still fits into 64 bits.
    numeric = (
        runs.isascii() and all(map(str.isdigit, words)) and max(map(len, words), default=0) <= 18
    )
    if not numeric or len(words) % 2:
        raise LabelMapError("run-length code: expected pairs of positive integers")
    numbers = np.array(list(map(int, words)), np.int64)
    starts, lengths = numbers[::2] - 1, numbers[1::2]
    ends = starts + lengths
    if (starts < 0).any() or (lengths < 1).any():
        raise LabelMapError("run-length code: starts and lengths must be at least 1")
    if (starts[1:] < starts[:-1]).any():
        raise LabelMapError("run-length code: the runs are not sorted")
    if (starts[1:] < ends[:-1]).any():
        pixel = starts[1:][starts[1:] < ends[:-1]][0] + 1
        raise LabelMapError(f"run-length code: the runs overlap at pixel {pixel}")
    if len(ends) and ends[-1] > shape[0] * shape[1]:
        raise LabelMapError(
            f"run-length code: ends at pixel {ends[-1]}, outside the image of {shape[0]} × {shape[1]} px"
        )
    return starts, ends


def decode_runs(runs: str, shape: tuple[int, int]) -> _Numbers:
    """Decode a Kaggle run-length code into pixel indices.

    Args:
        runs: run-length code, see [`parse_runs`][].
        shape: (H, W) of the image.

    Returns:
        Indices into the image flattened row by row.

    Raises:
        LabelMapError: as [`parse_runs`][].

    Examples:
        >>> decode_runs("2 2 6 1", (2, 3)).tolist()
        [1, 2, 5]
    """
    return run_pixels(*parse_runs(runs, shape))


def run_pixels(starts: _Numbers, ends: _Numbers) -> _Numbers:
    """Return the pixels of runs.

    Args:
        starts: (N,) first pixel of each run.
        ends: (N,) pixel after the last one of each run.

    Returns:
        The pixels of all runs, in the order of the runs.

    Examples:
        >>> run_pixels(np.array([1, 5]), np.array([3, 6])).tolist()
        [1, 2, 5]
    """
    lengths = ends - starts
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()))


def share_of_touching_runs(starts: _Numbers, ends: _Numbers, line: int) -> float:
    """Return how many runs of a cell touch the run before them.

    Cells have one run on each of several neighbouring lines. If runs that go down the columns are read
    along the rows, hardly any touches the next.

    Args:
        starts: (N,) first pixel of each run.
        ends: (N,) pixel after the last one of each run.
        line: pixels in a line: the width of the image if the runs follow the rows, else the height.

    Returns:
        The share in [0, 1] of the runs after the first; 1 if there is one run only.

    Examples:
        >>> share_of_touching_runs(np.array([1, 5, 8]), np.array([3, 7, 9]), 4)
        0.5
    """
    if len(starts) < 2:
        return 1.0
    next_line = starts[1:] // line == starts[:-1] // line + 1
    overlap = (starts[1:] - line < ends[:-1]) & (starts[:-1] < ends[1:] - line)
    return float((next_line & overlap).mean())


def encode_runs(mask: npt.NDArray[np.bool_]) -> str:
    """Encode a mask as runs that count from 1 along rows; the inverse of [`decode_runs`][].

    Args:
        mask: (H, W), true inside the cell.

    Returns:
        The run-length code; empty for an empty mask.

    Examples:
        >>> encode_runs(np.array([[False, True, True], [False, False, True]]))
        '2 2 6 1'
    """
    return next((runs for _, runs in encode_cells(mask)), "")


def encode_cells(labels: LabelMap | npt.NDArray[np.bool_]) -> Iterator[tuple[int, str]]:
    """Encode every cell of a label map as runs that count from 1 along rows.

    Args:
        labels: (H, W) label map.

    Yields:
        Id and run-length code of each cell, ids ascending.

    Examples:
        >>> list(encode_cells(np.array([[0, 7, 7], [2, 0, 7]])))
        [(2, '4 1'), (7, '2 2 6 1')]
    """
    ids, firsts, starts, ends = _runs_by_cell(check_labels(labels).ravel())
    pairs = np.column_stack([starts + 1, ends - starts])
    for cell, first, last in _slices(ids, firsts, len(starts)):
        yield cell, " ".join(map(str, pairs[first:last].ravel().tolist()))


class CellCounts(NamedTuple):
    """A cell in COCO's uncompressed run-length code.

    Attributes:
        id: id of the cell in the label map.
        counts: numbers of pixels alternately outside and inside the cell, down the columns from the top
            left.
        area: area in pixels.
        box: x and y of the upper left corner, width and height, in pixels.
    """

    id: int
    counts: list[int]
    area: int
    box: list[int]


def count_cells(labels: LabelMap) -> Iterator[CellCounts]:
    """Encode every cell of a label map as COCO does.

    Args:
        labels: (H, W) label map.

    Yields:
        The cells, ids ascending.

    Examples:
        >>> for cell in count_cells(np.array([[0, 7, 7], [2, 0, 7]])):
        ...     print(*cell)
        2 [1, 1, 4] 1 [0, 1, 1, 1]
        7 [2, 1, 1, 2] 3 [1, 0, 2, 2]
    """
    labels = check_labels(labels)
    ids, firsts, starts, ends = _runs_by_cell(labels.ravel(order="F"))
    areas = np.add.reduceat(ends - starts, firsts)
    boxes = _boxes(firsts, starts, ends - 1, len(labels))
    before = np.concatenate([[0], ends[:-1]])
    before[firsts] = 0
    pairs = np.column_stack([starts - before, ends - starts])
    for place, (cell, first, last) in enumerate(_slices(ids, firsts, len(starts))):
        counts = pairs[first:last].ravel().tolist()
        if ends[last - 1] < labels.size:
            counts.append(labels.size - int(ends[last - 1]))
        yield CellCounts(cell, counts, int(areas[place]), boxes[place].tolist())


def _runs_by_cell(pixels: npt.NDArray[Any]) -> tuple[LabelMap, _Numbers, _Numbers, _Numbers]:
    """Return the ids, the place of the first run of each id, and all runs sorted by id, then by start."""
    starts = np.concatenate([[0], np.flatnonzero(pixels[1:] != pixels[:-1]) + 1])
    ends = np.append(starts[1:], len(pixels))
    owners = pixels[starts]
    order = np.argsort(owners, kind="stable")
    order = order[owners[order] != 0]
    ids, firsts = np.unique(owners[order], return_index=True)
    return ids, firsts, starts[order], ends[order]


def _slices(ids: LabelMap, firsts: _Numbers, runs: int) -> Iterator[tuple[int, int, int]]:
    lasts = [*firsts[1:].tolist(), runs]
    return zip(ids.tolist(), firsts.tolist(), lasts, strict=False)


def _boxes(firsts: _Numbers, starts: _Numbers, lasts: _Numbers, height: int) -> _Numbers:
    """Return (N, 4) x, y, width and height from runs down the columns, which may span several columns."""
    left, right = starts // height, lasts // height
    goes_on = left < right
    top = np.where(goes_on, 0, starts % height)
    bottom = np.where(goes_on, height - 1, lasts % height)
    x, y = np.minimum.reduceat(left, firsts), np.minimum.reduceat(top, firsts)
    width = np.maximum.reduceat(right, firsts) - x + 1
    return np.column_stack([x, y, width, np.maximum.reduceat(bottom, firsts) - y + 1])
