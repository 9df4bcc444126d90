"""leaderboard.csv: one row per algorithm, best first."""

import pandas as pd

from cellbench.ranking.challenge import never_timed
from cellbench.ranking.resampling import Bootstrap, percentile_intervals
from cellbench.ranking.scores import as_table
from cellbench.ranking.tables import Floats

COLUMNS = (
    *("rank", "algorithm", "score", "mean_rank", "mean_rank_f1", "mean_rank_runtime"),
    *("rank_low", "rank_high", "median_f1", "f1_q1", "f1_q3"),
    *("mean_f1", "mean_f1_low", "mean_f1_high"),
    *("median_runtime_s", "within_tolerance", "failed", "images"),
)


def make_leaderboard(
    scores: pd.DataFrame, ranking: pd.DataFrame, draws: Bootstrap, counts: Floats
) -> pd.DataFrame:
    """Put the ranking beside what it summarises.

    Args:
        scores: as :func:`cellbench.ranking.read_scores` gives them.
        ranking: as :func:`cellbench.ranking.challenge_score` gives it.
        draws: the bootstrap of ``ranking``.
        counts: (samples, images), the draws themselves, for the interval of the mean F1.

    Returns:
        ``COLUMNS``, best first, equal ranks by name. Intervals are 95 % bootstrap percentiles,
        quartiles and means of F1 are over all images with failures as 0, the median runtime is over
        images that did not fail, ``within_tolerance``, ``failed`` and ``images`` count images.
    """
    f1 = as_table(scores, "f1")
    ranks = draws.rank_intervals().add_prefix("rank_")
    means = pd.DataFrame(counts @ f1.to_numpy() / len(f1), columns=f1.columns)
    quartiles = f1.quantile([0.25, 0.5, 0.75]).T.set_axis(["f1_q1", "median_f1", "f1_q3"], axis=1)
    table = ranking.join([ranks, quartiles, percentile_intervals(means).add_prefix("mean_f1_")])
    table = table.assign(mean_f1=f1.mean(), images=len(f1), **_runs(scores))
    table = table.rename_axis("algorithm").reset_index().sort_values(["rank", "algorithm"])
    whole = {name: whole_numbers(table[name]) for name in ("rank", "rank_low", "rank_high")}
    return table.assign(**whole)[list(COLUMNS)].reset_index(drop=True)


def whole_numbers(ranks: pd.Series) -> pd.Series:
    """Make ranks integers, so that a CSV says 1 and not 1.0, unless a tie method gave half ranks."""
    return ranks.astype(int) if (ranks % 1 == 0).all() else ranks


def _runs(scores: pd.DataFrame) -> dict[str, pd.Series]:
    ok = scores[scores["status"] == "ok"]
    times = as_table(scores, "rank_runtime_s")
    return {
        "median_runtime_s": ok.groupby("algorithm")["runtime_s"].median(),
        "within_tolerance": (times == 0).sum().astype("Int64").mask(never_timed(times)),
        "failed": (as_table(scores, "status") != "ok").sum(),
    }
