"""The compiled count of pairs: one pass over the pixels, one hash table."""

from typing import Any

import numpy as np
import numpy.typing as npt

from cellbench.compiling import compiled
from cellbench.evaluation.pairs import FRAME_BIT, ID_BITS

_NONE, _ONE = np.uint64(0), np.uint64(1)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: Fibonacci hashing


@compiled
def add_rows(
    truth: npt.NDArray[Any],
    prediction: npt.NDArray[Any],
    window: tuple[int, int, int, int, int, int],
    table: npt.NDArray[np.uint64],
    used: int,
) -> tuple[npt.NDArray[np.uint64], int]:
    """Add the pixels of some rows to the table of pairs; background on background is left out.

    Args:
        truth: (rows, W) uint16 or uint32.
        prediction: the same shape and type.
        window: what to count, see :class:`cellbench.evaluation.pairs.Window`.
        table: (slots, 2) of key (true id in the upper, predicted id in the lower 32 bits; 0 is a free
            slot) and pixels, with bit ``FRAME_BIT`` set where one of them lies on the frame; slots is a
            power of two.
        used: slots in use.

    Returns:
        The table, or a larger one that took its place, and the slots in use.
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
        for column in range(width):  # without a branch: where runs end cannot be foreseen
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
    """Add pixels to a key and mark it, or not; say whether it took a new slot."""
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
    """Move everything into a table of at least so many slots."""
    slots = table.shape[0]
    while slots < least:
        slots *= 2
    larger = np.zeros((slots, 2), np.uint64)
    for slot in range(table.shape[0]):
        if table[slot, 0] != 0:
            _add(larger, table[slot, 0], table[slot, 1], _NONE)
    return larger
