"""Adjusted p values against scipy, and against the definitions that scipy has not."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.stats import false_discovery_control

from cellbench.ranking.adjustment import ADJUSTMENTS, adjust_p_values

Floats = npt.NDArray[np.float64]
short = settings(max_examples=60, deadline=None)
p_values = arrays(
    float,
    array_shapes(max_dims=2, max_side=7),
    elements=st.one_of(st.floats(0, 1), st.sampled_from([0, 0.01, 0.05, 1])),
)


@short
@given(p_values, st.sampled_from(["BH", "BY"]))
def test_false_discovery_rate_is_scipys(p: Floats, method: str) -> None:
    expected = false_discovery_control(p, axis=-1, method=method.lower())
    np.testing.assert_allclose(adjust_p_values(p, method), expected, rtol=1e-12, atol=1e-300)


@short
@given(p_values)
def test_holm_and_hochberg_by_definition(p: Floats) -> None:
    for row, holm, hochberg in zip(
        np.atleast_2d(p),
        np.atleast_2d(adjust_p_values(p, "holm")),
        np.atleast_2d(adjust_p_values(p, "hochberg")),
        strict=True,
    ):
        order = np.argsort(row, kind="stable")
        scaled = [(len(row) - place) * row[test] for place, test in enumerate(order)]
        down = [min(1, max(scaled[: place + 1])) for place in range(len(row))]
        up = [min(1, min(scaled[place:])) for place in range(len(row))]
        np.testing.assert_allclose(holm[order], down, rtol=1e-12)
        np.testing.assert_allclose(hochberg[order], up, rtol=1e-12)


@short
@given(p_values, st.sampled_from(ADJUSTMENTS))
def test_adjusting_never_helps_and_keeps_the_order(p: Floats, method: str) -> None:
    adjusted = adjust_p_values(p, method)
    assert (adjusted >= p * (1 - 1e-12)).all()
    assert (adjusted <= 1).all()
    for row, found in zip(np.atleast_2d(p), np.atleast_2d(adjusted), strict=True):
        assert (np.diff(found[np.argsort(row, kind="stable")]) >= 0).all()


@pytest.mark.parametrize("method", ADJUSTMENTS)
def test_one_test_or_none_needs_no_adjusting(method: str) -> None:
    assert adjust_p_values(np.array([0.04]), method).tolist() == [0.04]
    assert adjust_p_values(np.array([]), method).tolist() == []
