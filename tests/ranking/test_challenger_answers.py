"""challengeR's own answers: values to 1e-12, ranks exactly."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellbench.errors import ScoresError
from cellbench.ranking import bootstrap, case_ranks, rank_algorithms, wilcoxon_pairs

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
BOOTSTRAPS = {name: scheme for name, scheme in FIVE.items() if scheme != "test-then-rank"} | {
    "testThenRank_none": "test-then-rank",
    "testThenRank_holm": "test-then-rank",
}
Reader = Callable[..., pd.DataFrame]


def names(what: str) -> list[str]:
    return sorted(path.name.split(".csv")[0] for path in OUTPUTS.glob(f"*__{what}*"))


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
    """Say whether challengeR's rank is float noise: medians 0.3 and (0.2 + 0.4) / 2 are equal."""
    return "d6" in name and "aggThenRank_median" in name and name.endswith("_nanarm")


@pytest.mark.parametrize("name", names("caseRanks"))
def test_ranks_of_cases(name: str, table: Reader, answer: Reader) -> None:
    source, asked, options = split(name)
    ranks = case_ranks(table(source), ties=asked.removeprefix("caseRanks_"), **options)
    pd.testing.assert_frame_equal(
        ranks, answer(name), check_names=False, check_dtype=False, rtol=0, atol=0
    )


AGGREGATED = [name for kind in SCHEMES for name in names(kind)]


@pytest.mark.parametrize("name", [name for name in AGGREGATED if not splits_a_tie(name)])
def test_schemes(name: str, table: Reader, answer: Reader) -> None:
    source, asked, options = split(name)
    kind, _, ties = asked.rpartition("_")
    adjust = "holm" if kind.endswith("holm") else "none"
    ranking = rank_algorithms(table(source), SCHEMES[kind], ties=ties, adjust=adjust, **options)
    expected = answer(name)
    np.testing.assert_allclose(ranking["value"], expected["aggregate"], rtol=0, atol=1e-12)
    assert ranking["rank"].tolist() == expected["rank"].tolist()
    assert ranking.index.tolist() == expected.index.tolist()


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


def turned(tests: pd.DataFrame) -> pd.Series:
    """Give R's statistic where smaller is better: the rank sum of the cases with a larger first."""
    return tests["nonzero"] * (tests["nonzero"] + 1) / 2 - tests["statistic"]


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


def replays() -> list[tuple[str, str]]:
    """List (draws, correct answer): what challengeR does right, and what was ranked anew."""
    right = {name.removesuffix("_ranks") for name in names("boot*_ranks") if "boot_m" in name}
    anew = {name.removesuffix("_ranks") for name in names("bootuid*_ranks")}
    return sorted((name.replace("bootuid", "boot"), name) for name in right | anew)


@pytest.mark.parametrize(("draw", "name"), replays())
def test_bootstrap_replays_given_draws(draw: str, name: str, table: Reader, answer: Reader) -> None:
    source, _, asked = name.rpartition("__")
    kind = asked.partition("_")[2]
    ties = "average" if kind.endswith("_average") else "min"
    scheme = BOOTSTRAPS[kind.removesuffix("_average")]
    adjust = "holm" if kind.endswith("holm") else "none"
    counts = answer(f"{draw}_counts")
    values = table(source)
    assert counts.columns.tolist() == values.index.tolist()
    result = bootstrap(
        values,
        scheme,
        higher_is_better="time" not in name,
        counts=counts.to_numpy(),
        ties=ties,
        adjust=adjust,
    )
    np.testing.assert_array_equal(result.ranks, answer(f"{name}_ranks"))
    np.testing.assert_allclose(result.values, answer(f"{name}_aggregates"), rtol=0, atol=1e-12)
    tau = answer(f"{name}_tau")["kendall_tau"]
    np.testing.assert_allclose(result.tau, tau, rtol=0, atol=1e-12)


@pytest.mark.parametrize("scheme", ["mean-then-rank", "median-then-rank", "test-then-rank"])
def test_missing_values_have_no_worst_value(scheme: str, table: Reader) -> None:
    with pytest.raises(ScoresError, match="missing"):
        rank_algorithms(table("d6_ties_and_missing"), scheme, higher_is_better=True)
