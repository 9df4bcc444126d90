"""challengeR's own answers: values to 1e-12, ranks exactly."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellbench.errors import ScoresError
from cellbench.ranking import case_ranks, rank_algorithms, wilcoxon_pairs
from cellbench.ranking.adjustment import adjust_p_values

OUTPUTS = Path(__file__).parents[1] / "golden" / "ranking" / "outputs"
SCHEMES = {
    "aggThenRank_mean": "mean-then-rank",
    "aggThenRank_median": "median-then-rank",
    "rankThenAgg_mean": "rank-then-mean",
    "rankThenAgg_median": "rank-then-median",
    "testThenRank_none": "test-then-rank",
    "testThenRank_holm": "test-then-rank",
}
FIVE = {
    "meanThenRank": "mean-then-rank",
    "medianThenRank": "median-then-rank",
    "rankThenMean": "rank-then-mean",
    "rankThenMedian": "rank-then-median",
    "testBased": "test-then-rank",
}
Reader = Callable[..., pd.DataFrame]


def names(what: str) -> list[str]:
    """List the outputs of a kind; not those with R's ties "first", which are no ties of ours."""
    found = (path.name.split(".csv")[0] for path in OUTPUTS.glob(f"*__{what}*.csv*"))
    return sorted(name for name in found if not name.endswith("_first"))


def split(name: str) -> tuple[str, str, dict[str, object]]:
    """Take an output's name apart: the input, what was asked, and the options."""
    source, _, asked = name.rpartition("__")
    options: dict[str, object] = {"higher_is_better": "time" not in name}
    if asked.endswith("_na0"):
        asked, options["missing"] = asked.removesuffix("_na0"), 0.0
    elif asked.endswith("_nanarm") or ("d6" in name and asked.endswith("_max")):
        # With ties "max" challengeR leaves missing values without a rank.
        asked, options["missing"] = asked.removesuffix("_nanarm"), "drop"
    return source, asked, options


def splits_a_tie(name: str) -> bool:
    """Return whether challengeR's rank is float noise: medians 0.3 and (0.2 + 0.4) / 2 are equal."""
    return "d6" in name and "aggThenRank_median" in name and name.endswith("_nanarm")


@pytest.mark.parametrize("name", names("caseRanks"))
def test_ranks_of_cases(name: str, table: Reader, answer: Reader) -> None:
    source, asked, options = split(name)
    ranks = case_ranks(table(source), ties=asked.removeprefix("caseRanks_"), **options)
    pd.testing.assert_frame_equal(
        ranks, answer(name), check_names=False, check_dtype=False, rtol=0, atol=0
    )


AGGREGATED = [name for kind in SCHEMES for name in names(kind)]


@pytest.mark.parametrize("name", AGGREGATED)
def test_schemes(name: str, table: Reader, answer: Reader) -> None:
    source, asked, options = split(name)
    kind, _, ties = asked.rpartition("_")
    adjust = "holm" if kind.endswith("holm") else "none"
    ranking = rank_algorithms(table(source), SCHEMES[kind], ties=ties, adjust=adjust, **options)
    expected = answer(name)
    np.testing.assert_allclose(ranking["value"], expected["aggregate"], rtol=0, atol=1e-12)
    assert ranking.index.tolist() == expected.index.tolist()
    if splits_a_tie(name):
        assert ranking["rank"].tolist() != expected["rank"].tolist()
    else:
        assert ranking["rank"].tolist() == expected["rank"].tolist()


@pytest.mark.parametrize("name", names("fiveSchemes"))
def test_five_schemes(name: str, table: Reader, answer: Reader) -> None:
    source, _, options = split(name)
    expected = answer(name)
    for column, scheme in FIVE.items():
        ranks = rank_algorithms(table(source), scheme, **options)["rank"]
        if options.get("missing") == "drop" and scheme == "median-then-rank":
            continue  # float noise, see splits_a_tie
        assert ranks.tolist() == expected[column].tolist(), scheme


@pytest.mark.parametrize(("ties", "shared"), [("min", 4), ("average", 4.5), ("max", 5)])
def test_float_noise_breaks_no_tie(ties: str, shared: float, table: Reader) -> None:
    values = table("d6_ties_and_missing")
    ranking = rank_algorithms(
        values, "median-then-rank", higher_is_better=True, ties=ties, missing="drop"
    )
    assert ranking["rank"].tolist() == [1, 2, shared, shared, 3]


