"""The challenge's own score: ranks on F1 and running time, averaged over images and metrics."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from cellbench.errors import ScoresError
from cellbench.ranking.cases import rank_rows
from cellbench.ranking.resampling import (
    Bootstrap,
    as_bootstrap,
    resolve_counts,
    with_full_table,
)
from cellbench.ranking.schemes import Rule, Scheme
from cellbench.ranking.tables import Floats, Missing, Ties, check_weights, rounded

F1_DECIMALS = 4
"""The official compute_metric.py writes F1 with so many decimals, so ranks see no more."""

EQUAL_WEIGHTS = (1.0, 1.0)
"""The challenge weighs F1 and running time alike."""


class _Metrics(NamedTuple):
    """How the two tables are ranked, and how much each counts."""

    f1: Rule
    runtime: Rule
    weights: Floats


class _Scores(NamedTuple):
    """Each (samples, algorithms); runtime is None on a board that ranks on F1 alone."""

    f1: Floats
    runtime: Floats | None
    mean: Floats
    ranks: Floats


def challenge_score(
    f1: pd.DataFrame,
    rank_runtime: pd.DataFrame | None,
    *,
    ties: Ties = "min",
    scheme: Scheme = "rank-then-mean",
    decimals: int | None = F1_DECIMALS,
    weights: tuple[float, float] = EQUAL_WEIGHTS,
    higher_is_better: bool = True,
    missing: Missing = "worst",
) -> pd.DataFrame:
    """Score algorithms as the challenge does.

    With r the rank of algorithm t on one image and metric among all T algorithms, S(t) = Σ r / 2N
    over N images and both metrics, the score is S / T, and the smallest is best (NeurIPS-CellSeg
    paper, Methods, steps 1–3). With weights v of F1 and w of the running time, S is
    (v · mean rank on F1 + w · mean rank on running time) / (v + w).

    Args:
        f1: index images, columns algorithms; any other value serves too.
        rank_runtime: seconds above the tolerance, same images and algorithms. An infinite or
            missing one is a failure and ties as worst. None, or an algorithm without any time: all
            are ranked on F1 alone.
        ties: see :func:`cellbench.ranking.case_ranks`.
        scheme: ``rank-then-mean`` is the challenge's. Under any other scheme the algorithms are
            ranked on each metric, and S is the mean of the two ranks.
        decimals: ranks see F1 rounded to so many, None for not at all.
        weights: of F1 and of the running time. Ranked on F1 alone, its weight must not be 0.
        higher_is_better: whether larger values are better in ``f1``.
        missing: what a missing value in ``f1`` is, see :func:`cellbench.ranking.rank_algorithms`.

    Returns:
        Index algorithms; mean_rank_f1, mean_rank_runtime (NaN where ranked on F1 alone), mean_rank
        (S), score (S / T) and rank.

    Raises:
        ScoresError: if a table cannot be ranked, or the two differ in images or algorithms.
        UsageError: if an option is not known, a weight is negative or both are zero.

    Example:
        >>> f1 = pd.DataFrame({"a": [0.9, 0.8], "b": [0.7, 0.8]})
        >>> time = pd.DataFrame({"a": [3.0, 1.0], "b": [0.0, 0.0]})
        >>> challenge_score(f1, time)["score"].tolist()
        [0.75, 0.625]
    """
    f1 = round_f1(f1, decimals)
    metrics = _metrics(scheme, ties, weights, higher_is_better, missing)
    scores = _scores(f1, rank_runtime, np.ones((1, len(f1))), metrics)
    runtime = np.nan if scores.runtime is None else scores.runtime[0]
    table = {
        "mean_rank_f1": scores.f1[0],
        "mean_rank_runtime": runtime,
        "mean_rank": scores.mean[0],
        "score": scores.mean[0] / f1.shape[1],
        "rank": scores.ranks[0],
    }
    return pd.DataFrame(table, index=f1.columns)


def bootstrap_challenge(
    f1: pd.DataFrame,
    rank_runtime: pd.DataFrame | None,
    *,
    ties: Ties = "min",
    scheme: Scheme = "rank-then-mean",
    samples: int = 1000,
    rng: np.random.Generator | None = None,
    counts: npt.ArrayLike | None = None,
    decimals: int | None = F1_DECIMALS,
    weights: tuple[float, float] = EQUAL_WEIGHTS,
    higher_is_better: bool = True,
    missing: Missing = "worst",
) -> Bootstrap:
    """Score the algorithms again on images drawn with replacement, both metrics of one together.

    Args:
        f1: see :func:`challenge_score`, as are the options not named here.
        rank_runtime: see :func:`challenge_score`.
        ties: see :func:`challenge_score`.
        scheme: see :func:`challenge_score`.
        samples: how many draws.
        rng: draws the images.
        counts: (samples, images), how often each image was drawn: replays given draws.
        decimals: see :func:`challenge_score`.
        weights: see :func:`challenge_score`.
        higher_is_better: see :func:`challenge_score`.
        missing: see :func:`challenge_score`.

    Returns:
        Mean ranks (S) as values, ranks and tau per sample.

    Raises:
        ScoresError: as :func:`challenge_score` and :func:`cellbench.ranking.bootstrap`.
    """
    draws = with_full_table(resolve_counts(len(f1), samples, rng, counts))
    metrics = _metrics(scheme, ties, weights, higher_is_better, missing)
    scores = _scores(round_f1(f1, decimals), rank_runtime, draws, metrics)
    return as_bootstrap(f1.columns, scores.mean, scores.ranks)


def round_f1(f1: pd.DataFrame, decimals: int | None) -> pd.DataFrame:
    """Round F1 as the ranks see it; None leaves it as it is."""
    return f1 if decimals is None else f1.round(decimals)


def never_timed(rank_runtime: pd.DataFrame) -> pd.Series:
    """Say which algorithms have no time at all: all of theirs are missing, or failures (infinite).

    An algorithm that failed on every image is not among them: it has times, all of them worst.
    """
    missing = rank_runtime.isna()
    return missing.any() & (missing | (rank_runtime == np.inf)).all()


def known_runtimes(rank_runtime: pd.DataFrame | None) -> pd.DataFrame | None:
    """Make missing times infinite, or give None where some algorithm has no time at all."""
    if rank_runtime is None or not rank_runtime.isna().to_numpy().any():
        return rank_runtime
    return None if never_timed(rank_runtime).any() else rank_runtime.fillna(np.inf)


def _metrics(
    scheme: Scheme,
    ties: Ties,
    weights: tuple[float, float],
    higher_is_better: bool,
    missing: Missing,
) -> _Metrics:
    return _Metrics(
        f1=Rule(scheme, higher_is_better, ties, missing=missing),
        runtime=Rule(scheme, False, ties),
        weights=check_weights(weights, length=2),
    )


def _scores(
    f1: pd.DataFrame, rank_runtime: pd.DataFrame | None, counts: Floats, metrics: _Metrics
) -> _Scores:
    weight, runtime_weight = metrics.weights
    on_f1 = _mean_ranks(f1, metrics.f1, counts)
    times = known_runtimes(rank_runtime)
    if times is None:
        if weight == 0:
            raise ScoresError("weights: F1 counts nothing, and not every algorithm has times")
        return _Scores(on_f1, None, on_f1, rank_rows(rounded(-on_f1), metrics.f1.ties))
    if not (times.index.equals(f1.index) and times.columns.equals(f1.columns)):
        raise ScoresError("rank_runtime: needs the images and algorithms of f1, in the same order")
    on_runtime = _mean_ranks(times, metrics.runtime, counts)
    mean = (weight * on_f1 + runtime_weight * on_runtime) / (weight + runtime_weight)
    return _Scores(on_f1, on_runtime, mean, rank_rows(rounded(-mean), metrics.f1.ties))


def _mean_ranks(table: pd.DataFrame, rule: Rule, counts: Floats) -> Floats:
    values = rule.values(table, counts)
    return values if rule.scheme == "rank-then-mean" else rule.ranks(values)
