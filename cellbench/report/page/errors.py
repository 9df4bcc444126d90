"""The section of the page about errors by kind, size and shape; only boards with scores_summary.csv."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cellbench.boards.error_summary import read_error_summary
from cellbench.boards.reading import BoardTables
from cellbench.evaluation.cell_classes import CLASS_GROUPS
from cellbench.report.figures.captions import ERRORS
from cellbench.report.figures.errors import KIND_TITLES, error_shares
from cellbench.report.figures.errors_by_cell import cell_classes
from cellbench.report.page.embedding import Figure, embed_figures
from cellbench.report.page.leaderboard import Cell, Column
from cellbench.report.page.texts import NOTHING, count, number

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Errors:
    """What the section shows.

    Attributes:
        caption: what the table shows.
        columns: the columns after the algorithm: kinds of errors, then F1 by size and shape.
        rows: name of each algorithm and its cells, in the order of the board.
        figures: the bars and the heat map; none if they were not drawn.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    figures: list[Figure]


def make_errors(board: BoardTables, drawn: Sequence[Path]) -> Errors | None:
    """Make the section about errors; a table of other scores than the board's is named in a warning.

    Args:
        board: the board.
        drawn: all files of figures.

    Returns:
        The section; None if the board has no scores_summary.csv of its scores.

    Raises:
        ScoresError: if scores_summary.csv is damaged.
    """
    summary, problem = read_error_summary(board)
    if problem:
        _log.warning("%s", problem)
    if summary is None:
        return None
    names = [str(name) for name in board.ranking.index]
    columns = [*_kinds(summary), *_by_class(summary, names)]
    rows = [
        (name, tuple(_cell(values[name], share=share) for _, values, share in columns))
        for name in names
    ]
    figures = embed_figures(drawn, board.folder, board, ERRORS)
    cells = count(int(_overall(summary)["true_cells"].max()), "true cell")
    return Errors(
        f"Cells found and errors, divided by the {cells}, and F1 by size and shape of the cells; "
        "algorithms in the order of the leaderboard",
        tuple(column for column, *_ in columns),
        tuple(rows),
        figures,
    )


_Filled = tuple[Column, pd.Series, bool]
"""A column, its value by algorithm, and whether it is a share."""


def _kinds(summary: pd.DataFrame) -> list[_Filled]:
    true, predicted = error_shares(_overall(summary))
    found: list[_Filled] = [
        (Column(KIND_TITLES[kind].capitalize(), "", kind == "found"), true[kind], True)
        for kind in map(str, true)
    ]
    return [*found, (Column("Spurious", ""), predicted["spurious"], True)]


def _overall(summary: pd.DataFrame) -> pd.DataFrame:
    return summary[summary["group"] == "all"].set_index("algorithm")


def _by_class(summary: pd.DataFrame, names: list[str]) -> list[_Filled]:
    found: list[_Filled] = []
    for group in CLASS_GROUPS:
        rows = summary[summary["group"] == group].set_index(["value", "algorithm"])["f1"]
        for value, cells in cell_classes(summary, group).items():
            column = Column(str(value).capitalize(), f"F1 of {count(int(cells), 'cell')}", True)
            found.append((column, rows[str(value)].reindex(names), False))
    return found


def _cell(value: float, *, share: bool) -> Cell:
    if not np.isfinite(value):
        return Cell(NOTHING)
    return Cell(f"{number(100 * value, 1)} %" if share else number(value), float(value))
