"""One ranking from several boards: the mean of the ranks, and the rank of the mean."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cellbench.choices import Ties
from cellbench.errors import ScoresError
from cellbench.ranking.cases import rank_rows
from cellbench.ranking.options import TableChoices, make_options
from cellbench.ranking.tables import Floats, as_numbers, check_weights, rounded


def consensus(
    ranks: pd.DataFrame,
    *,
    weights: Mapping[str, float] | None = None,
    ties: str = Ties.MIN,
) -> pd.DataFrame:
    """Rank the algorithms by the mean of their ranks on several boards.

    The consensus of the Medical Segmentation Decathlon and of grand-challenge.org; with one weight
    for all boards, what challengeR's users call "mean of ranks" (its issue #32).

    Args:
        ranks: index boards (tasks, modalities, metrics), columns algorithms; 1 is best.
        weights: how much each board counts, one per board; None: all the same.
        ties: which rank equal mean ranks share, see [`cellbench.ranking.case_ranks`][].

    Returns:
        Index algorithms; mean_rank and rank. Means are rounded to 12 significant
        digits before they are ranked.

    Raises:
        ScoresError: if there is no board or algorithm, one occurs twice, an algorithm has no rank on
            some board, or ``weights`` does not name the boards.
        UsageError: if a weight is negative or all are zero.

    Examples:
        >>> ranks = pd.DataFrame({"a": [1, 3], "b": [2, 2], "c": [3, 1]}, index=["day", "night"])
        >>> consensus(ranks, weights={"day": 3, "night": 1})["mean_rank"].tolist()
        [1.5, 2.0, 2.5]
    """
    shared = make_options({"ties": ties}, TableChoices).ties
    numbers = _checked(ranks)
    weight = _weight_per_board(ranks.index, weights)
    mean = (weight @ numbers) / weight.sum()
    table = {"mean_rank": mean, "rank": rank_rows(rounded(-mean), shared)}
    return pd.DataFrame(table, index=ranks.columns)


def _checked(ranks: pd.DataFrame) -> Floats:
    numbers = as_numbers(ranks, "ranks", "board")
    if not np.isfinite(numbers).all():
        board, algorithm = np.argwhere(~np.isfinite(numbers))[0]
        raise ScoresError(
            f"ranks: {str(ranks.columns[algorithm])!r} has no rank on the board "
            f"{str(ranks.index[board])!r}; rank it there too, or leave it out of all boards"
        )
    return numbers


def _weight_per_board(boards: pd.Index, weights: Mapping[str, float] | None) -> Floats:
    if weights is None:
        return np.ones(len(boards))
    if set(weights) != set(boards):
        expected = ", ".join(map(str, boards))
        raise ScoresError(f"weights: must be one per board ({expected}), not {dict(weights)}")
    return check_weights([weights[board] for board in boards], length=len(boards))
