"""intervals.csv: every score and rank with its 95 % bootstrap interval."""

import numpy as np
import pandas as pd

from cellbench.boards.ranked import Ranked
from cellbench.boards.schema import TABLES, MetricName
from cellbench.choices import Scheme
from cellbench.ranking.resampling import percentile_intervals


@np.errstate(invalid="ignore")  # quantiles between infinitely bad values
def make_intervals(ranked: Ranked) -> pd.DataFrame:
    """Return intervals.csv: quantity by quantity, best algorithm first.

    The quantities are those of the leaderboard: score, mean_rank, the mean rank on each metric, rank,
    and mean and median of the value. An infinite number stays empty.

    Args:
        ranked: the ranking.
    """
    parts = {
        quantity: percentile_intervals(samples).assign(estimate=estimate)
        for quantity, (estimate, samples) in _quantities(ranked).items()
    }
    named = {name: part.loc[ranked.best_first()] for name, part in parts.items()}
    table = pd.concat(named, names=["quantity", "algorithm"]).reset_index()
    table = table[TABLES["intervals"].names()]
    return table.replace([np.inf, -np.inf], np.nan)


def _quantities(ranked: Ranked) -> dict[str, tuple[pd.Series, pd.DataFrame]]:
    """Return the estimate (algorithms) and the samples (samples, algorithms) of each quantity."""
    value, together = ranked.measured.value, ranked.draws[MetricName.CHALLENGE]
    algorithms = len(ranked.score)
    quantities = {
        "score": (together.full["value"] / algorithms, together.values / algorithms),
        "mean_rank": (together.full["value"], together.values),
    }
    # Under the other schemes it is the ranks on each metric that are averaged.
    averaged = "value" if ranked.options.scheme == Scheme.RANK_THEN_MEAN else "rank"
    for metric in ranked.metrics:
        name = "runtime" if metric == MetricName.RANK_RUNTIME else metric
        draw = ranked.draws[metric]
        samples = draw.values if averaged == "value" else draw.ranks
        quantities[f"mean_rank_{name}"] = (draw.full[averaged], samples)
    quantities["rank"] = (together.full["rank"], together.ranks)
    quantities[f"mean_{value}"] = (ranked.mean.full["value"], ranked.mean.values)
    quantities[f"median_{value}"] = (ranked.median.full["value"], ranked.median.values)
    return quantities
