"""Boards: scores, long tables and submissions to the files of a leaderboard, and back."""

from typing import TYPE_CHECKING

from cellbench.lazy import lazy_names

if TYPE_CHECKING:
    from cellbench.boards.board import Board, rank_board
    from cellbench.boards.long_table import Columns, read_long_table
    from cellbench.boards.scores import read_scores
    from cellbench.boards.writing import write_board

__all__ = [
    "Board",
    "Columns",
    "rank_board",
    "read_long_table",
    "read_scores",
    "write_board",
]

_HOMES = {
    "board": ("Board", "rank_board"),
    "long_table": ("Columns", "read_long_table"),
    "scores": ("read_scores",),
    "writing": ("write_board",),
}
# The schema is read for `--help`, which should not wait for pandas.
__getattr__ = lazy_names(
    __name__, {name: f"{__name__}.{module}" for module, names in _HOMES.items() for name in names}
)
