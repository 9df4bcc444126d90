"""Counting overlaps: the two counters agree, however the maps are cut into bands and tiles."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_maps import pairs

from cellbench.errors import InvalidLabelsError, LabelMapError
from cellbench.evaluation.compiled import CompiledCounter
from cellbench.evaluation.overlap import Overlaps, count_overlaps
from cellbench.evaluation.pairs import NumpyCounter, Pairs, Window
from cellbench.labels import LabelMap, remove_frame_cells
from cellbench.labels.banded import BandedLabels, in_bands


def foreground(pairs: Pairs) -> list[tuple[int, ...]]:
    """List what was counted; only one of the counters counts background on background."""
    rows = zip(*(column.tolist() for column in pairs), strict=True)
    return sorted(row for row in rows if any(row[:2]))


def brute_force(
    truth: LabelMap, prediction: LabelMap, inside: npt.NDArray[np.bool_]
) -> list[tuple[int, ...]]:
    stacked = np.stack([truth.ravel(), prediction.ravel()]).astype(np.int64)
    (true_ids, predicted_ids), place, pixels = np.unique(
        stacked, axis=1, return_inverse=True, return_counts=True
    )
    on_frame = np.isin(np.arange(len(pixels)), place.ravel()[~inside.ravel()])
    return foreground(Pairs(true_ids, predicted_ids, pixels, on_frame))


@pytest.mark.parametrize("counter", [NumpyCounter, CompiledCounter])
@pytest.mark.parametrize("dtype", [np.uint16, np.uint32])
@given(
    pair=pairs(),
    cut=st.integers(0, 18),
    left=st.integers(0, 9),
    inner=st.tuples(*[st.integers(-3, 21)] * 4),
)
def test_counters_equal_brute_force(
    counter: type[NumpyCounter | CompiledCounter],
    dtype: npt.DTypeLike,
    pair: tuple[LabelMap, LabelMap],
    cut: int,
    left: int,
    inner: tuple[int, int, int, int],
) -> None:
    truth, prediction = (labels.astype(dtype) for labels in pair)
    height, width = truth.shape
    left = min(left, width - 1)
    top, bottom, first, last = inner
    book = counter()
    for begin, end in ((0, min(cut, height)), (cut, height)):
        if begin < end:
            window = Window(left, width, top - begin, bottom - begin, first, last)
            book.add(truth[begin:end], prediction[begin:end], window)
    rows, columns = np.mgrid[:height, left:width]
    inside = (top <= rows) & (rows < bottom) & (first <= columns) & (columns < last)
    assert foreground(book.total()) == brute_force(truth[:, left:], prediction[:, left:], inside)


@pytest.mark.parametrize("shape", [(300, 1), (1, 300), (200, 333)])
@pytest.mark.parametrize("largest", [2, 2**32 - 1])
def test_counters_agree_on_noise(shape: tuple[int, int], largest: int) -> None:
    rng = np.random.default_rng(0)
    truth, prediction = (
        rng.integers(0, largest, shape, np.uint32, endpoint=True) for _ in range(2)
    )
    counters = NumpyCounter(), CompiledCounter()
    window = Window(0, shape[1], 0, shape[0], 0, shape[1])
    for counter in counters:
        counter.add(truth, prediction, window)
    expected = brute_force(truth, prediction, np.ones(shape, np.bool_))
    assert [foreground(counter.total()) for counter in counters] == [expected] * 2


def in_bands_of(labels: LabelMap, height: int) -> BandedLabels:
    def bands(rows: int | None = None) -> Iterator[LabelMap]:
        for top in range(0, len(labels), rows or height):
            yield labels[top : top + (rows or height)]

    return BandedLabels("cut", labels.shape, labels.dtype, bands)


def as_lists(parts: list[Overlaps]) -> list[list[object]]:
    return [[np.asarray(value).tolist() for value in vars(part).values()] for part in parts]


@given(
    pair=pairs(),
    true_rows=st.integers(1, 20),
    predicted_rows=st.integers(1, 20),
    side=st.integers(1, 20),
    width=st.integers(0, 3),
)
def test_bands_and_tiles_do_not_change_the_counts(
    pair: tuple[LabelMap, LabelMap], true_rows: int, predicted_rows: int, side: int, width: int
) -> None:
    truth, prediction = pair
    banded = in_bands_of(truth, true_rows), in_bands_of(prediction, predicted_rows)
    tiles = as_lists(count_overlaps(*banded, width, (side, side)))
    filled = [np.pad(labels, [(0, -length % side) for length in labels.shape]) for labels in pair]
    expected = []
    for top in range(0, truth.shape[0], side):
        for left in range(0, truth.shape[1], side):
            tile = [labels[top : top + side, left : left + side] for labels in filled]
            expected += count_overlaps(*map(in_bands, tile), width)
    assert tiles == as_lists(expected)


@given(pair=pairs(), width=st.integers(0, 4))
def test_frame_cells_are_left_out_after_counting(
    pair: tuple[LabelMap, LabelMap], width: int
) -> None:
    (before,) = count_overlaps(*map(in_bands, pair), width)
    (after,) = count_overlaps(*(in_bands(remove_frame_cells(labels, width)) for labels in pair))
    assert as_lists([before])[0][:-1] == as_lists([after])[0][:-1]


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64])
@pytest.mark.parametrize("other", [np.uint8, np.uint32])
def test_negative_ids_are_found_in_any_type(dtype: npt.DTypeLike, other: npt.DTypeLike) -> None:
    labels = np.array([[0, 1, -2]], dtype)
    with pytest.raises(InvalidLabelsError, match=r"^mine: has .*negative id"):
        count_overlaps(in_bands(np.ones((1, 3), other)), in_bands(labels, "mine"))


def test_shapes_have_to_be_equal() -> None:
    with pytest.raises(
        LabelMapError, match=r"prediction has the shape \(3, 2\), but truth has \(2, 3\)"
    ):
        count_overlaps(in_bands(np.ones((2, 3), int)), in_bands(np.ones((3, 2), int)))
