"""leaderboard.csv: one row per algorithm, best first."""

import numpy as np
import pandas as pd

from cellbench.boards.measured import Measured
from cellbench.boards.ranked import CHALLENGE, Ranked
from cellbench.ranking.challenge import never_timed
from cellbench.ranking.resampling import percentile_intervals


def leaderboard_columns(value: str) -> list[str]:
    """Name the columns of the leaderboard of a value."""
    return [
        *("rank", "algorithm", "score", "mean_rank", f"mean_rank_{value}", "mean_rank_runtime"),
        *("rank_low", "rank_high", f"median_{value}", f"{value}_q1", f"{value}_q3"),
        *(f"mean_{value}", f"mean_{value}_low", f"mean_{value}_high"),
        *("median_runtime_s", "within_tolerance", "failed", "images"),
    ]


@np.errstate(invalid="ignore")  # quantiles between infinitely bad values
def make_leaderboard(ranked: Ranked) -> pd.DataFrame:
    """Put the ranking beside what it summarises.

    Returns:
        Best first, equal ranks by name. Intervals are 95 % bootstrap percentiles, quartiles and
        means of the value are over all images, with failures as F1 0 or infinitely bad (an infinite
        result stays empty), the median runtime is over images that did not fail,
        ``within_tolerance``, ``failed`` and ``images`` count images.
    """
    measured, value = ranked.measured, ranked.measured.value
    names = [f"{value}_q1", f"median_{value}", f"{value}_q3"]
    quartiles = measured.filled.quantile([0.25, 0.5, 0.75]).T.set_axis(names, axis=1)
    ranks = ranked.draws[CHALLENGE].rank_intervals().add_prefix("rank_")
    means = percentile_intervals(ranked.mean.values).add_prefix(f"mean_{value}_")
    table = ranked.score.rename(columns={"mean_rank_f1": f"mean_rank_{value}"})
    table = table.join([ranks, quartiles, means]).loc[ranked.best_first()]
    mean = {f"mean_{value}": ranked.mean.full["value"]}
    table = table.assign(**mean, images=len(measured.values), **_runs(measured))
    table = table.replace([np.inf, -np.inf], np.nan).rename_axis("algorithm").reset_index()
    whole = {name: whole_numbers(table[name]) for name in ("rank", "rank_low", "rank_high")}
    return table.assign(**whole)[leaderboard_columns(value)]


def whole_numbers(ranks: pd.Series) -> pd.Series:
    """Make ranks integers, so that a CSV says 1 and not 1.0, unless a tie method gave half ranks."""
    if (ranks.dropna() % 1 != 0).any():
        return ranks
    return ranks.astype("Int64" if ranks.isna().any() else "int64")


def _runs(measured: Measured) -> dict[str, pd.Series]:
    rows = measured.rows
    ok = rows[rows["status"] == "ok"]
    times = measured.table("rank_runtime_s")
    return {
        "median_runtime_s": ok.groupby("algorithm")["runtime_s"].median(),
        "within_tolerance": (times == 0).sum().astype("Int64").mask(never_timed(times)),
        "failed": (measured.table("status") != "ok").sum(),
    }
