"""Run-length codes: round trips, and every way to break the code."""

import hypothesis.extra.numpy as arrays
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given

from cellbench.errors import LabelMapError
from cellbench.labels import decode_runs, encode_runs

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)


@given(mask=arrays.arrays(bool, SHAPES))
def test_runs_round_trip(mask: npt.NDArray[np.bool_]) -> None:
    pixels = decode_runs(encode_runs(mask), mask.shape)
    np.testing.assert_array_equal(pixels, np.flatnonzero(mask))


@pytest.mark.parametrize(
    "runs",
    [
        pytest.param("1", id="no pair"),
        pytest.param("1 2 3", id="no last pair"),
        pytest.param("a 1", id="letters"),
        pytest.param("-1 2", id="negative"),
        pytest.param("1.0 2", id="fraction"),
        pytest.param("² 2", id="digit that is no number"),
        pytest.param("0 2", id="starts count from 1"),
        pytest.param("1 0", id="no length"),
        pytest.param("5 1 1 1", id="unsorted"),
        pytest.param("1 3 3 1", id="overlap"),
        pytest.param("12 2", id="beyond the image"),
        pytest.param("9223372036854775807 5", id="beyond 64 bits when summed"),
        pytest.param("99999999999999999999 1", id="beyond 64 bits"),
    ],
)
def test_runs_that_break_the_code(runs: str) -> None:
    with pytest.raises(LabelMapError, match="run-length code"):
        decode_runs(runs, (3, 4))


def test_runs_at_the_edges() -> None:
    assert decode_runs("", (3, 4)).tolist() == []
    assert decode_runs("1 2 3 1", (3, 4)).tolist() == [0, 1, 2]
    assert decode_runs("1 12", (3, 4)).tolist() == list(range(12))
