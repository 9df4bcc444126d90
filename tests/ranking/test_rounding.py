"""Rounding before ranking: noise breaks no ties, and no number decides how another is rounded."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellbench.ranking import bootstrap, challenge_score, rank_algorithms
from cellbench.ranking.tables import rounded

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(finite, min_size=1, max_size=8))
def test_each_number_is_rounded_to_twelve_digits_of_its_own(numbers: list[float]) -> None:
    found = rounded(np.array(numbers))
    for number, alone in zip(numbers, found, strict=True):
        # Decimal halves are no binary numbers: either neighbour is right for them.
        step = 10.0 ** (np.floor(np.log10(abs(number))) - 11) if number else 0.0
        assert abs(alone - number) <= 0.5000001 * step + abs(number) * 1e-15
        assert float(f"{alone:.11e}") == pytest.approx(alone, rel=1e-15, abs=5e-324)
        assert rounded(np.array([number]))[0] == alone


@given(finite, finite)
def test_rounding_keeps_the_order(first: float, second: float) -> None:
    low, high = rounded(np.array(sorted([first, second])))
    assert low <= high


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0.1 + 0.2, 0.3),
        (9.9999999999999, 10.0),
        (-123456789.123456, -123456789.123),
        (1e13 + 1, 1e13),
        (1.5e300, 1.5e300),
        (5e-324, 5e-324),
        (0.0, 0.0),
        (np.inf, np.inf),
        (-np.inf, -np.inf),
    ],
)
def test_known_numbers(number: float, expected: float) -> None:
    assert rounded(np.array(number)) == expected


def test_a_missing_number_stays_missing() -> None:
    assert np.isnan(rounded(np.array([np.nan, 1.0])))[0]


@pytest.mark.parametrize("scheme", ["mean-then-rank", "median-then-rank", "rank-then-mean"])
def test_an_algorithm_that_diverged_ties_nobody_else(scheme: str) -> None:
    errors = pd.DataFrame({"a": [0.10, 0.12], "b": [0.11, 0.13], "diverged": [1e13, 2e13]})
    ranking = rank_algorithms(errors, scheme, higher_is_better=False)
    assert ranking["rank"].tolist() == [1, 2, 3]
    draws = bootstrap(errors, scheme, higher_is_better=False, counts=[[2, 0], [0, 2]])
    assert draws.ranks.to_numpy().tolist() == [[1, 2, 3]] * 2
    scores = challenge_score(errors, None, scheme=scheme, decimals=None, higher_is_better=False)
    assert scores["rank"].tolist() == [1, 2, 3]
