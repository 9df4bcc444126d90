"""Tables with hardly anything to rank: a defined answer from every function, or one clear error."""

import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from cellbench.errors import ScoresError
from cellbench.ranking import (
    SCHEMES,
    TIES,
    bootstrap,
    bootstrap_challenge,
    case_ranks,
    challenge_score,
    clusters,
    consensus,
    rank_algorithms,
    sensitivity,
    wilcoxon_pairs,
)

FAILED, MISSING = -np.inf, np.nan

ONE_WINNER = {
    "one case": {"a": [0.9], "b": [0.5], "c": [0.5]},
    "one failed everywhere": {"a": [0.9, 0.8], "b": [FAILED, FAILED]},
    "one missing everywhere": {"a": [0.9, 0.8], "b": [MISSING, MISSING]},
    "a case missing for everyone": {"a": [0.9, MISSING], "b": [0.5, MISSING]},
    "a case failed for everyone": {"a": [0.9, FAILED], "b": [0.5, FAILED]},
}
ALL_TIED = {
    "one algorithm, one case": {"a": [0.5]},
    "one algorithm": {"a": [0.5, 0.1, 0.3]},
    "one algorithm, failed": {"a": [FAILED, FAILED]},
    "one algorithm, missing": {"a": [MISSING]},
    "all equal": {"a": [0.5, 0.1], "b": [0.5, 0.1], "c": [0.5, 0.1]},
    "all zero": {"a": [0.0, 0.0], "b": [0.0, 0.0]},
    "all failed": {"a": [FAILED, FAILED], "b": [FAILED, FAILED]},
    "all missing": {"a": [MISSING, MISSING], "b": [MISSING, MISSING]},
    "each best once": {"a": [0.9, 0.1], "b": [0.1, 0.9]},
}
NOTHING = {"nothing": {}, "no case": {"a": [], "b": []}}
TABLES = {name: pd.DataFrame(table) for name, table in (ONE_WINNER | ALL_TIED).items()}


@pytest.fixture(autouse=True)
def _no_warning() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", TABLES)
def test_ranks(name: str, scheme: str) -> None:
    table = TABLES[name]
    ranking = rank_algorithms(table, scheme, higher_is_better=True, missing="drop")
    mean_of_failures = name == "a case failed for everyone" and scheme == "mean-then-rank"
    if name in ALL_TIED or scheme == "test-then-rank" or mean_of_failures:
        assert (ranking["rank"] == 1).all()  # so few cases are never significant
    elif name == "a case failed for everyone":
        assert ranking["rank"].tolist() in ([1, 2], [1, 1])  # the median fails, or the ranks decide
    else:
        assert ranking["rank"].tolist() == [1, 2, 2][: table.shape[1]]
    if scheme.startswith("rank-"):
        worst = rank_algorithms(table, scheme, higher_is_better=True)
        assert worst["value"].notna().all()
    elif table.isna().any(axis=None):
        with pytest.raises(ScoresError, match=f"missing and {scheme} has no worst value"):
            rank_algorithms(table, scheme, higher_is_better=True)


