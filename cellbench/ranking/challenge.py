"""The challenge's own score: ranks on F1 and running time, averaged over images and metrics."""

from dataclasses import replace
from typing import NamedTuple, Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd

from cellbench.choices import Scheme
from cellbench.errors import ScoresError
from cellbench.ranking.cases import rank_rows
from cellbench.ranking.options import Choices, Options, make_options
from cellbench.ranking.resampling import (
    Bootstrap,
    as_bootstrap,
    resolve_counts,
    with_full_table,
)
from cellbench.ranking.schemes import Rule
from cellbench.ranking.tables import Floats, rounded

F1_DECIMALS = 4
"""The official compute_metric.py writes F1 with this many decimals, so ranks see no more."""


class _Scores(NamedTuple):
    """Each (samples, algorithms); runtime is None on a board that ranks on the values alone."""

    value: Floats
    runtime: Floats | None
    mean: Floats
    ranks: Floats


def challenge_score(
    values: pd.DataFrame,
    rank_runtime: pd.DataFrame | None,
    *,
    decimals: int | None = F1_DECIMALS,
    **choices: Unpack[Choices],
) -> pd.DataFrame:
    """Score algorithms as the challenge does.

    With r the rank of algorithm t on one image and metric among all T algorithms, S(t) = Σ r / 2N
    over N images and both metrics, the score is S / T, and the smallest is best (NeurIPS-CellSeg
    paper, Methods, steps 1–3). With weights v of the value and w of the running time, S is
    (v · mean rank on the value + w · mean rank on running time) / (v + w).

    Args:
        values: index images, columns algorithms: F1 in the challenge, but any value can be ranked.
        rank_runtime: seconds above the tolerance, same images and algorithms. An infinite or
            missing one is a failure and ties as worst. None, or an algorithm without any time: all
            are ranked on the values alone.
        decimals: ranks see the values rounded to this many decimals; None: not rounded.
        **choices: ``ties``, ``scheme``, ``weights``, ``higher_is_better``, ``missing`` and, for
            ``test-then-rank``, ``alpha`` and ``adjust``: see [`cellbench.ranking.Options`][].
            The challenge's scheme is ``rank-then-mean``, the default. Under any other scheme the
            algorithms are ranked on each metric, and S is the mean of the two ranks.

    Returns:
        Index algorithms; mean_rank_f1 (on whatever the values are), mean_rank_runtime (NaN
        where ranked on the values alone), mean_rank (S), score (S / T) and rank.

    Raises:
        ScoresError: if a table cannot be ranked, or the two differ in images or algorithms.
        UsageError: if an option is not known, a weight is negative or both are zero.

    Examples:
        >>> f1 = pd.DataFrame({"a": [0.9, 0.8], "b": [0.7, 0.8]})
        >>> time = pd.DataFrame({"a": [3.0, 1.0], "b": [0.0, 0.0]})
        >>> challenge_score(f1, time)["score"].tolist()
        [0.75, 0.625]
    """
    return score_table(round_values(values, decimals), rank_runtime, make_options(choices, Choices))


def score_table(
    values: pd.DataFrame, rank_runtime: pd.DataFrame | None, options: Options
) -> pd.DataFrame:
    """Score algorithms on values that are rounded already; see [`challenge_score`][].

    Args:
        values: index images, columns algorithms.
        rank_runtime: seconds above the tolerance, or None.
        options: how to rank.

    Returns:
        As [`challenge_score`][].

    Raises:
        ScoresError: if a table cannot be ranked, or the two differ in images or algorithms.
    """
    scores = _scores(values, rank_runtime, np.ones((1, len(values))), options)
    runtime = np.nan if scores.runtime is None else scores.runtime[0]
    table = {
        "mean_rank_f1": scores.value[0],
        "mean_rank_runtime": runtime,
        "mean_rank": scores.mean[0],
        "score": scores.mean[0] / values.shape[1],
        "rank": scores.ranks[0],
    }
    return pd.DataFrame(table, index=values.columns)


def bootstrap_challenge(
    values: pd.DataFrame,
    rank_runtime: pd.DataFrame | None,
    *,
    samples: int = 1000,
    rng: np.random.Generator | None = None,
    counts: npt.ArrayLike | None = None,
    decimals: int | None = F1_DECIMALS,
    **choices: Unpack[Choices],
) -> Bootstrap:
    """Score the algorithms again on images drawn with replacement, both metrics of an image together.

    Args:
        values: see [`challenge_score`][].
        rank_runtime: see [`challenge_score`][].
        samples: number of draws.
        rng: draws the images.
        counts: (samples, images), how often each image was drawn; replays these draws.
        decimals: see [`challenge_score`][].
        **choices: see [`challenge_score`][].

    Returns:
        Mean ranks (S) as values, ranks and tau per sample.

    Raises:
        ScoresError: as [`challenge_score`][] and [`cellbench.ranking.bootstrap`][].
        UsageError: as [`challenge_score`][].
    """
    drawn = resolve_counts(len(values), samples, rng, counts)
    return bootstrap_score(
        round_values(values, decimals), rank_runtime, drawn, make_options(choices, Choices)
    )


