"""The compiled counter of pairs of ids: one pass over the pixels, one hash table."""

from typing import Any

import numpy as np
import numpy.typing as npt

from cellbench.compiling import compiled
from cellbench.evaluation.pairs import Band, Pairs, Window

ID_BITS = np.uint64(32)
"""A key of the table holds the true id above so many bits, and the predicted id below."""

FRAME_BIT = np.uint64(63)
"""The bit of a pixel count that says that one of the pixels lies on the frame."""

_ON_FRAME = np.uint64(1) << FRAME_BIT
_ID_MASK = np.uint64(2**32 - 1)
_FIRST_SLOTS = 1 << 12
_NONE, _ONE = np.uint64(0), np.uint64(1)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: Fibonacci hashing


class CompiledCounter:
    """Counts in a hash table: its memory does not grow with the number of pixels."""

    def __init__(self) -> None:
        self._table = np.zeros((_FIRST_SLOTS, 2), np.uint64)
        self._used = 0

    def add(self, truth: Band, prediction: Band, window: Window) -> None:
        """Count the pixels of one band.

        Args:
            truth: (rows, W) uint16 or uint32.
            prediction: same shape and type as ``truth``.
            window: which columns to count, and where the frame is.
        """
        bands = _read_only(truth), _read_only(prediction)
        self._table, self._used = add_rows(*bands, tuple(window), self._table, self._used)

    def total(self) -> Pairs:
        """Return the sum over all bands."""
        keys, pixels = self._table.compress(self._table[:, 0], axis=0).T
        columns = (keys >> ID_BITS, keys & _ID_MASK, pixels & ~_ON_FRAME)
        true_ids, predicted_ids, areas = (column.view(np.int64) for column in columns)
        return Pairs(true_ids, predicted_ids, areas, pixels >= _ON_FRAME)


def _read_only(band: Band) -> Band:
    """Return a read-only view: maps from files are read-only, and each kind is compiled separately."""
    view = np.ascontiguousarray(band).view()
    view.flags.writeable = False
    return view


@compiled
def add_rows(
    truth: npt.NDArray[Any],
    prediction: npt.NDArray[Any],
    window: tuple[int, int, int, int, int, int],
    table: npt.NDArray[np.uint64],
    used: int,
) -> tuple[npt.NDArray[np.uint64], int]:
    """Add the pixels of some rows to the table of pairs; background on background is not counted.

    Args:
        truth: (rows, W) uint16 or uint32.
        prediction: same shape and type as ``truth``.
        window: what to count, see [`cellbench.evaluation.pairs.Window`][].
        table: (slots, 2) hash table of keys and pixel counts. A key has the true id in the upper and the
            predicted id in the lower 32 bits; key 0 is a free slot. Bit ``FRAME_BIT`` of a pixel count is
            set if one of the pixels lies on the frame. The number of slots is a power of two.
        used: number of slots in use.

    Returns:
        The table, or a larger one that replaces it, and the number of slots in use.
    """
    left, right, inner_top, inner_bottom, inner_left, inner_right = window
    width = right - left
    first, last = np.uint64(max(inner_left - left, 0)), np.uint64(max(inner_right - left, 0))
    changed = np.zeros(width, np.uint8)
    ends = np.empty(width + 1, np.uint64)
    for row in range(truth.shape[0]):
        if 4 * (used + width) > 3 * table.shape[0]:  # a row cannot fill what is left
            table = _grown(table, 2 * (used + width))
        outside = not inner_top <= row < inner_bottom
        true, predicted = truth[row, left:right], prediction[row, left:right]
        true_next, predicted_next = true[1:], predicted[1:]
        for column in range(width - 1):
            changed[column] = (true_next[column] != true[column]) | (
                predicted_next[column] != predicted[column]
            )
        runs = _NONE
        for column in range(width):  # without a branch: the processor cannot predict where runs end
            ends[runs] = column + 1
            runs += changed[column]
        ends[runs] = width
        start = _NONE
        for run in range(runs + _ONE):
            key = (np.uint64(true[start]) << ID_BITS) | np.uint64(predicted[start])
            on_frame = outside | (start < first) | (ends[run] > last)
            used += _add(table, key, ends[run] - start, np.uint64(on_frame) << FRAME_BIT)
            start = ends[run]
    return table, used


@compiled
def _add(table: npt.NDArray[np.uint64], key: np.uint64, pixels: np.uint64, mark: np.uint64) -> int:
    """Add pixels and the frame mark to a key; return the number of new slots, 0 or 1."""
    if key == 0:
        return 0
    mask = np.uint64(table.shape[0] - 1)
    slot = ((key * _SPREAD) >> ID_BITS) & mask
    while table[slot, 0] != key:
        if table[slot, 0] == 0:
            table[slot, 0] = key
            table[slot, 1] = pixels | mark
            return 1
        slot = (slot + _ONE) & mask
    table[slot, 1] = (table[slot, 1] + pixels) | mark
    return 0


@compiled
def _grown(table: npt.NDArray[np.uint64], least: int) -> npt.NDArray[np.uint64]:
    """Return a copy of the table with at least ``least`` slots."""
    slots = table.shape[0]
    while slots < least:
        slots *= 2
    larger = np.zeros((slots, 2), np.uint64)
    for slot in range(table.shape[0]):
        if table[slot, 0] != 0:
            _add(larger, table[slot, 0], table[slot, 1], _NONE)
    return larger
