"""The section of the page about perturbed images; only boards with robustness.csv have it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cellbench.boards.reading import BoardTables
from cellbench.boards.robustness import read_robustness, summarise
from cellbench.boards.schema import ALL_KINDS
from cellbench.report.figures.captions import ROBUSTNESS
from cellbench.report.figures.robustness import kind_title
from cellbench.report.page.embedding import Figure, embed_figures
from cellbench.report.page.leaderboard import Cell
from cellbench.report.page.texts import count, number, span


@dataclass(frozen=True)
class Robustness:
    """What the section shows.

    Attributes:
        kinds: title of each column after the mean F1 on unchanged images, and a note: the number of
            images where the kind does not exist for all of them.
        rows: name of each algorithm and its cells, the most robust first.
        figures: the curves; none if they were not drawn.
    """

    kinds: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    figures: list[Figure]


def make_robustness(board: BoardTables, drawn: Sequence[Path]) -> Robustness | None:
    """Make the section about perturbed images.

    Args:
        board: the board.
        drawn: all files of figures.

    Returns:
        The section; None if the board has no robustness.csv, or nothing was perturbed in it.

    Raises:
        ScoresError: if robustness.csv is damaged.
    """
    table = read_robustness(board.folder)
    if table is None or not (table["severity"] > 0).any():
        return None
    summary = summarise(table)
    means = summary[summary["severity"].isna()]
    kinds = [ALL_KINDS, *(kind for kind in means["kind"].unique() if kind != ALL_KINDS)]
    rows = [
        _row(str(name), own.set_index("kind"), kinds) for name, own in means.groupby("algorithm")
    ]
    rows.sort(key=lambda row: -np.nan_to_num(row[1][1].key or 0.0))
    figures = embed_figures(drawn, board.folder, board, (ROBUSTNESS,))
    images = means.groupby("kind")["images"].max()
    columns = [
        (kind_title(kind), "" if most == images.max() else count(most, board.unit))
        for kind, most in ((kind, int(images[kind])) for kind in kinds)
    ]
    return Robustness(tuple(columns), tuple(rows), figures)


def _row(name: str, own: pd.DataFrame, kinds: Sequence[str]) -> tuple[str, tuple[Cell, ...]]:
    cells = [_cell(own["clean_f1"][ALL_KINDS])]
    for kind in kinds:
        if kind not in own.index:
            cells.append(_cell(np.nan))
            continue
        low, high = (float(own[f"relative_{end}"][kind]) for end in ("low", "high"))
        cells.append(_cell(own["relative"][kind], span(low, high, 2)))
    return name, tuple(cells)


def _cell(value: float, detail: str = "") -> Cell:
    return Cell(number(value), value if np.isfinite(value) else None, detail)
