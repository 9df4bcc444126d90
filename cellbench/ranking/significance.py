"""Which algorithm is significantly better than which: Wilcoxon signed rank tests."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from cellbench.ranking.adjustment import adjust_p_values
from cellbench.ranking.signed_ranks import signed_rank_tests
from cellbench.ranking.tables import larger_is_better


def ordered_pairs(algorithms: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the indices of all ordered pairs of different algorithms.

    Args:
        algorithms: how many there are.

    Returns:
        The index of the first and of the second algorithm (better, worse) of each pair.
    """
    better, worse = np.nonzero(~np.eye(algorithms, dtype=bool))
    return better, worse


def wilcoxon_pairs(values: pd.DataFrame, *, higher_is_better: bool) -> pd.DataFrame:
    """Test for every ordered pair of algorithms whether the first is better on the same cases.

    Paired one-sided Wilcoxon signed rank tests as challengeR's: zeros dropped, normal approximation
    with tie and continuity correction, p = 1 where all differences are zero; Holm's adjustment over
    all T(T − 1) pairs.

    Args:
        values: index cases, columns algorithms; a case that either algorithm of a pair lacks is left
            out of that pair.
        higher_is_better: whether larger values are better.

    Returns:
        One row per ordered pair: better, worse, pairs (cases both have), nonzero (cases that
        differ), statistic (rank sum of the cases on which ``better`` is better), p, p_holm. No row
        for one algorithm.

    Raises:
        ScoresError: if the table cannot be ranked.

    Examples:
        >>> table = pd.DataFrame({"a": [0.9, 0.8, 0.7], "b": [0.5, 0.5, 0.6]})
        >>> wilcoxon_pairs(table, higher_is_better=True).statistic.tolist()
        [6.0, 0.0]
    """
    numbers = larger_is_better(values, higher_is_better=higher_is_better)
    tests = signed_rank_tests(numbers, np.ones((1, len(numbers))))
    present = (~np.isnan(numbers)).astype(float)
    better, worse = ordered_pairs(numbers.shape[1])
    p = tests.p[0, better, worse]
    return pd.DataFrame(
        {
            "better": values.columns[better],
            "worse": values.columns[worse],
            "pairs": (present.T @ present)[better, worse].astype(int),
            "nonzero": tests.nonzero[0, better, worse].astype(int),
            "statistic": tests.statistic[0, better, worse],
            "p": p,
            "p_holm": adjust_p_values(p, "holm"),
        }
    )
