"""Which algorithm is significantly better than which: Wilcoxon signed rank tests."""

from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array
from scipy.special import ndtr

from cellbench.ranking.adjustment import adjust_p_values
from cellbench.ranking.tables import Floats, larger_is_better

_BLOCK = 128  # samples tested at once: their counts stay in the processor's cache


class PairTests(NamedTuple):
    """Tests of all ordered pairs; each (samples, better, worse).

    Attributes:
        nonzero: how many cases differ.
        statistic: sum of the ranks of the cases on which the first algorithm is better.
        p: one-sided p value; 1 where no case differs and on the diagonal.
    """

    nonzero: Floats
    statistic: Floats
    p: Floats


def signed_rank_tests(values: Floats, counts: Floats) -> PairTests:
    """Test all ordered pairs of algorithms, with each case counted as often as ``counts`` says.

    Zeros are dropped; the p value is the normal approximation with tie and continuity correction
    (R's ``wilcox.test(paired = TRUE, alternative = "greater", exact = FALSE)``, as challengeR calls
    it).

    Args:
        values: (cases, algorithms), larger is better; pairs with a NaN are left out.
        counts: (samples, cases), how often each case was drawn.

    Returns:
        The tests, per sample.
    """
    blocks = range(0, len(counts), _BLOCK)
    parts = [_test_block(values, counts[start : start + _BLOCK]) for start in blocks]
    return PairTests(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _test_block(values: Floats, counts: Floats) -> PairTests:
    algorithms = values.shape[1]
    shape = (counts.shape[0], algorithms, algorithms)
    nonzero, statistic, tie_term = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    drawn = np.ascontiguousarray(counts.T)
    for first, second in combinations(range(algorithms), 2):
        n, above, cubes = _signed_ranks(values[:, first], values[:, second], drawn)
        nonzero[:, first, second] = nonzero[:, second, first] = n
        tie_term[:, first, second] = tie_term[:, second, first] = cubes
        statistic[:, first, second] = above
        statistic[:, second, first] = n * (n + 1) / 2 - above
    return PairTests(nonzero, statistic, _p_greater(nonzero, statistic, tie_term))


def _signed_ranks(first: Floats, second: Floats, drawn: Floats) -> tuple[Floats, Floats, Floats]:
    """Give per sample the number of nonzero differences, their positive rank sum, and Σ(t³ − t).

    ``drawn`` is (cases, samples). The differences are sorted and grouped into ties once, as sparse
    matrices; drawing only changes how many cases a group has.
    """
    difference = np.subtract(first, second, out=np.zeros_like(first), where=first != second)
    size = np.abs(difference)
    order = np.argsort(size, kind="stable")
    order = order[np.searchsorted(size[order], 0, side="right") : np.count_nonzero(size == size)]
    size = size[order]
    edges = np.flatnonzero(np.concatenate([[True], size[1:] != size[:-1], [True]]))
    edges = edges[: len(order) + 1]
    shape = (len(edges) - 1, len(drawn))
    positive = (difference[order] > 0).astype(float)
    tied: Floats = csr_array((np.ones_like(positive), order, edges), shape=shape).dot(drawn)
    above: Floats = csr_array((positive, order, edges), shape=shape).dot(drawn)
    n = tied.sum(axis=0)
    # Tied cases share the mean of their ranks: the last of them, less half of the others.
    rank = np.cumsum(tied, axis=0)
    rank -= (tied - 1) / 2
    cubes: Floats = np.einsum("gs,gs,gs->s", tied, tied, tied) - n
    return n, np.einsum("gs,gs->s", rank, above), cubes


def _p_greater(n: Floats, statistic: Floats, tie_term: Floats) -> Floats:
    variance = n * (n + 1) * (2 * n + 1) / 24 - tie_term / 48
    excess = statistic - n * (n + 1) / 4 - 0.5
    nothing_to_test = np.full_like(excess, -np.inf)
    score = np.divide(excess, np.sqrt(variance), out=nothing_to_test, where=variance > 0)
    p: Floats = ndtr(-score)
    return p


def ordered_pairs(algorithms: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Index all ordered pairs of different algorithms, as (better, worse)."""
    better, worse = np.nonzero(~np.eye(algorithms, dtype=bool))
    return better, worse


def wilcoxon_pairs(values: pd.DataFrame, *, higher_is_better: bool) -> pd.DataFrame:
    """Test for all ordered pairs of algorithms whether the first is better on the same cases.

    Paired one-sided Wilcoxon signed rank tests as challengeR's: zeros dropped, normal approximation
    with tie and continuity correction, p = 1 where all differences are zero; Holm's adjustment over
    all T(T − 1) pairs.

    Args:
        values: index cases, columns algorithms; cases that either algorithm lacks are left out of
            its pair.
        higher_is_better: whether larger values are better.

    Returns:
        One row per ordered pair: better, worse, pairs (cases both have), nonzero (cases that
        differ), statistic (rank sum of the cases on which ``better`` is better), p, p_holm. No row
        for one algorithm.

    Raises:
        ScoresError: if the table cannot be ranked.

    Example:
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
