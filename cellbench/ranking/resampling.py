"""Stability of a ranking: bootstrap over cases, and Kendall's tau between the rankings."""

from dataclasses import dataclass
from typing import Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd

from cellbench.errors import ScoresError
from cellbench.ranking.compatibility import (
    COMPATIBILITIES,
    Compatibility,
    challenger_values,
)
from cellbench.ranking.options import Options, TableChoices, make_options
from cellbench.ranking.schemes import Rule
from cellbench.ranking.significance import ordered_pairs
from cellbench.ranking.tables import Floats, check_choice

_LEVEL = 0.95


@dataclass(frozen=True)
class Bootstrap:
    """The ranking on other draws of the cases.

    Attributes:
        full: index algorithms; value and rank on all cases, each once.
        values: (samples, algorithms), the aggregated value in each sample.
        ranks: (samples, algorithms), the rank in each sample.
        tau: (samples,), Kendall's tau-b between the full ranking and the sample's; NaN where either
            ties everybody.
    """

    full: pd.DataFrame
    values: pd.DataFrame
    ranks: pd.DataFrame
    tau: pd.Series

    def rank_intervals(self) -> pd.DataFrame:
        """Return the 95 % percentile interval of each rank: index algorithms; low, high."""
        return percentile_intervals(self.ranks)

    def value_intervals(self) -> pd.DataFrame:
        """Return the 95 % percentile interval of each value: index algorithms; low, high."""
        return percentile_intervals(self.values)

    def outranking(self) -> pd.DataFrame:
        """Return how often each algorithm outranks each other one, over all ordered pairs.

        Returns:
            better, worse, probability (share of the samples in which the rank of ``better`` is the
            smaller) and tied (share in which the ranks are equal). No row for one algorithm.
        """
        ranks = self.ranks.to_numpy()
        smaller = np.stack([(column[:, None] < ranks).mean(axis=0) for column in ranks.T])
        equal = np.stack([(column[:, None] == ranks).mean(axis=0) for column in ranks.T])
        better, worse = ordered_pairs(ranks.shape[1])
        return pd.DataFrame(
            {
                "better": self.ranks.columns[better],
                "worse": self.ranks.columns[worse],
                "probability": smaller[better, worse],
                "tied": equal[better, worse],
            }
        )

    def frequencies(self) -> pd.DataFrame:
        """Return how often each algorithm had each rank: algorithm, rank, frequency in (0, 1]."""
        shares: pd.Series = self.ranks.apply(
            lambda rank: rank.value_counts(normalize=True)
        ).unstack()
        named = shares.dropna().rename_axis(["algorithm", "rank"])
        return named.to_frame("frequency").reset_index()


def percentile_intervals(samples: pd.DataFrame) -> pd.DataFrame:
    """Return the 95 % percentile interval (linear, R's type 7) of each column.

    A bound between an infinite value (the mean of a failure) and a finite one is infinite.

    Args:
        samples: (samples, algorithms). NaN are left out; a column without any value has no interval.

    Returns:
        Index algorithms; low, high.
    """
    tails = [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2]
    below = samples.quantile(tails, interpolation="lower")
    above = samples.quantile(tails, interpolation="higher")
    finite = samples.replace([np.inf, -np.inf], np.nan)
    smallest, largest = finite.min().fillna(0.0), finite.max().fillna(0.0)
    between = samples.clip(smallest, largest, axis=1).quantile(tails)
    bounds = between.mask(np.isinf(above), above).mask(np.isinf(below), below)
    return bounds.T.set_axis(["low", "high"], axis=1)


def draw_counts(cases: int, samples: int, rng: np.random.Generator) -> Floats:
    """Draw ``cases`` cases with replacement, ``samples`` times.

    Args:
        cases: how many cases there are, and how many are drawn for each sample.
        samples: number of draws.
        rng: draws the cases.

    Returns:
        (samples, cases): how often each case was drawn; each row sums to ``cases``.

    Raises:
        ScoresError: if there is not at least one sample.
    """
    if samples < 1:
        raise ScoresError(f"bootstrap: needs at least one sample, not {samples}")
    drawn = rng.integers(cases, size=(samples, cases))
    drawn += cases * np.arange(samples)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=samples * cases)
    return counts.reshape(samples, cases).astype(float)


def resolve_counts(
    cases: int, samples: int, rng: np.random.Generator | None, counts: npt.ArrayLike | None
) -> Floats:
    """Draw counts, or check the ones to replay; see [`bootstrap`][].

    Args:
        cases: how many cases there are.
        samples: number of draws, where ``rng`` draws them.
        rng: draws the cases, unless there are ``counts``.
        counts: (samples, cases), how often each case was drawn.

    Returns:
        (samples, cases): how often each case was drawn.

    Raises:
        ScoresError: if there is neither ``rng`` nor ``counts``, or ``counts`` does not fit the cases.
    """
    if counts is None:
        if rng is None:
            raise ScoresError("bootstrap: needs rng to draw the cases, or counts to replay a draw")
        return draw_counts(cases, samples, rng)
    replayed = np.asarray(counts, dtype=np.float64)
    if replayed.ndim != 2 or replayed.shape[1] != cases or len(replayed) == 0:
        raise ScoresError(f"counts: must have the shape (samples, {cases}), not {replayed.shape}")
    if (replayed < 0).any() or (replayed % 1 != 0).any() or (replayed.sum(axis=1) == 0).any():
        raise ScoresError(
            "counts: must be whole numbers from 0 up, how often each case was drawn; "
            "a sample needs at least one case"
        )
    return replayed


