"""What the ranking would be under every other choice of how to rank."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from cellbench.ranking.challenge import EQUAL_WEIGHTS, F1_DECIMALS, challenge_score, known_runtimes
from cellbench.ranking.schemes import SCHEMES, Scheme
from cellbench.ranking.tables import TIES, Missing, Ties

WEIGHTS = {
    "F1 only": (1.0, 0.0),
    "3:1": (3.0, 1.0),
    "1:1": (1.0, 1.0),
    "1:3": (1.0, 3.0),
    "running time only": (0.0, 1.0),
}
"""Weights of F1 and running time that :func:`sensitivity` tries."""


class _Try(NamedTuple):
    option: str
    choice: str
    changed: dict[str, Any]


def sensitivity(
    f1: pd.DataFrame,
    rank_runtime: pd.DataFrame | None,
    *,
    ties: Ties = "min",
    scheme: Scheme = "rank-then-mean",
    weights: tuple[float, float] = EQUAL_WEIGHTS,
    decimals: int | None = F1_DECIMALS,
    higher_is_better: bool = True,
    missing: Missing = "worst",
    tolerances: Mapping[str, pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """Rank again with one option changed at a time, and say who changes places.

    Args:
        f1: see :func:`cellbench.ranking.challenge_score`, as are the options not named here, which
            are the board's own choices.
        rank_runtime: see :func:`cellbench.ranking.challenge_score`.
        ties: the board's own.
        scheme: the board's own.
        weights: the board's own.
        decimals: the board's own; nothing else is tried.
        higher_is_better: see :func:`cellbench.ranking.challenge_score`.
        missing: see :func:`cellbench.ranking.challenge_score`.
        tolerances: tables like ``rank_runtime`` under other tolerances, by the name of their choice.
            The table that equals ``rank_runtime`` is the board's own; where none does, it is listed
            as ``own``.

    Returns:
        option, choice, algorithm, rank, places (rank less the rank under the board's own choices:
        above 0 is a loss). Options are ``ties``, ``scheme`` and, where there are running times to
        rank on, ``weights`` and ``tolerance``; each lists the board's own choice too, with places 0.

    Raises:
        ScoresError: as :func:`cellbench.ranking.challenge_score`.

    Example:
        >>> f1 = pd.DataFrame({"a": [0.9, 0.7], "b": [0.9, 0.8], "c": [0.6, 0.9]})
        >>> table = sensitivity(f1, None)
        >>> changed = table[table["places"] != 0]
        >>> changed[["option", "choice"]].drop_duplicates().to_numpy().tolist()[0]
        ['ties', 'average']
    """
    ranked = partial(
        challenge_score,
        f1,
        rank_runtime=rank_runtime,
        ties=ties,
        scheme=scheme,
        weights=weights,
        decimals=decimals,
        higher_is_better=higher_is_better,
        missing=missing,
    )
    own = ranked()["rank"].to_numpy()
    tries = [_Try("ties", choice, {"ties": choice}) for choice in TIES]
    tries += [_Try("scheme", choice, {"scheme": choice}) for choice in SCHEMES]
    if rank_runtime is not None and known_runtimes(rank_runtime) is not None:
        tries += [*_weights(weights), *_tolerances(rank_runtime, tolerances or {})]
    parts = []
    for option, choice, changed in tries:
        rank = ranked(**changed)["rank"].to_numpy()
        columns = {"algorithm": f1.columns, "rank": rank, "places": rank - own}
        parts.append(pd.DataFrame({"option": option, "choice": choice, **columns}))
    return pd.concat(parts, ignore_index=True)


def _weights(own: tuple[float, float]) -> Iterator[_Try]:
    shares = {name: weight[0] / sum(weight) for name, weight in WEIGHTS.items()}
    if not np.isclose(own[0] / sum(own), list(shares.values())).any():
        yield _Try("weights", f"{own[0]:g}:{own[1]:g}", {})
    for name, weight in WEIGHTS.items():
        yield _Try("weights", name, {"weights": weight})


def _tolerances(own: pd.DataFrame, others: Mapping[str, pd.DataFrame]) -> Iterator[_Try]:
    if others and not any(table.equals(own) for table in others.values()):
        yield _Try("tolerance", "own", {})
    for name, table in others.items():
        yield _Try("tolerance", name, {"rank_runtime": table})
