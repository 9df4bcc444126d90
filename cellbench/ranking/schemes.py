"""Ranking schemes: from a table of values to one rank per algorithm."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from cellbench.errors import ScoresError
from cellbench.ranking.adjustment import ADJUSTMENTS, Adjust, adjust_p_values
from cellbench.ranking.cases import rank_rows
from cellbench.ranking.signed_ranks import signed_rank_tests
from cellbench.ranking.significance import ordered_pairs
from cellbench.ranking.tables import (
    TIES,
    Floats,
    Missing,
    Ties,
    check_choice,
    larger_is_better,
    rounded,
)

Scheme = Literal[
    "mean-then-rank", "median-then-rank", "rank-then-mean", "rank-then-median", "test-then-rank"
]

SCHEMES: tuple[Scheme, ...] = get_args(Scheme)


@dataclass(frozen=True)
class Rule:
    """How a table becomes one value and one rank per algorithm; see :func:`rank_algorithms`."""

    scheme: Scheme
    higher_is_better: bool
    ties: Ties = "min"
    alpha: float = 0.05
    adjust: Adjust = "none"
    missing: Missing = "worst"

    def __post_init__(self) -> None:
        check_choice("scheme", self.scheme, SCHEMES)
        check_choice("ties", self.ties, TIES)
        check_choice("adjust", self.adjust, ADJUSTMENTS)
        if not 0 < self.alpha < 1:
            raise ScoresError(f"alpha {self.alpha}: a p value lies between 0 and 1, so must alpha")

    def values(self, table: pd.DataFrame, counts: Floats) -> Floats:
        """Aggregate the table, with each case counted as often as ``counts`` (samples, cases) says.

        Returns:
            (samples, algorithms): mean or median value in the table's own direction, mean or median
            rank, or share of other algorithms beaten.
        """
        numbers = self.turned(table)
        if self.scheme.startswith("rank-"):
            return self.aggregate(self.case_ranks(numbers), counts)
        if self.missing == "worst" and np.isnan(numbers).any():
            raise ScoresError(
                f"table: values are missing and {self.scheme} has no worst value for them; "
                "give missing as a number, or as 'drop'"
            )
        if self.scheme == "test-then-rank":
            return self._share_beaten(numbers, counts)
        aggregated = self.aggregate(numbers, counts)
        return aggregated if self.higher_is_better else 0.0 - aggregated  # nothing is −0

    def turned(self, table: pd.DataFrame) -> Floats:
        """Check the table and give (cases, algorithms), larger is better."""
        return larger_is_better(table, higher_is_better=self.higher_is_better, missing=self.missing)

    def case_ranks(self, numbers: Floats, *, copies: int = 1) -> Floats:
        """Rank each case; ``copies`` as in :func:`cellbench.ranking.cases.rank_rows`."""
        drop = self.missing == "drop"
        return rank_rows(numbers, self.ties, keep_missing=drop, copies=copies)

    def aggregate(self, numbers: Floats, counts: Floats) -> Floats:
        """Give the scheme's mean or median per sample and algorithm: (samples, algorithms)."""
        if "median" in self.scheme:
            return _weighted_medians(numbers, counts)
        return _weighted_means(numbers, counts)

    def ranks(self, values: Floats) -> Floats:
        """Rank what :meth:`values` gave along the last axis, after rounding to 12 digits."""
        larger_wins = self.scheme == "test-then-rank" or (
            self.scheme.endswith("-then-rank") and self.higher_is_better
        )
        return rank_rows(rounded(values if larger_wins else -values), self.ties)

    def _share_beaten(self, numbers: Floats, counts: Floats) -> Floats:
        p = signed_rank_tests(numbers, counts).p
        if self.adjust != "none":
            better, worse = ordered_pairs(p.shape[1])
            p[:, better, worse] = adjust_p_values(p[:, better, worse], self.adjust)
        beaten: Floats = (p <= self.alpha).sum(axis=2) / max(p.shape[1] - 1, 1)
        return beaten


def _weighted_means(numbers: Floats, counts: Floats) -> Floats:
    """Give the mean per sample and column; NaN are left out, one failure (-inf) makes it -inf."""
    finite = np.isfinite(numbers)
    if finite.all():
        means: Floats = (counts @ numbers) / counts.sum(axis=1, keepdims=True)
        return means
    weight = counts @ (~np.isnan(numbers)).astype(float)
    total = counts @ np.where(finite, numbers, 0.0)
    failed = counts @ np.isinf(numbers).astype(float) > 0
    means = np.divide(total, weight, out=np.full_like(total, np.nan), where=weight > 0)
    return np.where(failed, -np.inf, means)


def _weighted_medians(numbers: Floats, counts: Floats) -> Floats:
    """Give the median per sample and column; NaN are left out."""
    medians = np.full((len(counts), numbers.shape[1]), np.nan)
    for column, series in enumerate(numbers.T):
        order = np.argsort(series, kind="stable")[: np.count_nonzero(~np.isnan(series))]
        if len(order) == 0:
            continue
        reached = np.cumsum(counts[:, order], axis=1)
        total = reached[:, -1:]
        lower = (reached > np.floor((total - 1) / 2)).argmax(axis=1)
        upper = (reached > np.floor(total / 2)).argmax(axis=1)
        middle = (series[order[lower]] + series[order[upper]]) / 2
        medians[:, column] = np.where(total[:, 0] > 0, middle, np.nan)
    return medians


def rank_algorithms(
    values: pd.DataFrame,
    scheme: Scheme,
    *,
    higher_is_better: bool,
    ties: Ties = "min",
    alpha: float = 0.05,
    adjust: Adjust = "none",
    missing: Missing = "worst",
) -> pd.DataFrame:
    """Rank the algorithms of a table under one of challengeR's five schemes.

    Args:
        values: index cases, columns algorithms, NaN missing.
        scheme: ``mean-then-rank``, ``median-then-rank``: rank the mean or median value;
            ``rank-then-mean``, ``rank-then-median``: rank the mean or median of the ranks per case;
            ``test-then-rank``: rank the share of other algorithms that are beaten significantly
            (:func:`cellbench.ranking.wilcoxon_pairs`).
        higher_is_better: whether larger values are better.
        ties: see :func:`cellbench.ranking.case_ranks`; holds for the ranks per case and for the
            final ones.
        alpha: largest p value that counts as significant; for ``test-then-rank``.
        adjust: ``none``, or over all T(T − 1) ordered pairs ``holm``, ``hochberg``, ``bonferroni``,
            ``BH`` (Benjamini–Hochberg) or ``BY``, as R's ``p.adjust`` names them; for
            ``test-then-rank``.
        missing: ``worst`` (rank-then-… only), ``drop`` (each algorithm on the cases it has) or a
            number.

    Returns:
        Index algorithms; ``value``, the mean, median or share, and ``rank``, 1 is best. Values are
        ranked after rounding to 12 digits.

    Raises:
        ScoresError: if the table cannot be ranked, or lacks values that the scheme needs.

    Example:
        >>> table = pd.DataFrame({"a": [0.9, 0.8, 0.1], "b": [0.8, 0.7, 0.9]})
        >>> rank_algorithms(table, "rank-then-mean", higher_is_better=True)["rank"].tolist()
        [1.0, 2.0]
    """
    rule = Rule(scheme, higher_is_better, ties, alpha, adjust, missing)
    value = rule.values(values, np.ones((1, len(values))))
    table = {"value": value[0], "rank": rule.ranks(value)[0]}
    return pd.DataFrame(table, index=values.columns)