def kendall_tau(reference: Floats, rankings: Floats) -> Floats:
    """Return Kendall's tau-b between one ranking and each row of others.

    Args:
        reference: (algorithms,).
        rankings: (samples, algorithms).

    Returns:
        (samples,) in [-1, 1]; NaN where either ranking ties everybody.

    Examples:
        >>> rankings = np.array([[1.0, 2, 3], [2, 1, 3], [1, 1, 1]])
        >>> kendall_tau(np.array([1.0, 2, 3]), rankings).round(3).tolist()
        [1.0, 0.333, nan]
    """
    agreeing, untied = np.zeros(len(rankings)), np.zeros(len(rankings))
    untied_reference = 0.0
    for first in range(len(reference) - 1):
        expected = np.sign(reference[first + 1 :] - reference[first])
        signs = np.sign(rankings[:, first + 1 :] - rankings[:, first, None])
        agreeing += signs @ expected
        untied += np.einsum("sa,sa->s", signs, signs)
        untied_reference += float(np.count_nonzero(expected))
    scale = np.sqrt(untied * untied_reference)
    return np.divide(agreeing, scale, out=np.full_like(scale, np.nan), where=scale > 0)


def with_full_table(draws: Floats) -> Floats:
    """Put the draw that takes each case once, which is the table itself, before the others.

    Args:
        draws: (samples, cases), how often each case was drawn.

    Returns:
        (1 + samples, cases).
    """
    return np.vstack([np.ones(draws.shape[1]), draws])


def as_bootstrap(algorithms: pd.Index, values: Floats, ranks: Floats) -> Bootstrap:
    """Make a [`Bootstrap`][] of aggregated values and ranks.

    Args:
        algorithms: the names.
        values: (1 + samples, algorithms), those of the full table first.
        ranks: (1 + samples, algorithms), likewise.

    Returns:
        Both, split into the full table and the samples, with Kendall's tau.
    """
    return Bootstrap(
        full=pd.DataFrame({"value": values[0], "rank": ranks[0]}, index=algorithms),
        values=pd.DataFrame(values[1:], columns=algorithms),
        ranks=pd.DataFrame(ranks[1:], columns=algorithms),
        tau=pd.Series(kendall_tau(ranks[0], ranks[1:]), name="tau"),
    )


def bootstrap(
    values: pd.DataFrame,
    scheme: str,
    *,
    higher_is_better: bool,
    samples: int = 1000,
    rng: np.random.Generator | None = None,
    counts: npt.ArrayLike | None = None,
    compatibility: Compatibility | None = None,
    **choices: Unpack[TableChoices],
) -> Bootstrap:
    """Rank the algorithms again on cases drawn with replacement.

    A case that is drawn k times counts k times, in every scheme. (challengeR 1.0.5 weighs it k² in
    rank-then-… and once in test-then-rank, its issue #16; this is the correct bootstrap unless
    ``compatibility`` asks for the other.)

    Args:
        values: index cases, columns algorithms, NaN missing.
        scheme: see [`cellbench.ranking.rank_algorithms`][].
        higher_is_better: whether larger values are better.
        samples: number of draws.
        rng: draws the cases.
        counts: (samples, cases), how often each case was drawn: replays these draws instead of
            drawing.
        compatibility: ``challengeR`` returns its figures, defects included
            ([`cellbench.ranking.compatibility.challenger_values`][]); None the correct ones.
        **choices: see [`cellbench.ranking.rank_algorithms`][].

    Returns:
        Values and ranks per sample, and their agreement with the full ranking.

    Raises:
        ScoresError: if the table cannot be ranked, or there is neither ``rng`` nor ``counts`` that
            fit the cases.
        UsageError: if an option is not known or out of range.

    Examples:
        >>> table = pd.DataFrame({"a": [0.9, 0.8, 0.7], "b": [0.5, 0.5, 0.9]})
        >>> draw = [[0, 1, 2]]
        >>> bootstrap(table, "rank-then-mean", higher_is_better=True, counts=draw).ranks
             a    b
        0  2.0  1.0
    """
    options = make_options(choices, TableChoices, scheme=scheme, higher_is_better=higher_is_better)
    drawn = resolve_counts(len(values), samples, rng, counts)
    if compatibility is None:
        return bootstrap_table(values, drawn, options)
    check_choice("compatibility", compatibility, COMPATIBILITIES)
    rule = Rule(options)
    aggregated = challenger_values(rule, values, with_full_table(drawn))
    return as_bootstrap(values.columns, aggregated, rule.ranks(aggregated))


def bootstrap_table(values: pd.DataFrame, counts: Floats, options: Options) -> Bootstrap:
    """Rank the algorithms again on given draws of the cases; see [`bootstrap`][].

    Args:
        values: index cases, columns algorithms, NaN missing.
        counts: (samples, cases), how often each case was drawn.
        options: how to rank.

    Returns:
        As [`bootstrap`][].

    Raises:
        ScoresError: if the table cannot be ranked.
    """
    rule = Rule(options)
    aggregated = rule.values(values, with_full_table(counts))
    return as_bootstrap(values.columns, aggregated, rule.ranks(aggregated))
