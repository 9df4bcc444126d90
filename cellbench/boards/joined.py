"""consensus.csv: the ranks of several boards side by side, and the ranking of their mean."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from cellbench.boards.leaderboard import whole_numbers
from cellbench.boards.record import check_version, read_record
from cellbench.boards.run_id import check_table
from cellbench.boards.schema import PROVENANCE_FILE, TABLES, consensus_names
from cellbench.boards.text_table import raise_first, read_text, to_numbers
from cellbench.choices import Ties
from cellbench.errors import ScoresError, UsageError
from cellbench.ranking.consensus import consensus


def join_boards(
    ranks: Mapping[str, pd.Series],
    *,
    weights: Mapping[str, float] | None = None,
    ties: str = Ties.MIN,
) -> pd.DataFrame:
    """Join the ranks of several boards.

    Args:
        ranks: by board; index algorithms.
        weights: see [`cellbench.ranking.consensus`][].
        ties: which rank equal mean ranks share.

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
    return side_by_side.set_axis(consensus_names(ranks), axis=1)


def read_ranks(boards: Sequence[str | Path]) -> dict[str, pd.Series]:
    """Read the ranks of boards that ``cellbench rank`` wrote.

    Args:
        boards: their folders.

    Returns:
        By the folder's name; index algorithms.

    Raises:
        ScoresError: if a leaderboard.csv is missing or damaged, a board was made by a version of
            cellbench with other tables, or two folders have the same name.
        UsageError: if no board is given.
    """
    if not boards:
        raise UsageError("consensus: at least one board is needed")
    ranks: dict[str, pd.Series] = {}
    for board in map(Path, boards):
        name = board.resolve().name
        if name in ranks:
            raise ScoresError(
                f"{board}: another board has the name {name!r} too; rename one of the folders"
            )
        ranks[name] = _read_ranks(board)
    return ranks


def _read_ranks(board: Path) -> pd.Series:
    record, path = board / PROVENANCE_FILE, board / TABLES["leaderboard"].file
    if record.is_file():
        facts = read_record(record)
        check_version(record, facts)
        check_table(path, facts)
    table = read_text(path, ("algorithm", "rank"), "make it with cellbench rank")
    ranks = to_numbers(table["rank"], path)
    raise_first(ranks.isna(), path, "the rank is empty")
    raise_first(table.duplicated("algorithm"), path, "this algorithm has a row already")
    return ranks.set_axis(pd.Index(table["algorithm"]))
