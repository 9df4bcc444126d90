"""From the tables of a board to its figures."""

from cellbench.report.board import draw_board

__all__ = ["draw_board"]
