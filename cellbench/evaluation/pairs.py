"""How many pixels each (true id, predicted id) has: the one count behind every score.

Both counters go through the pixels once, by runs: stretches of a row in which neither id changes.
NumPy starts at once; the compiled counter is several times faster, and takes half a second to load.
"""

from collections.abc import Sequence
from threading import Thread
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

MANY_IMAGES = 1000
"""How many images of one size are expected where nobody knows better."""

_COMPILED_FROM = 100_000_000
_LONGEST_WAIT = 0.9
ID_BITS = np.uint64(32)
FRAME_BIT = np.uint64(63)
_ON_FRAME = np.uint64(1) << FRAME_BIT
_ID_MASK = np.uint64(2**32 - 1)
_FIRST_SLOTS = 1 << 12

Ids = npt.NDArray[np.int64]
Band = npt.NDArray[np.unsignedinteger[Any]]
BandType = np.dtype[np.unsignedinteger[Any]]


class Pairs(NamedTuple):
    """Pixels by pair of ids, each pair once, in any order; background on background may be left out.

    A pair is ``on_frame`` where one of its pixels is: then both of its cells are.
    """

    true_ids: Ids
    predicted_ids: Ids
    pixels: Ids
    on_frame: npt.NDArray[np.bool_]


class Window(NamedTuple):
    """The columns of a band that are counted, and the rows and columns beyond which the frame lies.

    As in slices, left and top are the first inside, right and bottom the first outside; the inner ones
    may lie outside the band.
    """

    left: int
    right: int
    inner_top: int
    inner_bottom: int
    inner_left: int
    inner_right: int


class PairCounter(Protocol):
    """Counts two maps band by band."""

    def add(self, truth: Band, prediction: Band, window: Window) -> None:
        """Count the window of two bands of one shape and one type, uint16 or uint32."""

    def total(self) -> Pairs:
        """Give the sum of all bands."""


def pair_counter(pixels: int, dtype: BandType, images: int = MANY_IMAGES) -> PairCounter:
    """Choose the faster counter.

    Args:
        pixels: of an image.
        dtype: of its bands.
        images: how many such images are to be counted: loading has to be worth it.
    """
    if pixels * images >= _COMPILED_FROM and _is_compiled(dtype):
        return CompiledCounter()
    return NumpyCounter()


def _is_compiled(dtype: BandType) -> bool:
    """Load the compiled counter, or compile it where no cache has it, and wait a second at most."""
    thread = _compiling.get(dtype)
    if thread is None:
        row = np.zeros((1, 1), dtype)
        thread = Thread(target=CompiledCounter().add, args=(row, row, Window(0, 1, 0, 1, 0, 1)))
        _compiling[dtype] = thread
        thread.start()
        thread.join(_LONGEST_WAIT)
    return not thread.is_alive()


_compiling: dict[BandType, Thread] = {}


class NumpyCounter:
    """Counts by sorting the runs of each band."""

    def __init__(self) -> None:
        self._bands: list[Pairs] = []

    def add(self, truth: Band, prediction: Band, window: Window) -> None:
        """Count one band."""
        columns = slice(window.left, window.right)
        true, predicted = truth[:, columns].ravel(), prediction[:, columns].ravel()
        changes = np.flatnonzero((true[1:] != true[:-1]) | (predicted[1:] != predicted[:-1]))
        starts = np.concatenate([[0], changes + 1])
        lengths = np.diff(starts, append=len(true))
        runs = Pairs(true[starts], predicted[starts], lengths, np.zeros(len(starts), np.bool_))
        frame = _frame(truth, window), _frame(prediction, window)
        marks = Pairs(*frame, np.zeros(len(frame[0]), np.int64), np.ones(len(frame[0]), np.bool_))
        self._bands.append(_sum_by_pair([runs, marks]))

    def total(self) -> Pairs:
        """Give the sum of all bands."""
        return self._bands[0] if len(self._bands) == 1 else _sum_by_pair(self._bands)


class CompiledCounter:
    """Counts in a hash table; nothing grows with the pixels but the time."""

    def __init__(self) -> None:
        self._table = np.zeros((_FIRST_SLOTS, 2), np.uint64)
        self._used = 0

    def add(self, truth: Band, prediction: Band, window: Window) -> None:
        """Count one band."""
        from cellbench.evaluation.compiled import add_rows

        bands = _read_only(truth), _read_only(prediction)
        self._table, self._used = add_rows(*bands, tuple(window), self._table, self._used)

    def total(self) -> Pairs:
        """Give the sum of all bands."""
        keys, pixels = self._table.compress(self._table[:, 0], axis=0).T
        columns = (keys >> ID_BITS, keys & _ID_MASK, pixels & ~_ON_FRAME)
        true_ids, predicted_ids, areas = (column.view(np.int64) for column in columns)
        return Pairs(true_ids, predicted_ids, areas, pixels >= _ON_FRAME)


def _frame(band: Band, window: Window) -> npt.NDArray[Any]:
    """Give the pixels of a window that lie on the frame; those in the corners twice."""
    seen = band[:, window.left : window.right]
    top, bottom = max(window.inner_top, 0), max(window.inner_bottom, 0)
    left, right = (max(side - window.left, 0) for side in (window.inner_left, window.inner_right))
    edges = seen[:top], seen[bottom:], seen[:, :left], seen[:, right:]
    return np.concatenate([edge.ravel() for edge in edges])


def _read_only(band: Band) -> Band:
    """Give a view for reading: maps from files are, and another kind would be compiled again."""
    view = np.ascontiguousarray(band).view()
    view.flags.writeable = False
    return view


def _sum_by_pair(parts: Sequence[Pairs]) -> Pairs:
    """Sort by true id, then by predicted id, and add up what is there several times."""
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
    """Sort ids below 2^32 after an order that ties keep; several times faster than np.argsort.

    NumPy sorts 16 bits by radix, in linear time: ids take one such pass or two.

    Args:
        ids: (N,) not negative.
        order: (N,) a permutation; 0 … N − 1 unless given.

    Returns:
        (N,) the permutation that sorts them.
    """
    order = _by_digit(ids.astype(np.uint16), order)
    if len(ids) and ids.max() > np.iinfo(np.uint16).max:
        order = _by_digit((ids >> ids.dtype.type(16)).astype(np.uint16), order)
    return order


def _by_digit(digit: npt.NDArray[np.uint16], order: Ids | None) -> Ids:
    if order is None:
        return np.argsort(digit, kind="stable")
    return order[np.argsort(digit[order], kind="stable")]
