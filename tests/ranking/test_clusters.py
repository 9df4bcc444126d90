"""Clusters: nobody is left out, nobody told apart is together."""

from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellbench.errors import ScoresError
from cellbench.ranking import clusters, rank_algorithms, wilcoxon_pairs

NAMES = list("abcdef")


def outcome_of(algorithms: list[str], apart: set[frozenset[str]]) -> pd.DataFrame:
    rows = [
        (better, worse, 0.01 if frozenset((better, worse)) in apart and better < worse else 0.9)
        for better in algorithms
        for worse in algorithms
        if better != worse
    ]
    return pd.DataFrame(rows, columns=["better", "worse", "p_holm"])


pairs = st.sampled_from([frozenset(pair) for pair in combinations(NAMES, 2)])


@settings(deadline=None)
@given(st.permutations(NAMES), st.sets(pairs), st.integers(0, 3))
def test_clusters_are_the_longest_runs(
    order: list[str], apart: set[frozenset[str]], ties: int
) -> None:
    ranking = pd.Series(np.maximum(range(1, 7), ties), index=order)
    table = clusters(ranking, outcome_of(NAMES, apart))
    best_first = sorted(order, key=lambda name: (ranking[name], name))
    groups = [group["algorithm"].tolist() for _, group in table.groupby("cluster")]
    assert list(table["cluster"].unique()) == list(range(1, len(groups) + 1))
    assert set().union(*groups) == set(NAMES)
    spans = [(best_first.index(group[0]), best_first.index(group[-1]) + 1) for group in groups]
    assert spans == sorted(spans)
    for group, (start, end) in zip(groups, spans, strict=True):
        assert group == best_first[start:end]
        assert not any(frozenset(pair) in apart for pair in combinations(group, 2))
        for longer in (best_first[max(start - 1, 0) : end], best_first[start : end + 1]):
            told = any(frozenset(pair) in apart for pair in combinations(longer, 2))
            assert told or longer == group
    assert all(before[1] < after[1] for before, after in pairwise(spans))


def test_a_board_parts_into_the_good_and_the_bad() -> None:
    rng = np.random.default_rng(0)
    skill = {"good": 0.9, "as good": 0.9, "bad": 0.2, "as bad": 0.2}
    values = pd.DataFrame({name: mean + rng.normal(0, 0.05, 60) for name, mean in skill.items()})
    ranking = rank_algorithms(values, "rank-then-mean", higher_is_better=True)["rank"]
    table = clusters(ranking, wilcoxon_pairs(values, higher_is_better=True))
    groups = [set(group["algorithm"]) for _, group in table.groupby("cluster")]
    assert groups == [{"good", "as good"}, {"bad", "as bad"}]


RANKING = pd.Series({"a": 1.0, "b": 2.0})
TESTS = outcome_of(["a", "b"], set())


@pytest.mark.parametrize(
    ("ranking", "tests", "message"),
    [
        (RANKING, TESTS.iloc[:1], "every ordered pair"),
        (RANKING, pd.concat([TESTS, TESTS]), "every ordered pair"),
        (RANKING.replace(2.0, np.nan), TESTS, "one rank"),
        (pd.concat([RANKING, RANKING]), TESTS, "one rank"),
        (pd.Series({"a": 1.0, "z": 2.0}), TESTS, "every ordered pair"),
    ],
)
def test_what_does_not_fit(ranking: pd.Series, tests: pd.DataFrame, message: str) -> None:
    with pytest.raises(ScoresError, match=message):
        clusters(ranking, tests)
