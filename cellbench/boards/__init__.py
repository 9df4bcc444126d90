"""Boards: scores, long tables and submissions to the files of a leaderboard, and back."""

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