@pytest.mark.parametrize("compatibility", [None, "challengeR"])
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", TABLES)
def test_bootstrap(name: str, scheme: str, compatibility: str | None) -> None:
    table = TABLES[name]
    drawn = bootstrap(
        table,
        scheme,
        higher_is_better=True,
        missing="drop",
        samples=8,
        rng=np.random.default_rng(0),
        compatibility=compatibility,
    )
    assert drawn.ranks.to_numpy().min() == 1
    assert drawn.ranks.notna().all(axis=None)
    assert drawn.tau.dropna().between(-1, 1).all()
    assert drawn.tau.isna().all() or (drawn.full["rank"] != 1).any()
    for intervals in (drawn.rank_intervals(), drawn.value_intervals().dropna()):
        assert (intervals["low"] <= intervals["high"]).all()
    assert drawn.frequencies().groupby("algorithm")["frequency"].sum().tolist() == pytest.approx(
        [1.0] * table.shape[1]
    )
    assert len(drawn.outranking()) == table.shape[1] * (table.shape[1] - 1)


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("name", TABLES)
def test_scores(name: str, timed: bool, ties: str) -> None:
    f1 = TABLES[name]
    times = 1 - f1 if timed else None
    scores = challenge_score(f1, times, ties=ties)
    assert scores.drop(columns="mean_rank_runtime").notna().all(axis=None)
    if name in ALL_TIED:
        shared = {"average": (f1.shape[1] + 1) / 2, "max": f1.shape[1]}.get(ties, 1)
        assert (scores["rank"] == shared).all()
    drawn = bootstrap_challenge(f1, times, ties=ties, samples=4, rng=np.random.default_rng(0))
    assert drawn.ranks.notna().all(axis=None)


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("name", TABLES)
def test_sensitivity(name: str, timed: bool) -> None:
    f1 = TABLES[name]
    times = 1 - f1 if timed else None
    if f1.isna().any(axis=None):
        with pytest.raises(ScoresError, match="missing"):
            sensitivity(f1, times)
    table = sensitivity(f1, times, missing="drop")
    assert table.notna().all(axis=None)
    assert set(table.loc[table["choice"] == "min", "places"]) == {0}


@pytest.mark.parametrize("name", TABLES)
def test_tests_and_clusters(name: str) -> None:
    table = TABLES[name]
    tests = wilcoxon_pairs(table, higher_is_better=True)
    assert len(tests) == table.shape[1] * (table.shape[1] - 1)
    assert tests["p_holm"].between(0.05, 1, inclusive="right").all()
    ranking = rank_algorithms(table, "rank-then-mean", higher_is_better=True)["rank"]
    grouped = clusters(ranking, tests)
    assert grouped["cluster"].tolist() == [1] * table.shape[1]
    assert grouped["algorithm"].tolist() == list(table.columns)


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("name", TABLES)
def test_case_ranks(name: str, ties: str) -> None:
    table = TABLES[name]
    ranks = case_ranks(table, higher_is_better=True, ties=ties)
    assert ranks.to_numpy().min() >= 1
    assert ranks.to_numpy().max() <= table.shape[1]
    dropped = case_ranks(table, higher_is_better=True, ties=ties, missing="drop")
    assert dropped.isna().equals(table.isna())


def test_consensus_of_one_board_is_the_board() -> None:
    ranks = pd.DataFrame({"a": [1.0], "b": [2.0], "c": [2.0]}, index=["only"])
    assert consensus(ranks)["rank"].tolist() == [1, 2, 2]
    assert consensus(ranks[["b"]])["rank"].tolist() == [1]


@pytest.mark.parametrize("name", NOTHING)
def test_nothing_to_rank(name: str) -> None:
    table = pd.DataFrame(NOTHING[name])
    rng = np.random.default_rng(0)
    calls = [
        lambda: case_ranks(table, higher_is_better=True),
        lambda: wilcoxon_pairs(table, higher_is_better=True),
        lambda: challenge_score(table, None),
        lambda: challenge_score(table, table),
        lambda: bootstrap_challenge(table, None, rng=rng),
        lambda: bootstrap_challenge(table, table, rng=rng),
        lambda: sensitivity(table, None),
        lambda: consensus(table),
        *(lambda s=s: rank_algorithms(table, s, higher_is_better=True) for s in SCHEMES),
        *(lambda s=s: bootstrap(table, s, higher_is_better=True, rng=rng) for s in SCHEMES),
    ]
    for call in calls:
        with pytest.raises(ScoresError, match=r"needs \w+ and algorithms"):
            call()


@pytest.mark.parametrize("scheme", ["mean-then-rank", "median-then-rank"])
def test_a_perfect_time_is_no_negative_zero(scheme: str) -> None:
    values = rank_algorithms(pd.DataFrame({"a": [0.0, 0.0]}), scheme, higher_is_better=False)
    assert not np.signbit(values["value"]).any()
