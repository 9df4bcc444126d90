"""What the ranking would be under every other choice of how to rank."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple, Unpack

import numpy as np
import pandas as pd

from cellbench.ranking.challenge import F1_DECIMALS, known_runtimes, round_values, score_table
from cellbench.ranking.options import SCHEMES, TIES, Choices, Options, make_options

WEIGHTS = {
    "F1 only": (1.0, 0.0),
    "3:1": (3.0, 1.0),
    "1:1": (1.0, 1.0),
    "1:3": (1.0, 3.0),
    "running time only": (0.0, 1.0),
}
"""Weights of F1 and running time that [`sensitivity`][] tries."""


class _Try(NamedTuple):
    option: str
    choice: str
    options: Options
    rank_runtime: pd.DataFrame | None


def sensitivity(
    values: pd.DataFrame,
    rank_runtime: pd.DataFrame | None,
    *,
    decimals: int | None = F1_DECIMALS,
    tolerances: Mapping[str, pd.DataFrame] | None = None,
    **choices: Unpack[Choices],
) -> pd.DataFrame:
    """Rank again with one option changed at a time, and list who changes places.

    Args:
        values: see [`cellbench.ranking.challenge_score`][].
        rank_runtime: see [`cellbench.ranking.challenge_score`][].
        decimals: the board's own; no other number is tried.
        tolerances: tables like ``rank_runtime`` under other tolerances, by the name of their choice.
            The table that equals ``rank_runtime`` is the board's own; where none does, it is listed
            as ``own``.
        **choices: the board's own, see [`cellbench.ranking.challenge_score`][].

    Returns:
        option, choice, algorithm, rank, places (rank less the rank under the board's own choices:
        above 0 is a loss). Options are ``ties``, ``scheme`` and, where there are running times to
        rank on, ``weights`` and ``tolerance``; each lists the board's own choice too, with places 0.

    Raises:
        ScoresError: as [`cellbench.ranking.challenge_score`][].
        UsageError: as [`cellbench.ranking.challenge_score`][].

    Examples:
        >>> f1 = pd.DataFrame({"a": [0.9, 0.7], "b": [0.9, 0.8], "c": [0.6, 0.9]})
        >>> table = sensitivity(f1, None)
        >>> changed = table[table["places"] != 0]
        >>> changed[["option", "choice"]].drop_duplicates().to_numpy().tolist()[0]
        ['ties', 'average']
    """
    values, options = round_values(values, decimals), make_options(choices, Choices)
    return try_alternatives(values, rank_runtime, options, tolerances or {})


def try_alternatives(
    values: pd.DataFrame,
    rank_runtime: pd.DataFrame | None,
    options: Options,
    tolerances: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """Rank again with one option changed at a time; see [`sensitivity`][].

    Args:
        values: index images, columns algorithms, rounded already.
        rank_runtime: seconds above the tolerance, or None.
        options: the board's own.
        tolerances: tables like ``rank_runtime`` under other tolerances, by name.

    Returns:
        As [`sensitivity`][].

    Raises:
        ScoresError: if a table cannot be ranked.
    """
    own = score_table(values, rank_runtime, options)["rank"].to_numpy()
    parts = []
    for option, choice, changed, times in _tries(rank_runtime, options, tolerances):
        rank = score_table(values, times, changed)["rank"].to_numpy()
        columns = {"algorithm": values.columns, "rank": rank, "places": rank - own}
        parts.append(pd.DataFrame({"option": option, "choice": choice, **columns}))
    return pd.concat(parts, ignore_index=True)


def _tries(
    rank_runtime: pd.DataFrame | None, options: Options, tolerances: Mapping[str, pd.DataFrame]
) -> Iterator[_Try]:
    for ties in TIES:
        yield _Try("ties", ties.value, replace(options, ties=ties), rank_runtime)
    for scheme in SCHEMES:
        yield _Try("scheme", scheme.value, replace(options, scheme=scheme), rank_runtime)
    if rank_runtime is None or known_runtimes(rank_runtime) is None:
        return
    for name, weights in _weights(options.weights).items():
        yield _Try("weights", name, replace(options, weights=weights), rank_runtime)
    if tolerances and not any(table.equals(rank_runtime) for table in tolerances.values()):
        yield _Try("tolerance", "own", options, rank_runtime)
    for name, table in tolerances.items():
        yield _Try("tolerance", name, options, table)


def _weights(own: tuple[float, float]) -> dict[str, tuple[float, float]]:
    """Return the weights to try by name, the board's own first where no other equals them."""
    shares = [weight[0] / sum(weight) for weight in WEIGHTS.values()]
    if np.isclose(own[0] / sum(own), shares).any():
        return WEIGHTS
    return {f"{own[0]:g}:{own[1]:g}": own, **WEIGHTS}
