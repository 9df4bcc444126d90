"""The one computation behind all tables of a board: the ranking, its draws and their bootstrap."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from cellbench.boards.measured import Measured
from cellbench.boards.schema import MetricName
from cellbench.choices import Scheme
from cellbench.ranking.challenge import bootstrap_score, score_table
from cellbench.ranking.options import Options
from cellbench.ranking.resampling import Bootstrap, bootstrap_table, draw_counts


class Metric(NamedTuple):
    """A table to rank (index images, columns algorithms), and how to rank it."""

    table: pd.DataFrame
    options: Options


@dataclass(frozen=True)
class Ranked:
    """What the tables of a board are made from.

    Attributes:
        measured: what is ranked.
        options: how the value is ranked, and value and time together.
        alpha: largest p value, after Holm's adjustment, that counts as significant.
        metrics: by name; the value first, then the running time where every algorithm has it.
        score: as [`cellbench.ranking.challenge_score`][] returns it.
        draws: the bootstrap of each metric and of ``challenge``, on the same draws.
        mean: of the value on each draw, for its interval.
        median: of the value on each draw, for its interval.
    """

    measured: Measured
    options: Options
    alpha: float
    metrics: dict[str, Metric]
    score: pd.DataFrame
    draws: dict[str, Bootstrap]
    mean: Bootstrap
    median: Bootstrap

    def best_first(self) -> list[str]:
        """Return the algorithms in the order of the leaderboard; equal ranks by name."""
        named = self.score.rename_axis("algorithm").reset_index()
        return list(named.sort_values(["rank", "algorithm"])["algorithm"])


def rank_measured(measured: Measured, options: Options) -> Ranked:
    """Rank on each metric and on all together, and again on drawn images.

    Args:
        measured: what is ranked.
        options: how. The direction and what a missing value is come from ``measured``. The scheme
            ``test-then-rank`` counts unadjusted tests with p ≤ 0.05, as challengeR does, whatever
            ``alpha`` is: that one is for the board's own tests after Holm's adjustment.

    Returns:
        The rankings.

    Raises:
        ScoresError: if the table cannot be ranked.
    """
    own = replace(
        options,
        higher_is_better=measured.higher_is_better,
        missing=measured.missing,
        alpha=Options().alpha,
    )
    metrics = {measured.value: Metric(measured.values, own)}
    if measured.times is not None:
        runtime = replace(own, higher_is_better=False)
        metrics[MetricName.RANK_RUNTIME.value] = Metric(measured.times, runtime)
    rng = np.random.default_rng(options.seed)
    counts = draw_counts(len(measured.values), options.bootstrap, rng)

    draws = {name: bootstrap_table(table, counts, how) for name, (table, how) in metrics.items()}
    draws[MetricName.CHALLENGE.value] = bootstrap_score(
        measured.values, measured.times, counts, own
    )
    mean, median = (
        bootstrap_table(measured.filled, counts, replace(own, scheme=scheme))
        for scheme in (Scheme.MEAN_THEN_RANK, Scheme.MEDIAN_THEN_RANK)
    )
    score = score_table(measured.values, measured.times, own)
    return Ranked(measured, own, options.alpha, metrics, score, draws, mean, median)
