"""The tables of a board that are one statistic each, for every metric, below each other."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cellbench.boards.leaderboard import whole_numbers
from cellbench.boards.measured import Measured
from cellbench.boards.ranked import CHALLENGE, Ranked, score_under
from cellbench.ranking.cases import case_ranks
from cellbench.ranking.clusters import clusters
from cellbench.ranking.schemes import SCHEMES, rank_algorithms
from cellbench.ranking.sensitivity import sensitivity
from cellbench.ranking.significance import wilcoxon_pairs

_BY_METRIC = ("metric",)
_BY_SCHEME = ("metric", "scheme")


def make_values(measured: Measured) -> pd.DataFrame:
    """Give what was ranked, in full precision."""
    names = ("algorithm", "image", "modality", "status", measured.value)
    return measured.rows[[*names, "runtime_s", "rank_runtime_s"]]


def make_ranks(ranked: Ranked) -> pd.DataFrame:
    """Rank the algorithms on each image: algorithm, image, metric, rank."""
    parts = {}
    for name, (table, higher) in ranked.metrics.items():
        ranks = case_ranks(
            table,
            higher_is_better=higher,
            ties=ranked.options.ties,
            missing=ranked.measured.missing,
        )
        named = ranks.rename_axis(index="image", columns="algorithm").T.stack()
        parts[name] = pd.DataFrame({"rank": named}).reset_index()
    return _stack(parts, _BY_METRIC)[["algorithm", "image", "metric", "rank"]]


def make_schemes(ranked: Ranked) -> pd.DataFrame:
    """Rank under each of the five schemes: metric, scheme, algorithm, value, rank."""
    ties, missing = ranked.options.ties, ranked.measured.missing
    parts = {
        (name, scheme): rank_algorithms(
            table, scheme, higher_is_better=higher, ties=ties, missing=missing
        )
        for name, (table, higher) in ranked.metrics.items()
        for scheme in SCHEMES
    }
    for scheme in SCHEMES:
        together = score_under(ranked.measured, ranked.options, scheme)
        parts[CHALLENGE, scheme] = together[["mean_rank", "rank"]].set_axis(
            ["value", "rank"], axis=1
        )
    named = {key: part.rename_axis("algorithm").reset_index() for key, part in parts.items()}
    return _stack(named, _BY_SCHEME)[["metric", "scheme", "algorithm", "value", "rank"]]


def make_significance(ranked: Ranked) -> pd.DataFrame:
    """Test who is better than whom on each metric."""
    parts = {
        name: wilcoxon_pairs(table, higher_is_better=higher).drop(columns="nonzero")
        for name, (table, higher) in ranked.metrics.items()
    }
    tests = _stack(parts, _BY_METRIC)
    return tests.assign(significant=tests["p_holm"] <= ranked.options.alpha)


def make_clusters(ranked: Ranked, tests: pd.DataFrame) -> pd.DataFrame:
    """Group neighbours in the ranking that do not differ significantly: metric, cluster, algorithm."""
    parts = {
        name: clusters(
            ranked.draws[name].full["rank"],
            tests[tests["metric"] == name],
            alpha=ranked.options.alpha,
        )
        for name in ranked.metrics
    }
    return _stack(parts, _BY_METRIC)


def make_frequencies(ranked: Ranked) -> pd.DataFrame:
    """Say how often each algorithm had each rank: metric, scheme, algorithm, rank, frequency."""
    return _by_scheme(ranked, {name: draw.frequencies() for name, draw in ranked.draws.items()})


def make_taus(ranked: Ranked) -> pd.DataFrame:
    """Say how the ranking of each sample agrees with the full one: metric, scheme, sample, tau."""
    taus = {
        name: draw.tau.rename_axis("sample").reset_index() for name, draw in ranked.draws.items()
    }
    return _by_scheme(ranked, taus)


def make_outranking(ranked: Ranked) -> pd.DataFrame:
    """Say how often one algorithm outranks another: metric, scheme, better, worse, probability, tied."""
    return _by_scheme(ranked, {name: draw.outranking() for name, draw in ranked.draws.items()})


def make_sensitivity(ranked: Ranked) -> pd.DataFrame:
    """Rank under every other tie method, scheme, weight and tolerance; see ``sensitivity``."""
    measured, options = ranked.measured, ranked.options
    table = sensitivity(
        measured.values,
        measured.times,
        ties=options.ties,
        scheme=options.scheme,
        weights=options.weights,
        decimals=None,
        higher_is_better=measured.higher_is_better,
        tolerances=measured.tolerances(),
        missing=measured.missing,
    )
    return table.assign(**{name: whole_numbers(table[name]) for name in ("rank", "places")})


def _by_scheme(ranked: Ranked, parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    return _stack({(name, ranked.options.scheme): part for name, part in parts.items()}, _BY_SCHEME)


def _stack(parts: Mapping[Any, pd.DataFrame], names: tuple[str, ...]) -> pd.DataFrame:
    """Put tables below each other; what tells them apart becomes the first columns."""
    stacked: pd.DataFrame = pd.concat(parts, names=list(names)).reset_index(level=list(names))
    stacked = stacked.reset_index(drop=True)
    return stacked.assign(rank=whole_numbers(stacked["rank"])) if "rank" in stacked else stacked
