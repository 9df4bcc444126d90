"""Ranks within cases: who is best on each image."""

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from cellbench.choices import Ties
from cellbench.ranking.options import TableChoices, make_options
from cellbench.ranking.tables import Floats, Missing, larger_is_better


def rank_rows(values: Floats, ties: Ties, *, keep_missing: bool = False, copies: int = 1) -> Floats:
    """Rank along the last axis: the largest value has rank 1.

    Args:
        values: (…, algorithms), larger is better, NaN missing.
        ties: which rank equal values share.
        keep_missing: leave missing values without a rank, instead of tying them after all values
            that are present.
        copies: rank as if every value occurred this often in its row.

    Returns:
        Ranks of the same shape.
    """
    missing = np.isnan(values)
    ranks = _present_ranks(values, ties)
    if copies > 1:
        ranks = {
            Ties.MIN: copies * (ranks - 1) + 1,
            Ties.MAX: copies * ranks,
            Ties.AVERAGE: copies * ranks - (copies - 1) / 2,
            Ties.DENSE: ranks,
        }[ties]
    if keep_missing or not missing.any():
        return ranks
    worst_present = np.where(missing, 0.0, ranks).max(axis=-1, keepdims=True)
    count = copies * missing.sum(axis=-1, keepdims=True)
    steps = {
        Ties.MIN: np.ones_like(count),
        Ties.DENSE: np.ones_like(count),
        Ties.MAX: count,
        Ties.AVERAGE: (count + 1) / 2,
    }
    return np.where(missing, worst_present + steps[ties], ranks)


def _present_ranks(values: Floats, ties: Ties) -> Floats:
    return np.asarray(rankdata(-values, method=ties.value, axis=-1, nan_policy="omit"), float)


def case_ranks(
    values: pd.DataFrame,
    *,
    higher_is_better: bool,
    ties: str = Ties.MIN,
    missing: Missing = "worst",
) -> pd.DataFrame:
    """Rank the algorithms on every case.

    Args:
        values: index cases, columns algorithms, NaN missing.
        higher_is_better: whether larger values are better.
        ties: which rank equal values share: ``min`` the smallest of their ranks (1, 1, 3; as
            challengeR), ``average`` the mean (1.5, 1.5, 3), ``max`` the largest (2, 2, 3), ``dense``
            the smallest without a gap after it (1, 1, 2).
        missing: ``worst`` ties the m missing values after the last present rank r, at r + 1 for ``min``
            and ``dense``, r + (m + 1) / 2 for ``average`` (these as challengeR) and r + m for ``max``;
            ``drop`` leaves them without a rank; a number takes their place.

    Returns:
        Ranks from 1 (best), like ``values``.

    Raises:
        ScoresError: if the table cannot be ranked.
        UsageError: if an option is not known.

    Examples:
        >>> table = pd.DataFrame({"a": [0.8], "b": [0.8], "c": [0.5], "d": [np.nan]})
        >>> case_ranks(table, higher_is_better=True).iloc[0].tolist()
        [1.0, 1.0, 3.0, 4.0]
    """
    options = make_options({"ties": ties, "missing": missing}, TableChoices)
    numbers = larger_is_better(values, higher_is_better=higher_is_better, missing=missing)
    ranks = rank_rows(numbers, options.ties, keep_missing=missing == "drop")
    return pd.DataFrame(ranks, index=values.index, columns=values.columns)
