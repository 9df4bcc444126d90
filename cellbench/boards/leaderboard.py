"""leaderboard.csv: one row per algorithm, best first."""

import numpy as np
import pandas as pd

from cellbench.boards.measured import Measured
from cellbench.boards.ranked import Ranked
from cellbench.boards.schema import TABLES, MetricName
from cellbench.evaluation.statuses import Status
from cellbench.ranking.challenge import never_timed
from cellbench.ranking.resampling import percentile_intervals


@np.errstate(invalid="ignore")  # quantiles between infinitely bad values
def make_leaderboard(ranked: Ranked) -> pd.DataFrame:
    """Return leaderboard.csv: the ranking and a summary of what was ranked.

    Args:
        ranked: the ranking.

    Returns:
        Best first, equal ranks by name. Intervals are 95 % bootstrap percentiles; quartiles and
        means of the value are over all images, with failures as F1 0 or infinitely bad (an infinite
        result stays empty), the median runtime is over images that did not fail,
        ``within_tolerance``, ``failed`` and ``images`` count images.
    """
    measured, value = ranked.measured, ranked.measured.value
    names = [f"{value}_q1", f"median_{value}", f"{value}_q3"]
    quartiles = measured.filled.quantile([0.25, 0.5, 0.75]).T.set_axis(names, axis=1)
    ranks = ranked.draws[MetricName.CHALLENGE].rank_intervals().add_prefix("rank_")
    means = percentile_intervals(ranked.mean.values).add_prefix(f"mean_{value}_")
    table = ranked.score.rename(columns={"mean_rank_f1": f"mean_rank_{value}"})
    table = table.join([ranks, quartiles, means]).loc[ranked.best_first()]
    mean = {f"mean_{value}": ranked.mean.full["value"]}
    table = table.assign(**mean, images=len(measured.values), **_runs(measured))
    table = table.replace([np.inf, -np.inf], np.nan).rename_axis("algorithm").reset_index()
    whole = {name: whole_numbers(table[name]) for name in ("rank", "rank_low", "rank_high")}
    return table.assign(**whole)[TABLES["leaderboard"].names(value)]


def whole_numbers(ranks: pd.Series) -> pd.Series:
    """Make ranks integers, so that a CSV says 1 and not 1.0, unless a tie method led to half ranks.

    Args:
        ranks: the ranks; NaN where there is none.

    Returns:
        The ranks, as integers where all are whole.
    """
    if (ranks.dropna() % 1 != 0).any():
        return ranks
    return ranks.astype("Int64" if ranks.isna().any() else "int64")


def _runs(measured: Measured) -> dict[str, pd.Series]:
    rows = measured.rows
    ok = rows[rows["status"] == Status.OK]
    times = measured.table("rank_runtime_s")
    return {
        "median_runtime_s": ok.groupby("algorithm")["runtime_s"].median(),
        "within_tolerance": (times == 0).sum().astype("Int64").mask(never_timed(times)),
        "failed": (measured.table("status") != Status.OK).sum(),
    }
