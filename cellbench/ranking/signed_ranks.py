"""Wilcoxon's signed rank test of all pairs of algorithms, on all cases or on drawn ones."""

from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.special import ndtr

from cellbench.ranking.tables import Floats

_SAMPLES = 128  # drawn at once: their counts stay in the processor's cache
_DIFFERENCES = 2**20  # sorted at once: 8 MiB


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


class _Sums(NamedTuple):
    """Of the ranks r of the cases that differ, of one pair or several.

    Attributes:
        nonzero: how many there are.
        above: Σ r of those on which the first algorithm is better.
        squares: Σ r², which is n (n + 1) (2n + 1) / 6 − Σ (t³ − t) / 12 over ties of t cases.
    """

    nonzero: Floats
    above: Floats
    squares: Floats


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
    algorithms = values.shape[1]
    sums = _sums_of_table(values) if _each_once(counts) else _sums_of_draws(values, counts)
    nonzero, above, p = (np.zeros((algorithms, algorithms, len(counts))) for _ in range(3))
    first, second = np.triu_indices(algorithms, 1)
    below = sums.nonzero * (sums.nonzero + 1) / 2 - sums.above
    p[np.diag_indices(algorithms)] = 1
    for better, worse, statistic in ((first, second, sums.above), (second, first, below)):
        nonzero[better, worse] = sums.nonzero
        above[better, worse] = statistic
        p[better, worse] = _p_greater(sums.nonzero, statistic, sums.squares)
    return PairTests(*(np.moveaxis(part, -1, 0) for part in (nonzero, above, p)))


def _each_once(counts: Floats) -> bool:
    return len(counts) == 1 and bool((counts == 1).all())


def _p_greater(nonzero: Floats, statistic: Floats, squares: Floats) -> Floats:
    excess = statistic - nonzero * (nonzero + 1) / 4 - 0.5
    nothing_to_test = np.full_like(excess, -np.inf)
    score = np.divide(excess, np.sqrt(squares / 4), out=nothing_to_test, where=squares > 0)
    p: Floats = ndtr(-score)
    return p


def _differences(first: Floats, second: Floats) -> Floats:
    """Subtract, where two failures (infinite) differ by nothing."""
    return np.subtract(first, second, out=np.zeros_like(first), where=first != second)


def _sums_of_table(values: Floats) -> _Sums:
    """Take every case once. Returns (pairs, 1) each."""
    by_algorithm = np.ascontiguousarray(values.T)
    first, second = np.triu_indices(len(by_algorithm), 1)
    at_once = max(_DIFFERENCES // len(values), 1)
    parts = []
    for start in range(0, max(len(first), 1), at_once):
        pairs = slice(start, start + at_once)
        differences = _differences(by_algorithm[first[pairs]], by_algorithm[second[pairs]])
        parts.append(_sums_of_rows(differences))
    return _Sums(*(np.concatenate(part)[:, None] for part in zip(*parts, strict=True)))


def _sums_of_rows(differences: Floats) -> _Sums:
    """Rank each row of (pairs, cases).

    Sizes are sorted with their sign in the last bit, since sorting numbers is ten times faster than
    sorting places; sizes without a sign bit sort as integers do.
    """
    pairs, cases = differences.shape
    missing = np.isnan(differences)
    sizes = np.where(missing, 0.0, np.abs(differences))
    keys = np.sort(sizes.view(np.uint64) << np.uint64(1) | (differences > 0), axis=1)
    size, positive = keys >> np.uint64(1), (keys & np.uint64(1)).astype(float)
    starts_tie = np.ones(keys.shape, dtype=bool)
    starts_tie[:, 1:] = size[:, 1:] != size[:, :-1]
    starts = np.flatnonzero(starts_tie)
    tied = np.diff(starts, append=keys.size)
    pair = starts // cases
    zeros = np.count_nonzero(size == 0, axis=1)
    # Tied cases share the mean of their ranks.
    rank = starts - pair * cases - zeros[pair] + (tied + 1) / 2
    rank[size.ravel()[starts] == 0] = 0
    above = np.add.reduceat(positive.ravel(), starts) * rank
    above_of_pair = np.bincount(pair, above, minlength=pairs).astype(float)
    squares_of_pair = np.bincount(pair, tied * rank**2, minlength=pairs).astype(float)
    return _Sums((cases - zeros).astype(float), above_of_pair, squares_of_pair)


def _sums_of_draws(values: Floats, counts: Floats) -> _Sums:
    """Count cases as often as they were drawn. Returns (pairs, samples) each."""
    blocks = [slice(start, start + _SAMPLES) for start in range(0, len(counts), _SAMPLES)]
    drawn = [np.ascontiguousarray(counts[block].T) for block in blocks]
    pairs = list(combinations(values.T, 2))
    sums = _Sums(*(np.zeros((len(pairs), len(counts))) for _ in _Sums._fields))
    for pair, (first, second) in enumerate(pairs):
        tied, positive = _sorted_ties(_differences(first, second))
        for block, part in zip(blocks, drawn, strict=True):
            for total, found in zip(sums, _sums_of_sample(tied, positive, part), strict=True):
                total[pair, block] = found
    return sums


def _sorted_ties(differences: Floats) -> tuple[csr_array, csr_array]:
    """Sort the cases that differ into ties, smallest first.

    Drawing only changes how many cases a tie has, so this is done once.

    Returns:
        Two of (ties, cases), 1 where a case is in a tie: all, and those with a positive difference.
    """
    size = np.abs(differences)
    order = np.argsort(size, kind="stable")
    present = np.count_nonzero(size == size)  # NaN are sorted last
    order = order[np.searchsorted(size[order], 0, side="right") : present]
    size = size[order]
    edges = np.flatnonzero(np.concatenate([[True], size[1:] != size[:-1], [True]]))
    edges = edges[: len(order) + 1]
    shape = (len(edges) - 1, len(differences))
    positive = (differences[order] > 0).astype(float)
    tied = csr_array((np.ones_like(positive), order, edges), shape=shape)
    return tied, csr_array((positive, order, edges), shape=shape)


def _sums_of_sample(tied: csr_array, positive: csr_array, drawn: Floats) -> _Sums:
    """Rank the drawn cases; ``drawn`` is (cases, samples). Returns (samples,) each."""
    size, above = tied.dot(drawn), positive.dot(drawn)
    rank = np.cumsum(size, axis=0)
    nonzero = rank[-1].copy() if len(rank) else np.zeros(drawn.shape[1])
    # Tied cases share the mean of their ranks: the last of them, less half of the others.
    rank -= size / 2
    rank += 0.5
    return _Sums(
        nonzero=nonzero,
        above=np.einsum("ts,ts->s", above, rank),
        squares=np.einsum("ts,ts,ts->s", size, rank, rank),
    )