def bootstrap_score(
    values: pd.DataFrame, rank_runtime: pd.DataFrame | None, counts: Floats, options: Options
) -> Bootstrap:
    """Score algorithms again on given draws of the images; see [`bootstrap_challenge`][].

    Args:
        values: index images, columns algorithms, rounded already.
        rank_runtime: seconds above the tolerance, or None.
        counts: (samples, images), how often each image was drawn.
        options: how to rank.

    Returns:
        As [`bootstrap_challenge`][].

    Raises:
        ScoresError: if a table cannot be ranked, or the two differ in images or algorithms.
    """
    scores = _scores(values, rank_runtime, with_full_table(counts), options)
    return as_bootstrap(values.columns, scores.mean, scores.ranks)


def combined_ranks(
    values: pd.DataFrame, rank_runtime: pd.DataFrame, options: Options
) -> pd.DataFrame:
    """Rank the algorithms on each image by value and by running time, and average the two ranks.

    These are the numbers whose mean over the images is the challenge's mean rank (S), so that a
    paired test on them tests what decides the leaderboard.

    Args:
        values: index images, columns algorithms, rounded already.
        rank_runtime: seconds above the tolerance, none missing.
        options: ties, weights and direction.

    Returns:
        Weighted means of the two ranks, like ``values``; smaller is better.

    Raises:
        ScoresError: if a table cannot be ranked, or the two differ in images or algorithms.
    """
    _check_same(values, rank_runtime)
    weight, runtime_weight = options.weights
    value_rule, runtime_rule = Rule(options), Rule(_of_runtime(options))
    on_value = value_rule.case_ranks(value_rule.turned(values))
    on_runtime = runtime_rule.case_ranks(runtime_rule.turned(rank_runtime))
    mean = (weight * on_value + runtime_weight * on_runtime) / (weight + runtime_weight)
    return pd.DataFrame(rounded(mean), index=values.index, columns=values.columns)


def round_values(values: pd.DataFrame, decimals: int | None) -> pd.DataFrame:
    """Round values to what the ranks see.

    Args:
        values: index images, columns algorithms.
        decimals: how many; None leaves the values as they are.

    Returns:
        The rounded table.
    """
    return values if decimals is None else values.round(decimals)


def never_timed(rank_runtime: pd.DataFrame) -> pd.Series:
    """Return which algorithms have no time at all: each is missing, or a failure (infinite).

    An algorithm that failed on every image is not among them: it has times, all of them worst.

    Args:
        rank_runtime: index images, columns algorithms; seconds above the tolerance.

    Returns:
        Index algorithms, True where there is no time.
    """
    missing = rank_runtime.isna()
    return missing.any() & (missing | (rank_runtime == np.inf)).all()


def known_runtimes(rank_runtime: pd.DataFrame | None) -> pd.DataFrame | None:
    """Return the running times to rank on, with missing ones infinite.

    Args:
        rank_runtime: index images, columns algorithms; seconds above the tolerance.

    Returns:
        The times, or None where some algorithm has no time at all.
    """
    if rank_runtime is None or not rank_runtime.isna().to_numpy().any():
        return rank_runtime
    return None if never_timed(rank_runtime).any() else rank_runtime.fillna(np.inf)


def _of_runtime(options: Options) -> Options:
    """Return the options for running times: the smallest is best, and none is missing."""
    return replace(options, higher_is_better=False, missing="worst")


def _check_same(values: pd.DataFrame, rank_runtime: pd.DataFrame) -> None:
    same_images = rank_runtime.index.equals(values.index)
    if not (same_images and rank_runtime.columns.equals(values.columns)):
        raise ScoresError(
            "rank_runtime: must have the images and algorithms of the values, in the same order"
        )


def _scores(
    values: pd.DataFrame, rank_runtime: pd.DataFrame | None, counts: Floats, options: Options
) -> _Scores:
    weight, runtime_weight = options.weights
    on_value = _mean_ranks(values, options, counts)
    times = known_runtimes(rank_runtime)
    if times is None:
        if weight == 0:
            raise ScoresError(
                "weights: only running times would count, but not every algorithm has them"
            )
        return _Scores(on_value, None, on_value, rank_rows(rounded(-on_value), options.ties))
    _check_same(values, times)
    on_runtime = _mean_ranks(times, _of_runtime(options), counts)
    mean = (weight * on_value + runtime_weight * on_runtime) / (weight + runtime_weight)
    return _Scores(on_value, on_runtime, mean, rank_rows(rounded(-mean), options.ties))


def _mean_ranks(table: pd.DataFrame, options: Options, counts: Floats) -> Floats:
    rule = Rule(options)
    values = rule.values(table, counts)
    return values if options.scheme == Scheme.RANK_THEN_MEAN else rule.ranks(values)
