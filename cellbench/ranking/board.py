"""A board: every table that is made from the scores of all algorithms on one dataset."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from cellbench.errors import UsageError
from cellbench.ranking.cases import case_ranks
from cellbench.ranking.challenge import (
    F1_DECIMALS,
    bootstrap_challenge,
    challenge_score,
    known_runtimes,
    round_f1,
)
from cellbench.ranking.leaderboard import make_leaderboard, whole_numbers
from cellbench.ranking.resampling import bootstrap, draw_counts
from cellbench.ranking.schemes import SCHEMES, Scheme, rank_algorithms
from cellbench.ranking.scores import as_table
from cellbench.ranking.significance import wilcoxon_pairs
from cellbench.ranking.tables import Ties

ALPHA = 0.05
"""Largest p value after Holm's adjustment that significance.csv calls significant."""


@dataclass(frozen=True)
class Board:
    """The tables of a board; each field is the CSV of that name.

    Attributes:
        leaderboard: one row per algorithm, best first.
        ranks: algorithm, image, metric, rank.
        schemes: metric, scheme, algorithm, value, rank under each of the five schemes.
        significance: metric, better, worse, pairs, statistic, p, p_holm, significant.
        bootstrap: metric, scheme, algorithm, rank, frequency (share of the samples).
        kendall_tau: metric, scheme, sample, tau.
    """

    leaderboard: pd.DataFrame
    ranks: pd.DataFrame
    schemes: pd.DataFrame
    significance: pd.DataFrame
    bootstrap: pd.DataFrame
    kendall_tau: pd.DataFrame

    @property
    def ranked_on(self) -> list[str]:
        """Name the metrics that decide the leaderboard: f1, and rank_runtime where all have times."""
        return list(self.ranks["metric"].unique())


class _Metric(NamedTuple):
    table: pd.DataFrame
    higher_is_better: bool


def rank_board(
    scores: pd.DataFrame,
    *,
    ties: Ties = "min",
    scheme: Scheme = "rank-then-mean",
    samples: int = 1000,
    seed: int = 2022,
    decimals: int | None = F1_DECIMALS,
) -> Board:
    """Rank the algorithms of a table of scores.

    The metrics are ``f1``, ``rank_runtime`` where every algorithm has times, and ``challenge``,
    both together (:func:`cellbench.ranking.challenge_score`), which decides the leaderboard.

    Args:
        scores: as :func:`cellbench.ranking.read_scores` gives them.
        ties: see :func:`cellbench.ranking.case_ranks`.
        scheme: of the leaderboard and of the bootstrap.
        samples: how many bootstrap samples; all metrics share the draws.
        seed: of the draws.
        decimals: see :func:`cellbench.ranking.challenge_score`.

    Returns:
        The tables.

    Raises:
        ScoresError: if the scores cannot be ranked or an option is not known.
    """
    if seed < 0:
        raise UsageError(f"seed {seed}: must be 0 or more")
    # Rounded once, for the schemes and tests too.
    f1 = round_f1(as_table(scores, "f1"), decimals)
    times = known_runtimes(as_table(scores, "rank_runtime_s"))
    metrics = {"f1": _Metric(f1, True)}
    if times is not None:
        metrics["rank_runtime"] = _Metric(times, False)
    ranking = challenge_score(f1, times, ties=ties, scheme=scheme, decimals=None)
    counts = draw_counts(len(f1), samples, np.random.default_rng(seed))
    draws = {
        (name, scheme): bootstrap(table, scheme, higher_is_better=higher, counts=counts, ties=ties)
        for name, (table, higher) in metrics.items()
    }
    challenge = bootstrap_challenge(
        f1, times, ties=ties, scheme=scheme, counts=counts, decimals=None
    )
    draws["challenge", scheme] = challenge
    taus = {key: draw.tau.rename_axis("sample").reset_index() for key, draw in draws.items()}
    return Board(
        leaderboard=make_leaderboard(scores, ranking, challenge, counts),
        ranks=_ranks(metrics, ties),
        schemes=_schemes(metrics, f1, times, ties),
        significance=_significance(metrics),
        bootstrap=_stack({key: draw.frequencies() for key, draw in draws.items()}, _BY_SCHEME),
        kendall_tau=_stack(taus, _BY_SCHEME),
    )


_BY_METRIC = ("metric",)
_BY_SCHEME = ("metric", "scheme")


def _stack(parts: Mapping[Any, pd.DataFrame], names: tuple[str, ...]) -> pd.DataFrame:
    """Put tables below each other; what tells them apart becomes the first columns."""
    stacked: pd.DataFrame = pd.concat(parts, names=list(names)).reset_index(level=list(names))
    stacked = stacked.reset_index(drop=True)
    return stacked.assign(rank=whole_numbers(stacked["rank"])) if "rank" in stacked else stacked


def _ranks(metrics: Mapping[str, _Metric], ties: Ties) -> pd.DataFrame:
    parts = {}
    for name, (table, higher) in metrics.items():
        ranks = case_ranks(table, higher_is_better=higher, ties=ties)
        named = ranks.rename_axis(index="image", columns="algorithm").T.stack()
        parts[name] = pd.DataFrame({"rank": named}).reset_index()
    return _stack(parts, _BY_METRIC)[["algorithm", "image", "metric", "rank"]]


def _schemes(
    metrics: Mapping[str, _Metric],
    f1: pd.DataFrame,
    times: pd.DataFrame | None,
    ties: Ties,
) -> pd.DataFrame:
    parts = {
        (name, scheme): rank_algorithms(table, scheme, higher_is_better=higher, ties=ties)
        for name, (table, higher) in metrics.items()
        for scheme in SCHEMES
    }
    for scheme in SCHEMES:
        together = challenge_score(f1, times, ties=ties, scheme=scheme, decimals=None)
        parts["challenge", scheme] = together[["mean_rank", "rank"]].set_axis(
            ["value", "rank"], axis=1
        )
    named = {key: part.rename_axis("algorithm").reset_index() for key, part in parts.items()}
    return _stack(named, _BY_SCHEME)[["metric", "scheme", "algorithm", "value", "rank"]]


def _significance(metrics: Mapping[str, _Metric]) -> pd.DataFrame:
    parts = {
        name: wilcoxon_pairs(table, higher_is_better=higher).drop(columns="nonzero")
        for name, (table, higher) in metrics.items()
    }
    tests = _stack(parts, _BY_METRIC)
    return tests.assign(significant=tests["p_holm"] <= ALPHA)
