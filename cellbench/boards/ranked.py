"""The one computation behind all tables of a board: the ranking, its draws and their bootstrap."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from cellbench.boards.measured import Measured
from cellbench.ranking.challenge import bootstrap_challenge, challenge_score
from cellbench.ranking.options import Options
from cellbench.ranking.resampling import Bootstrap, bootstrap, draw_counts
from cellbench.ranking.schemes import Scheme

CHALLENGE = "challenge"
"""The metric's name of the ranking on all metrics together, which decides the leaderboard."""
RUNTIME = "rank_runtime"


class Metric(NamedTuple):
    """A table to rank: index images, columns algorithms."""

    table: pd.DataFrame
    higher_is_better: bool


@dataclass(frozen=True)
class Ranked:
    """What the tables of a board are made from.

    Attributes:
        measured: what is ranked.
        options: how.
        metrics: by name; the value first, then the running time where every algorithm has it.
        score: as :func:`cellbench.ranking.challenge_score` gives it.
        draws: the bootstrap of each metric and of ``CHALLENGE``, on the same draws.
        mean: of the value on each draw, for its interval.
        median: likewise.
    """

    measured: Measured
    options: Options
    metrics: dict[str, Metric]
    score: pd.DataFrame
    draws: dict[str, Bootstrap]
    mean: Bootstrap
    median: Bootstrap

    def best_first(self) -> list[str]:
        """List the algorithms as the leaderboard does; equal ranks by name."""
        named = self.score.rename_axis("algorithm").reset_index()
        return list(named.sort_values(["rank", "algorithm"])["algorithm"])


def rank_measured(measured: Measured, options: Options) -> Ranked:
    """Rank on each metric and on all together, and again on drawn images."""
    metrics = {measured.value: Metric(measured.values, measured.higher_is_better)}
    if measured.times is not None:
        metrics[RUNTIME] = Metric(measured.times, False)
    rng = np.random.default_rng(options.seed)
    counts = draw_counts(len(measured.values), options.bootstrap, rng)

    def draw(metric: Metric, scheme: Scheme) -> Bootstrap:
        table, higher = metric
        return bootstrap(
            table,
            scheme,
            higher_is_better=higher,
            counts=counts,
            ties=options.ties,
            missing=measured.missing,
        )

    draws = {name: draw(metric, options.scheme) for name, metric in metrics.items()}
    draws[CHALLENGE] = bootstrap_challenge(
        measured.values,
        measured.times,
        counts=counts,
        ties=options.ties,
        scheme=options.scheme,
        weights=options.weights,
        decimals=None,  # rounded already, for all metrics and tests alike
        higher_is_better=measured.higher_is_better,
        missing=measured.missing,
    )
    score = score_under(measured, options, options.scheme)
    shown = Metric(measured.filled, measured.higher_is_better)
    mean, median = draw(shown, "mean-then-rank"), draw(shown, "median-then-rank")
    return Ranked(measured, options, metrics, score, draws, mean, median)


def score_under(measured: Measured, options: Options, scheme: Scheme) -> pd.DataFrame:
    """Rank on all metrics together, under any scheme."""
    return challenge_score(
        measured.values,
        measured.times,
        ties=options.ties,
        scheme=scheme,
        weights=options.weights,
        decimals=None,
        higher_is_better=measured.higher_is_better,
        missing=measured.missing,
    )
