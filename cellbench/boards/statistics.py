"""The tables of a board that are one statistic each, for every metric, below each other."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from cellbench.boards.leaderboard import whole_numbers
from cellbench.boards.measured import Measured
from cellbench.boards.ranked import Ranked
from cellbench.boards.schema import TABLES, MetricName
from cellbench.ranking.cases import case_ranks
from cellbench.ranking.challenge import combined_ranks, score_table
from cellbench.ranking.clusters import clusters
from cellbench.ranking.options import SCHEMES
from cellbench.ranking.schemes import rank_table
from cellbench.ranking.sensitivity import try_alternatives
from cellbench.ranking.significance import wilcoxon_pairs

# Plain text, since it becomes cells of the column `metric`.
_CHALLENGE = MetricName.CHALLENGE.value
_BY_METRIC = ("metric",)
_BY_SCHEME = ("metric", "scheme")


def make_values(measured: Measured) -> pd.DataFrame:
    """Return values.csv: what was ranked, in full precision.

    Args:
        measured: what was ranked.
    """
    return measured.rows[TABLES["values"].names(measured.value)]


def make_ranks(ranked: Ranked) -> pd.DataFrame:
    """Return ranks.csv: the rank of each algorithm on each image.

    Args:
        ranked: the ranking.
    """
    parts = {}
    for name, (table, how) in ranked.metrics.items():
        ranks = case_ranks(
            table, higher_is_better=how.higher_is_better, ties=how.ties, missing=how.missing
        )
        named = ranks.rename_axis(index="image", columns="algorithm").T.stack()
        parts[name] = pd.DataFrame({"rank": named}).reset_index()
    return _stack(parts, _BY_METRIC)[TABLES["ranks"].names()]


def make_schemes(ranked: Ranked) -> pd.DataFrame:
    """Return schemes.csv: the ranking under each of the five schemes.

    Args:
        ranked: the ranking.
    """
    measured = ranked.measured
    parts = {
        (name, scheme.value): rank_table(table, replace(how, scheme=scheme))
        for name, (table, how) in ranked.metrics.items()
        for scheme in SCHEMES
    }
    for scheme in SCHEMES:
        how = replace(ranked.options, scheme=scheme)
        together = score_table(measured.values, measured.times, how)
        parts[_CHALLENGE, scheme.value] = together[["mean_rank", "rank"]].set_axis(
            ["value", "rank"], axis=1
        )
    named = {key: part.rename_axis("algorithm").reset_index() for key, part in parts.items()}
    return _stack(named, _BY_SCHEME)[TABLES["schemes"].names()]


def make_significance(ranked: Ranked) -> pd.DataFrame:
    """Return significance.csv: the paired tests on each metric.

    Where running times are ranked, the combined ranks are tested too, as the metric ``challenge``:
    for each image the (weighted) mean of the ranks on value and time, whose mean over the images
    decides the leaderboard. Images are independent of each other, and under the null hypothesis two
    algorithms swap their combined ranks freely, which is what the signed rank test assumes; so it is
    as sound as on the values. It says what a test on F1 alone cannot: whether the lead on the
    leaderboard is more than chance.

    Args:
        ranked: the ranking.
    """
    tables = {name: (table, how.higher_is_better) for name, (table, how) in ranked.metrics.items()}
    measured = ranked.measured
    if measured.times is not None:
        combined = combined_ranks(measured.values, measured.times, ranked.options)
        tables[_CHALLENGE] = combined, False
    parts = {
        name: wilcoxon_pairs(table, higher_is_better=higher).drop(columns="nonzero")
        for name, (table, higher) in tables.items()
    }
    tests = _stack(parts, _BY_METRIC)
    tests = tests.assign(significant=tests["p_holm"] <= ranked.alpha)
    return tests[TABLES["significance"].names()]


def make_clusters(ranked: Ranked, tests: pd.DataFrame) -> pd.DataFrame:
    """Return clusters.csv: who does not differ significantly, for each metric that is tested.

    Args:
        ranked: the ranking.
        tests: significance.csv.
    """
    tested = [*ranked.metrics, *([_CHALLENGE] if ranked.measured.times is not None else [])]
    parts = {
        name: clusters(
            ranked.draws[name].full["rank"], tests[tests["metric"] == name], alpha=ranked.alpha
        )
        for name in tested
    }
    return _stack(parts, _BY_METRIC)[TABLES["clusters"].names()]


def make_frequencies(ranked: Ranked) -> pd.DataFrame:
    """Return bootstrap.csv: how often each algorithm had each rank.

    Args:
        ranked: the ranking.
    """
    parts = {name: draw.frequencies() for name, draw in ranked.draws.items()}
    return _by_scheme(ranked, parts)[TABLES["bootstrap"].names()]


def make_taus(ranked: Ranked) -> pd.DataFrame:
    """Return kendall_tau.csv: how the ranking of each sample agrees with the full one.

    Args:
        ranked: the ranking.
    """
    taus = {
        name: draw.tau.rename_axis("sample").reset_index() for name, draw in ranked.draws.items()
    }
    return _by_scheme(ranked, taus)[TABLES["kendall_tau"].names()]


def make_outranking(ranked: Ranked) -> pd.DataFrame:
    """Return outranking.csv: how often one algorithm outranks another.

    Args:
        ranked: the ranking.
    """
    parts = {name: draw.outranking() for name, draw in ranked.draws.items()}
    return _by_scheme(ranked, parts)[TABLES["outranking"].names()]


def make_sensitivity(ranked: Ranked) -> pd.DataFrame:
    """Return sensitivity.csv: the ranking under every other tie method, scheme, weight and tolerance.

    Args:
        ranked: the ranking.
    """
    measured = ranked.measured
    tolerances = measured.tolerances() or {}
    table = try_alternatives(measured.values, measured.times, ranked.options, tolerances)
    table = table.assign(**{name: whole_numbers(table[name]) for name in ("rank", "places")})
    return table[TABLES["sensitivity"].names()]


def _by_scheme(ranked: Ranked, parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    scheme = ranked.options.scheme.value
    return _stack({(name, scheme): part for name, part in parts.items()}, _BY_SCHEME)


def _stack(parts: Mapping[Any, pd.DataFrame], names: tuple[str, ...]) -> pd.DataFrame:
    """Put tables below each other; their keys become the first columns."""
    stacked: pd.DataFrame = pd.concat(parts, names=list(names)).reset_index(level=list(names))
    stacked = stacked.reset_index(drop=True)
    return stacked.assign(rank=whole_numbers(stacked["rank"])) if "rank" in stacked else stacked
