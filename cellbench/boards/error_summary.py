"""scores_summary.csv in a board's folder: kinds of errors, and F1 by size and shape of cell."""

import numpy as np
import pandas as pd

from cellbench.boards.reading import BoardTables
from cellbench.boards.schema import ERROR_SUMMARY
from cellbench.boards.scores import F1
from cellbench.boards.table_files import read_table
from cellbench.errors import ScoresError

_AGAIN = "run `cellbench evaluate --details` again, or delete the file"
_KEY = ["algorithm", "group", "value"]
_COUNTS = ["images", "true_cells", "tp", "fp"]
_ROUNDED = 1e-4  # ranks see F1 rounded to four decimals


def read_error_summary(board: BoardTables) -> tuple[pd.DataFrame | None, str]:
    """Read the rows of scores_summary.csv about the algorithms of a board.

    The table was written by ``cellbench evaluate`` and not by ``cellbench rank``, so it may be of other
    scores than the board.

    Args:
        board: the board; the table may be in its folder.

    Returns:
        The rows, algorithms in the order of the board, or None if there is no table or it is of other
        scores; and in the latter case what is wrong with it.

    Raises:
        ScoresError: if the file is damaged, has two rows for one group of an algorithm or
            lacks counts.
    """
    path = board.folder / ERROR_SUMMARY.file
    if not board.scored or not path.is_file():
        return None, ""
    table = read_table(board.folder, ERROR_SUMMARY, again=_AGAIN)
    if table.duplicated(_KEY).any():
        raise ScoresError(f"{path}: has two rows for one group of an algorithm; {_AGAIN}")
    if not np.isfinite(table[_COUNTS]).all(axis=None):
        raise ScoresError(f"{path}: has a row without {', '.join(_COUNTS)}; {_AGAIN}")
    if problem := _difference(table[table["group"] == "all"].set_index("algorithm"), board):
        return None, f"{path}: {problem}, so the page does not show it; {_AGAIN}"
    names = {name: place for place, name in enumerate(board.ranking.index)}
    table = table[table["algorithm"].isin(names)]
    return table.sort_values("algorithm", key=lambda column: column.map(names), kind="stable"), ""


def _difference(summary: pd.DataFrame, board: BoardTables) -> str:
    """Return how the summary of all images differs from the leaderboard; empty if it does not."""
    for row in board.leaderboard.to_dict("records"):
        name = row["algorithm"]
        if name not in summary.index:
            return f"lacks the algorithm {name!r} of this board"
        columns = ["images"] if board.value != F1 else ["images", "median_f1", "mean_f1"]
        for column in columns:
            if not np.isclose(summary[column][name], row[column], rtol=0, atol=_ROUNDED):
                return f"is of other scores than this board ({column} of {name!r} differs)"
    return ""
