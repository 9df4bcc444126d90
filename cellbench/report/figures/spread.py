"""How the values of each algorithm spread over the images."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from cellbench.boards.measured import fill_missing
from cellbench.boards.reading import BoardTables

PARTS = {"low": 0.025, "first": 0.25, "median": 0.5, "third": 0.75, "high": 0.975}
"""What boxes show: 95 % of the images, the middle half, and the median."""


def filled_values(board: BoardTables) -> pd.DataFrame:
    """Return the values, where missing ones are replaced as the board's rules say.

    Args:
        board: the tables; values and provenance are used.

    Returns:
        Index images, columns algorithms.
    """
    table = board.values.pivot(index="image", columns="algorithm", values=board.value)
    missing = board.provenance["missing"]
    return fill_missing(table, missing, higher_is_better=board.higher_is_better)


def spread_of(board: BoardTables, images: Collection[str] | None = None) -> pd.DataFrame:
    """Compute the percentiles of ``PARTS`` for each algorithm, best rank first.

    Args:
        board: the tables.
        images: the images to use; None for all.

    Returns:
        Index algorithms; columns ``PARTS``. An infinite percentile means that failures count as
        infinitely bad; NaN means that there are no values.
    """
    table = filled_values(board)
    if images is not None:
        table = table.loc[table.index.isin(images)]
    worst = -np.inf if board.higher_is_better else np.inf
    with np.errstate(invalid="ignore"):  # between two infinite values
        parts = table.quantile(list(PARTS.values())).T.set_axis(list(PARTS), axis=1)
    some = table.notna().any()
    return parts.where(parts.notna() | ~some.to_numpy()[:, None], worst).loc[board.ranking.index]
