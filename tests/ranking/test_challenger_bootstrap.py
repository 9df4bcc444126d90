"""challengeR's bootstrap replayed on its own draws: with its defects, and without."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellbench.ranking import Bootstrap, bootstrap

OUTPUTS = Path(__file__).parents[1] / "golden" / "ranking" / "outputs"
SCHEMES = {
    "meanThenRank": {"scheme": "mean-then-rank"},
    "medianThenRank": {"scheme": "median-then-rank"},
    "rankThenMean": {"scheme": "rank-then-mean"},
    "rankThenMean_average": {"scheme": "rank-then-mean", "ties": "average"},
    "rankThenMedian": {"scheme": "rank-then-median"},
    "testThenRank_none": {"scheme": "test-then-rank"},
    "testThenRank_holm": {"scheme": "test-then-rank", "adjust": "holm"},
}
Reader = Callable[..., pd.DataFrame]


def draws(kind: str) -> list[str]:
    """List the inputs and schemes of a kind of output, such as ``d2__rankThenMean``."""
    paths = OUTPUTS.glob(f"*__{kind}_*_ranks.csv*")
    return sorted(p.name.split("_ranks.csv")[0].replace(f"{kind}_", "") for p in paths)


def replay(name: str, table: Reader, answer: Reader, **options: object) -> Bootstrap:
    source, _, scheme = name.rpartition("__")
    values, counts = table(source), answer(f"{source}__boot_{scheme}_counts")
    assert counts.columns.tolist() == values.index.tolist()
    return bootstrap(
        values,
        **SCHEMES[scheme],
        higher_is_better="time" not in name,
        counts=counts.to_numpy(),
        **options,
    )


def assert_replayed(result: Bootstrap, name: str, kind: str, answer: Reader) -> None:
    source, _, scheme = name.rpartition("__")
    expected = {
        what: answer(f"{source}__{kind}_{scheme}_{what}") for what in ("ranks", "aggregates", "tau")
    }
    assert result.ranks.columns.tolist() == expected["ranks"].columns.tolist()
    np.testing.assert_array_equal(result.ranks, expected["ranks"])
    np.testing.assert_allclose(result.values, expected["aggregates"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(result.tau, expected["tau"]["kendall_tau"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", draws("boot"))
def test_challengers_own_figures(name: str, table: Reader, answer: Reader) -> None:
    result = replay(name, table, answer, compatibility="challengeR")
    assert_replayed(result, name, "boot", answer)


@pytest.mark.parametrize("name", draws("bootuid"))
def test_correct_figures(name: str, table: Reader, answer: Reader) -> None:
    assert_replayed(replay(name, table, answer), name, "bootuid", answer)


@pytest.mark.parametrize("name", [name for name in draws("boot") if "__m" in name])
def test_mean_and_median_are_correct_in_challenger(
    name: str, table: Reader, answer: Reader
) -> None:
    assert_replayed(replay(name, table, answer), name, "boot", answer)


@pytest.mark.parametrize("name", draws("boot"))
def test_summaries(name: str, table: Reader, answer: Reader) -> None:
    result = replay(name, table, answer, compatibility="challengeR")
    source, _, scheme = name.rpartition("__")
    expected = answer(f"{source}__boot_{scheme}_summary")
    shares = result.frequencies().query("rank == 1").set_index("algorithm")["frequency"]
    found = result.rank_intervals().assign(
        full_rank=result.full["rank"],
        median=result.ranks.median(),
        mean=result.ranks.mean(),
        share_first=shares,
    )
    found = found.rename(columns={"low": "q025", "high": "q975"}).fillna({"share_first": 0.0})
    np.testing.assert_allclose(found[expected.columns], expected, rtol=0, atol=1e-12)
    tau = result.tau
    of_tau = [tau.mean(), tau.median(), tau.quantile(0.25), tau.quantile(0.75), tau.isna().sum()]
    expected = answer(f"{source}__boot_{scheme}_tau_summary")["value"]
    assert expected.index.tolist() == ["mean", "median", "q25", "q75", "n_na"]
    np.testing.assert_allclose(of_tau, expected.astype(float), rtol=0, atol=1e-12)


def test_one_case_is_drawn_always(table: Reader) -> None:
    """ChallengeR refuses to draw from one case; every draw is the table itself."""
    assert (OUTPUTS / "d1_1case_5teams__boot.error.txt").exists()
    result = bootstrap(
        table("d1_1case_5teams"),
        "rank-then-mean",
        higher_is_better=True,
        samples=3,
        rng=np.random.default_rng(0),
    )
    assert (result.ranks == result.full["rank"]).all(axis=None)
    np.testing.assert_allclose(result.tau, 1.0)


def test_every_bootstrap_is_compared() -> None:
    compared = {
        f"{source}__{kind}_{scheme}_{what}"
        for kind, whats in {
            "boot": ["counts", "ranks", "aggregates", "tau", "summary", "tau_summary"],
            "bootuid": ["ranks", "aggregates", "tau"],
        }.items()
        for source, _, scheme in (name.rpartition("__") for name in draws(kind))
        for what in whats
    }
    assert compared == {path.name.split(".csv")[0] for path in OUTPUTS.glob("*__boot*.csv*")}
