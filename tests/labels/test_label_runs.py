"""Run-length codes: round trips, every way to break the code, all cells in one pass."""

import hypothesis.extra.numpy as arrays
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_maps import blocky_maps

from cellbench.errors import LabelMapError
from cellbench.labels import (
    LabelMap,
    cell_ids,
    count_cells,
    decode_runs,
    encode_cells,
    encode_runs,
    parse_runs,
)

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)
few_ids = arrays.arrays("i8", SHAPES, elements=st.sampled_from([0, 0, 1, 2, 300, 2**40]))


@given(mask=arrays.arrays(bool, SHAPES))
def test_runs_round_trip(mask: npt.NDArray[np.bool_]) -> None:
    pixels = decode_runs(encode_runs(mask), mask.shape)
    np.testing.assert_array_equal(pixels, np.flatnonzero(mask))


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        pytest.param("1", "expected pairs", id="no pair"),
        pytest.param("1 2 3", "expected pairs", id="no last pair"),
        pytest.param("a 1", "expected pairs", id="letters"),
        pytest.param("-1 2", "expected pairs", id="negative"),
        pytest.param("1.0 2", "expected pairs", id="fraction"),
        pytest.param("1_0 2", "expected pairs", id="Python's own digits"),
        pytest.param("² 2", "expected pairs", id="digit that is no number"),
        pytest.param("9" * 5000 + " 2", "expected pairs", id="more digits than int takes"),
        pytest.param("0 2", "starts and lengths must be at least 1", id="starts count from 1"),
        pytest.param("1 0", "starts and lengths must be at least 1", id="no length"),
        pytest.param("5 1 1 1", "the runs are not sorted", id="unsorted"),
        pytest.param("1 3 3 1", "the runs overlap at pixel 3", id="overlap"),
        pytest.param("2 1 2 1", "the runs overlap at pixel 2", id="twice"),
        pytest.param(
            "12 2", "ends at pixel 13, outside the image of 3 × 4 px", id="beyond the image"
        ),
        pytest.param(f"{2**63 - 1} 5", "expected pairs", id="beyond 64 bits when summed"),
        pytest.param("99999999999999999999 1", "expected pairs", id="beyond 64 bits"),
    ],
)
def test_runs_that_break_the_code(runs: str, message: str) -> None:
    with pytest.raises(LabelMapError, match=f"^run-length code: {message}"):
        decode_runs(runs, (3, 4))


def test_runs_at_the_edges() -> None:
    assert decode_runs("", (3, 4)).tolist() == []
    assert decode_runs("1 2 3 1", (3, 4)).tolist() == [0, 1, 2]
    assert decode_runs("1 12", (3, 4)).tolist() == list(range(12))
    starts, ends = parse_runs("2 2\n 6 \t1 ", (2, 3))
    assert (starts.tolist(), ends.tolist()) == ([1, 5], [3, 6])


@given(labels=blocky_maps() | few_ids)
def test_all_cells_at_once_as_one_by_one(labels: LabelMap) -> None:
    codes = dict(encode_cells(labels))
    assert list(codes) == cell_ids(labels).tolist()
    for cell, runs in codes.items():
        assert runs == encode_runs(labels == cell)
        assert (decode_runs(runs, labels.shape) == np.flatnonzero(labels == cell)).all()


def test_a_cell_in_parts_and_across_rows() -> None:
    labels = np.array([[0, 5, 5], [5, 0, 2], [2, 0, 5]], np.uint8)
    assert list(encode_cells(labels)) == [(2, "6 2"), (5, "2 3 9 1")]
    counts = [tuple(cell) for cell in count_cells(labels)]
    assert counts == [
        (2, [2, 1, 4, 1, 1], 2, [0, 1, 3, 2]),
        (5, [1, 1, 1, 1, 2, 1, 1, 1], 4, [0, 0, 3, 3]),
    ]
    assert (
        list(encode_cells(np.zeros((3, 3), int))) == list(count_cells(np.zeros((3, 3), int))) == []
    )


# pycocotools is not yet used to NumPy 2's copy keyword.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@given(labels=blocky_maps() | few_ids)
def test_counts_as_pycocotools_reads_them(labels: LabelMap) -> None:
    masks = pytest.importorskip("pycocotools.mask")
    cells = list(count_cells(labels))
    assert [cell.id for cell in cells] == cell_ids(labels).tolist()
    for cell in cells:
        code = masks.frPyObjects({"size": list(labels.shape), "counts": cell.counts}, *labels.shape)
        mask = masks.encode(np.asfortranarray(labels == cell.id, np.uint8))
        assert code == mask
        assert cell.area == masks.area(mask)
        assert cell.box == masks.toBbox(mask).tolist()
        assert sum(cell.counts[1::2]) == cell.area
