"""consensus.csv: the ranks of several boards side by side, and the ranking they add up to."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from cellbench.boards.leaderboard import whole_numbers
from cellbench.boards.text_table import raise_first, read_text, to_numbers
from cellbench.errors import ScoresError, UsageError
from cellbench.ranking.consensus import consensus
from cellbench.ranking.tables import Ties


def join_boards(
    ranks: Mapping[str, pd.Series],
    *,
    weights: Mapping[str, float] | None = None,
    ties: Ties = "min",
) -> pd.DataFrame:
    """Join the ranks of several boards.

    Args:
        ranks: by board; index algorithms.
        weights: see :func:`cellbench.ranking.consensus`.
        ties: see there.

    Returns:
        algorithm, a column of ranks for each board, mean_rank, rank; best first. A board may be
        called like another column: the boards are the columns between the first and the last two.

    Raises:
        ScoresError: if an algorithm is not on every board.
    """
    table = pd.DataFrame(dict(ranks)).sort_index()
    joined = consensus(table.T, weights=weights, ties=ties).sort_values("rank", kind="stable")
    best_first = table.loc[joined.index]
    columns = [whole_numbers(best_first[board]) for board in best_first]
    columns += [joined["mean_rank"], whole_numbers(joined["rank"])]
    side_by_side = pd.DataFrame(dict(enumerate(columns))).reset_index()
    return side_by_side.set_axis(["algorithm", *ranks, "mean_rank", "rank"], axis=1)


def read_ranks(boards: Sequence[str | Path]) -> dict[str, pd.Series]:
    """Read the ranks of boards that ``cellbench rank`` wrote.

    Args:
        boards: their folders.

    Returns:
        By the folder's name; index algorithms.

    Raises:
        ScoresError: if a leaderboard.csv is absent or damaged, or two folders have one name.
        UsageError: if no board is given.
    """
    if not boards:
        raise UsageError("consensus: name at least one board")
    ranks: dict[str, pd.Series] = {}
    for board in map(Path, boards):
        name = board.resolve().name
        if name in ranks:
            raise ScoresError(f"{board}: another board is called {name!r} too; rename one folder")
        ranks[name] = _read_ranks(board / "leaderboard.csv")
    return ranks


def _read_ranks(path: Path) -> pd.Series:
    table = read_text(path, ("algorithm", "rank"), "make it with cellbench rank")
    ranks = to_numbers(table["rank"], path)
    raise_first(ranks.isna(), path, "names no rank")
    raise_first(table.duplicated("algorithm"), path, "is a second row for its algorithm")
    return ranks.set_axis(pd.Index(table["algorithm"]))
