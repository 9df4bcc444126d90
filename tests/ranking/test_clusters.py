"""Groups: two algorithms are together if and only if they do not differ significantly."""

from itertools import combinations

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
def test_two_share_a_letter_if_and_only_if_they_do_not_differ(
    order: list[str], apart: set[frozenset[str]], ties: int
) -> None:
    ranking = pd.Series(np.maximum(range(1, 7), ties), index=order)
    table = clusters(ranking, outcome_of(NAMES, apart))
    best_first = sorted(order, key=lambda name: (ranking[name], name))
    groups = [group["algorithm"].tolist() for _, group in table.groupby("cluster")]
    for first, second in combinations(NAMES, 2):
        shared = any({first, second} <= set(group) for group in groups)
        assert shared != (frozenset((first, second)) in apart)
    assert set().union(*groups) == set(NAMES)
    for group in groups:
        assert group == sorted(group, key=best_first.index)
        for other in set(NAMES) - set(group):  # nobody else could join
            assert any(frozenset((other, member)) in apart for member in group)
    assert list(table["cluster"].unique()) == list(range(1, len(groups) + 1))
    places = [[best_first.index(name) for name in group] for group in groups]
    assert places == sorted(places)


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), min_size=6, max_size=6))
def test_groups_are_runs_where_whoever_lies_between_two_alike_is_alike(reach: list[int]) -> None:
    ends = np.maximum.accumulate([max(place, end) for place, end in enumerate(reach)])
    apart = {
        frozenset((NAMES[first], NAMES[second]))
        for first, second in combinations(range(6), 2)
        if second > ends[first]
    }
    table = clusters(pd.Series(range(6), index=NAMES), outcome_of(NAMES, apart))
    found = ["".join(group["algorithm"]) for _, group in table.groupby("cluster")]
    runs = ["".join(NAMES[start : ends[start] + 1]) for start in range(6)]
    assert found == [
        run for place, run in enumerate(runs) if not place or run[-1] > runs[place - 1][-1]
    ]


def test_many_separate_differences_need_few_groups() -> None:
    """Every maximal group of 30 algorithms in 15 pairs that differ would be one of 32,768."""
    names = [f"{number:02}" for number in range(30)]
    apart = {frozenset(names[place : place + 2]) for place in range(0, 30, 2)}
    table = clusters(pd.Series(range(30), index=names), outcome_of(names, apart))
    assert table["cluster"].nunique() <= 30 * 29 / 2
    assert (table.groupby("cluster").size() == 15).all()


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
