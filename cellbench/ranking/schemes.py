"""Ranking schemes: from a table of values to one rank per algorithm."""

from dataclasses import dataclass
from typing import Unpack

import numpy as np
import pandas as pd

from cellbench.choices import Scheme
from cellbench.errors import ScoresError
from cellbench.ranking.adjustment import adjust_p_values
from cellbench.ranking.cases import rank_rows
from cellbench.ranking.options import Options, TableChoices, make_options
from cellbench.ranking.signed_ranks import signed_rank_tests
from cellbench.ranking.significance import ordered_pairs
from cellbench.ranking.tables import Floats, larger_is_better, rounded


@dataclass(frozen=True)
class Rule:
    """How a table becomes one value and one rank per algorithm; see [`rank_algorithms`][].

    Attributes:
        options: what was chosen.
    """

    options: Options

    def values(self, table: pd.DataFrame, counts: Floats) -> Floats:
        """Aggregate the table.

        Args:
            table: index cases, columns algorithms, NaN missing.
            counts: (samples, cases), how often each case counts.

        Returns:
            (samples, algorithms): mean or median value in the table's own direction, mean or median
            rank, or share of the other algorithms that are beaten.

        Raises:
            ScoresError: if the table cannot be ranked, or lacks values that the scheme needs.
        """
        numbers = self.turned(table)
        scheme = self.options.scheme
        if scheme.ranks_cases:
            return self.aggregate(self.case_ranks(numbers), counts)
        if self.options.missing == "worst" and np.isnan(numbers).any():
            raise ScoresError(
                f"table: values are missing and {scheme} has no worst value for them; "
                "set missing to a number or to 'drop'"
            )
        if scheme == Scheme.TEST_THEN_RANK:
            return self._share_beaten(numbers, counts)
        aggregated = self.aggregate(numbers, counts)
        # Subtracted from 0, so that no 0 becomes −0.
        return aggregated if self.options.higher_is_better else 0.0 - aggregated

    def turned(self, table: pd.DataFrame) -> Floats:
        """Check a table and return its numbers with a sign such that larger is better.

        Args:
            table: index cases, columns algorithms, NaN missing.

        Returns:
            (cases, algorithms).

        Raises:
            ScoresError: if the table cannot be ranked.
        """
        return larger_is_better(
            table,
            higher_is_better=self.options.higher_is_better,
            missing=self.options.missing,
        )

    def case_ranks(self, numbers: Floats, *, copies: int = 1) -> Floats:
        """Rank each case.

        Args:
            numbers: (cases, algorithms), larger is better.
            copies: rank as if every value occurred this often in its row.

        Returns:
            Ranks of the same shape.
        """
        drop = self.options.missing == "drop"
        return rank_rows(numbers, self.options.ties, keep_missing=drop, copies=copies)

    def aggregate(self, numbers: Floats, counts: Floats) -> Floats:
        """Return the scheme's mean or median of each algorithm.

        Args:
            numbers: (cases, algorithms), NaN are left out.
            counts: (samples, cases), how often each case counts.

        Returns:
            (samples, algorithms).
        """
        if self.options.scheme.uses_median:
            return _weighted_medians(numbers, counts)
        return _weighted_means(numbers, counts)

    def ranks(self, values: Floats) -> Floats:
        """Rank aggregated values, after rounding each to 12 significant digits.

        Args:
            values: (samples, algorithms) as [`values`][] returns them.

        Returns:
            (samples, algorithms) ranks, 1 is best.
        """
        scheme = self.options.scheme
        larger_wins = scheme == Scheme.TEST_THEN_RANK or (
            not scheme.ranks_cases and self.options.higher_is_better
        )
        return rank_rows(rounded(values if larger_wins else -values), self.options.ties)

    def _share_beaten(self, numbers: Floats, counts: Floats) -> Floats:
        p = signed_rank_tests(numbers, counts).p
        if self.options.adjust != "none":
            better, worse = ordered_pairs(p.shape[1])
            p[:, better, worse] = adjust_p_values(p[:, better, worse], self.options.adjust)
        beaten: Floats = (p <= self.options.alpha).sum(axis=2) / max(p.shape[1] - 1, 1)
        return beaten


def _weighted_means(numbers: Floats, counts: Floats) -> Floats:
    """Return the mean per sample and column; NaN are left out, one failure (-inf) makes it -inf."""
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
    """Return the median per sample and column; NaN are left out."""
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


def rank_table(values: pd.DataFrame, options: Options) -> pd.DataFrame:
    """Rank the algorithms of a table under any options; see [`rank_algorithms`][].

    Args:
        values: index cases, columns algorithms, NaN missing.
        options: how to rank.

    Returns:
        Index algorithms; ``value`` and ``rank``.

    Raises:
        ScoresError: if the table cannot be ranked, or lacks values that the scheme needs.
    """
    rule = Rule(options)
    value = rule.values(values, np.ones((1, len(values))))
    table = {"value": value[0], "rank": rule.ranks(value)[0]}
    return pd.DataFrame(table, index=values.columns)


def rank_algorithms(
    values: pd.DataFrame,
    scheme: str,
    *,
    higher_is_better: bool,
    **choices: Unpack[TableChoices],
) -> pd.DataFrame:
    """Rank the algorithms of a table under one of challengeR's five schemes.

    Args:
        values: index cases, columns algorithms, NaN missing.
        scheme: ``mean-then-rank``, ``median-then-rank``: rank the mean or median value;
            ``rank-then-mean``, ``rank-then-median``: rank the mean or median of the ranks per case;
            ``test-then-rank``: rank the share of other algorithms that are beaten significantly
            ([`cellbench.ranking.wilcoxon_pairs`][]).
        higher_is_better: whether larger values are better.
        **choices: ``ties``, ``missing`` and, for ``test-then-rank``, ``alpha`` and ``adjust``: see
            [`cellbench.ranking.Options`][].

    Returns:
        Index algorithms; ``value``, the mean, median or share, and ``rank``, 1 is best. Values are
        rounded to 12 significant digits before they are ranked.

    Raises:
        ScoresError: if the table cannot be ranked, or lacks values that the scheme needs.
        UsageError: if an option is not known or out of range.

    Examples:
        >>> table = pd.DataFrame({"a": [0.9, 0.8, 0.1], "b": [0.8, 0.7, 0.9]})
        >>> rank_algorithms(table, "rank-then-mean", higher_is_better=True)["rank"].tolist()
        [1.0, 2.0]
    """
    options = make_options(choices, TableChoices, scheme=scheme, higher_is_better=higher_is_better)
    return rank_table(values, options)
