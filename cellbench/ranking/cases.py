"""Ranks within cases: who is best on each image."""

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from cellbench.ranking.tables import TIES, Floats, Missing, Ties, check_choice, larger_is_better


def rank_rows(values: Floats, ties: Ties, *, keep_missing: bool = False, copies: int = 1) -> Floats:
    """Rank along the last axis: the largest value has rank 1.

    Args:
        values: (…, algorithms), larger is better, NaN missing.
        ties: what equal values share: ``min`` the smallest of their ranks (1, 1, 3), ``max`` the
            largest (2, 2, 3), ``average`` the mean (1.5, 1.5, 3), ``dense`` the smallest without
            gaps after them (1, 1, 2).
        keep_missing: leave missing values without a rank, instead of tying them after all present
            ones.
        copies: rank as if every value stood so often in its row.

    Returns:
        Ranks of the same shape.
    """
    missing = np.isnan(values)
    ranks = _present_ranks(values, ties)
    if copies > 1:
        ranks = {
            "min": copies * (ranks - 1) + 1,
            "max": copies * ranks,
            "average": copies * ranks - (copies - 1) / 2,
            "dense": ranks,
        }[ties]
    if keep_missing or not missing.any():
        return ranks
    worst_present = np.where(missing, 0.0, ranks).max(axis=-1, keepdims=True)
    count = copies * missing.sum(axis=-1, keepdims=True)
    steps = {"min": np.ones_like(count), "dense": np.ones_like(count), "max": count}
    after = worst_present + steps.get(ties, (count + 1) / 2)
    return np.where(missing, after, ranks)


def _present_ranks(values: Floats, ties: Ties) -> Floats:
    return np.asarray(rankdata(-values, method=ties, axis=-1, nan_policy="omit"), float)


def case_ranks(
    values: pd.DataFrame,
    *,
    higher_is_better: bool,
    ties: Ties = "min",
    missing: Missing = "worst",
) -> pd.DataFrame:
    """Rank the algorithms on every case.

    Args:
        values: index cases, columns algorithms, NaN missing.
        higher_is_better: whether larger values are better.
        ties: ``min`` (as challengeR), ``average``, ``max`` or ``dense``.
        missing: ``worst`` ties the m missing values after the last present rank r, at r + 1 for ``min``
            and ``dense``, r + (m + 1) / 2 for ``average`` (these as challengeR) and r + m for ``max``;
            ``drop`` gives them no rank; a number takes their place.

    Returns:
        Ranks from 1 (best), like ``values``.

    Raises:
        ScoresError: if the table cannot be ranked or an option is not known.

    Example:
        >>> table = pd.DataFrame({"a": [0.8], "b": [0.8], "c": [0.5], "d": [np.nan]})
        >>> case_ranks(table, higher_is_better=True).iloc[0].tolist()
        [1.0, 1.0, 3.0, 4.0]
    """
    check_choice("ties", ties, TIES)
    numbers = larger_is_better(values, higher_is_better=higher_is_better, missing=missing)
    ranks = rank_rows(numbers, ties, keep_missing=missing == "drop")
    return pd.DataFrame(ranks, index=values.index, columns=values.columns)
