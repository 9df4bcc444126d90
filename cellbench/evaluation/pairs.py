"""How many pixels each pair (true id, predicted id) has: the one count behind every score.

Counters go through the pixels once, by runs: stretches of a row in which neither id changes. This
module holds what they share and the counter in NumPy; [`cellbench.evaluation.compiled`][] holds the
compiled counter, and [`cellbench.evaluation.counting`][] chooses between them.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
Band = npt.NDArray[np.unsignedinteger[Any]]
BandType = np.dtype[np.unsignedinteger[Any]]


class Pairs(NamedTuple):
    """Pixels of each pair of ids.

    Each pair occurs once, in any order; the pair of background and background may be absent.

    Attributes:
        true_ids: (N,) ids in the truth, 0 is background.
        predicted_ids: (N,) ids in the prediction, 0 is background.
        pixels: (N,) pixels that have both ids.
        on_frame: (N,) whether one of these pixels lies on the frame. If so, both cells touch the frame.
    """

    true_ids: Ids
    predicted_ids: Ids
    pixels: Ids
    on_frame: npt.NDArray[np.bool_]


class Window(NamedTuple):
    """The columns of a band that are counted, and the bounds of the area inside the frame.

    Bounds work as in slices: left and top are the first row or column inside, right and bottom the
    first one outside. The inner bounds may lie outside the band.

    Attributes:
        left: first column that is counted.
        right: column after the last one that is counted.
        inner_top: first row below the upper frame.
        inner_bottom: first row of the lower frame.
        inner_left: first column right of the left frame.
        inner_right: first column of the right frame.
    """

    left: int
    right: int
    inner_top: int
    inner_bottom: int
    inner_left: int
    inner_right: int


class PairCounter(Protocol):
    """Counts the pairs of ids of two label maps, band by band."""

    def add(self, truth: Band, prediction: Band, window: Window) -> None:
        """Count the pixels of one band.

        Args:
            truth: (rows, W) uint16 or uint32.
            prediction: same shape and type as ``truth``.
            window: which columns to count, and where the frame is.
        """

    def total(self) -> Pairs:
        """Return the sum over all bands."""


class NumpyCounter:
    """Counts by sorting the runs of each band. It needs no compiler and starts at once."""

    def __init__(self) -> None:
        self._bands: list[Pairs] = []

    def add(self, truth: Band, prediction: Band, window: Window) -> None:
        """Count the pixels of one band.

        Args:
            truth: (rows, W) uint16 or uint32.
            prediction: same shape and type as ``truth``.
            window: which columns to count, and where the frame is.
        """
        columns = slice(window.left, window.right)
        true, predicted = truth[:, columns].ravel(), prediction[:, columns].ravel()
        changes = np.flatnonzero((true[1:] != true[:-1]) | (predicted[1:] != predicted[:-1]))
        starts = np.concatenate([[0], changes + 1])
        lengths = np.diff(starts, append=len(true))
        runs = Pairs(true[starts], predicted[starts], lengths, np.zeros(len(starts), np.bool_))
        frame = _frame_pixels(truth, window), _frame_pixels(prediction, window)
        marks = Pairs(*frame, np.zeros(len(frame[0]), np.int64), np.ones(len(frame[0]), np.bool_))
        self._bands.append(_sum_by_pair([runs, marks]))

    def total(self) -> Pairs:
        """Return the sum over all bands."""
        return self._bands[0] if len(self._bands) == 1 else _sum_by_pair(self._bands)


def _frame_pixels(band: Band, window: Window) -> npt.NDArray[Any]:
    """Return the ids of a window's pixels on the frame; pixels in the corners occur twice."""
    seen = band[:, window.left : window.right]
    top, bottom = max(window.inner_top, 0), max(window.inner_bottom, 0)
    left, right = (max(side - window.left, 0) for side in (window.inner_left, window.inner_right))
    edges = seen[:top], seen[bottom:], seen[:, :left], seen[:, right:]
    return np.concatenate([edge.ravel() for edge in edges])


def _sum_by_pair(parts: Sequence[Pairs]) -> Pairs:
    """Sort by true id, then by predicted id, and add up the pairs that occur several times."""
    pairs = Pairs(*map(np.concatenate, zip(*parts, strict=True)))
    order = ascending(pairs.true_ids, ascending(pairs.predicted_ids))
    true_ids, predicted_ids, pixels, on_frame = (column[order] for column in pairs)
    new = (true_ids[1:] != true_ids[:-1]) | (predicted_ids[1:] != predicted_ids[:-1])
    starts = np.concatenate([[0], np.flatnonzero(new) + 1])
    return Pairs(
        true_ids[starts].astype(np.int64),
        predicted_ids[starts].astype(np.int64),
        np.add.reduceat(pixels, starts),
        np.logical_or.reduceat(on_frame, starts),
    )


def ascending(ids: npt.NDArray[np.integer[Any]], order: Ids | None = None) -> Ids:
    """Return the permutation that sorts ids; several times faster than np.argsort.

    NumPy sorts 16-bit integers by radix, in linear time, so that ids below 2^32 take one or two passes.

    Args:
        ids: (N,) integers from 0 to 2^32 − 1.
        order: (N,) permutation whose order equal ids keep; 0 … N − 1 by default.

    Returns:
        (N,) indices into ``ids``.
    """
    order = _by_digit(ids.astype(np.uint16), order)
    if len(ids) and ids.max() > np.iinfo(np.uint16).max:
        order = _by_digit((ids >> ids.dtype.type(16)).astype(np.uint16), order)
    return order


def _by_digit(digit: npt.NDArray[np.uint16], order: Ids | None) -> Ids:
    if order is None:
        return np.argsort(digit, kind="stable")
    return order[np.argsort(digit[order], kind="stable")]