@pytest.mark.parametrize("name", names("wilcoxon_pairs"))
def test_paired_tests(name: str, table: Reader, answer: Reader) -> None:
    source, _, options = split(name)
    values = table(source)
    if "missing" in options:
        values = values.fillna(options["missing"]) if options["missing"] == 0 else values
    tests = wilcoxon_pairs(values, higher_is_better=options["higher_is_better"])
    tests = tests.set_index(["better", "worse"]).sort_index()
    expected = answer(name, ["better", "worse"]).sort_index()
    assert tests.index.tolist() == expected.index.tolist()
    for ours, theirs in {"pairs": "n_pairs", "nonzero": "n_nonzero"}.items():
        assert tests[ours].tolist() == expected[theirs].tolist()
    different = expected["n_nonzero"] > 0
    statistic = tests["statistic"] if options["higher_is_better"] else turned(tests)
    assert statistic[different].tolist() == expected["W"][different].tolist()
    np.testing.assert_allclose(tests["p"], expected["p_value"], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(tests["p_holm"], expected["p_holm"], rtol=1e-10, atol=1e-12)
    for method in ("bonferroni", "BH"):
        adjusted = adjust_p_values(tests["p"].to_numpy(), method)
        np.testing.assert_allclose(adjusted, expected[f"p_{method}"], rtol=1e-10, atol=1e-12)


def turned(tests: pd.DataFrame) -> pd.Series:
    """Return R's statistic where smaller is better: the rank sum of the cases with a larger first."""
    return tests["nonzero"] * (tests["nonzero"] + 1) / 2 - tests["statistic"]


@pytest.mark.parametrize("adjust", ["bonferroni", "BH"])
@pytest.mark.parametrize("name", names("wilcoxon_pairs"))
def test_adjusted_shares(name: str, adjust: str, table: Reader, answer: Reader) -> None:
    source, _, options = split(name)
    options.setdefault("missing", "drop")
    ranking = rank_algorithms(table(source), "test-then-rank", adjust=adjust, **options)
    tests = answer(name, "better")
    beaten = (tests[f"p_{adjust}"] <= 0.05).groupby("better").sum() / (len(ranking) - 1)
    assert ranking["value"].tolist() == beaten[ranking.index].tolist()


@pytest.mark.parametrize("name", names("decision"))
def test_significance_map(name: str, table: Reader, answer: Reader) -> None:
    source, asked, options = split(name)
    values = table(source)
    values = values.fillna(0.0) if options.get("missing") == 0 else values
    tests = wilcoxon_pairs(values, higher_is_better=options["higher_is_better"])
    p = tests["p_holm" if "holm" in asked else "p"]
    expected = answer(name)
    found = [int(expected.loc[row.better, row.worse]) for row in tests.itertuples()]
    assert (p <= 0.05).astype(int).tolist() == found


FIRST = [path.name.removesuffix(".csv") for path in sorted(OUTPUTS.glob("*_first.csv"))]


@pytest.mark.parametrize("name", FIRST)
def test_ties_first_lie_within_ours(name: str, table: Reader, answer: Reader) -> None:
    """R's ties "first" rank equal values in the order of the rows: between our min and max."""
    source, asked, options = split(name)
    kind = asked.removesuffix("_first")
    low, high = (
        case_ranks(table(source), ties=ties, **options)
        if kind == "caseRanks"
        else rank_algorithms(
            table(source),
            SCHEMES[kind],
            ties=ties,
            adjust="holm" if kind.endswith("holm") else "none",
            **options,
        )
        for ties in ("min", "max")
    )
    expected = answer(name).rename(columns={"aggregate": "value"})
    assert (low <= expected + 1e-12).all(axis=None)
    assert (expected <= high + 1e-12).all(axis=None)


REFUSED = [path.name.removesuffix(".error.txt") for path in sorted(OUTPUTS.glob("d6*.error.txt"))]


@pytest.mark.parametrize("name", [name for name in REFUSED if "decision" not in name])
def test_both_refuse_missing_values(name: str, table: Reader) -> None:
    """ChallengeR's significance map wants them dropped or replaced too; ours drops them by pair."""
    source, _, asked = name.rpartition("__")
    kind, _, ties = asked.rpartition("_")
    with pytest.raises(ScoresError, match="missing"):
        rank_algorithms(table(source), SCHEMES[kind], higher_is_better=True, ties=ties)


def test_every_answer_is_compared() -> None:
    compared = {*names("caseRanks"), *AGGREGATED, *names("fiveSchemes"), *FIRST, *REFUSED}
    compared |= {*names("wilcoxon_pairs"), *names("decision")}
    left = {path.name.split(".csv")[0].split(".error")[0] for path in OUTPUTS.iterdir()} - compared
    assert all("__boot" in name for name in left)  # in test_challenger_bootstrap.py
