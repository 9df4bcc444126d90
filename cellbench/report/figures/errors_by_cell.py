"""errors_by_cell: the F1 of each algorithm on cells of one size, and of one shape."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cellbench.boards.reading import BoardTables
from cellbench.evaluation.cell_classes import AREA, CLASS_GROUPS, SHAPE_WORDS
from cellbench.report.figures.captions import ERRORS
from cellbench.report.figures.rows import letter_size, name_rows, rows_height
from cellbench.report.figures.style import GRID, INK, SHARES, WIDTH, new_figure

_LIGHT = 0.7  # F1 up to which letters are dark
_PALEST = 0.75  # share of the colours that is used: numbers stay legible on the darkest


def plot_errors_by_cell(summary: pd.DataFrame, board: BoardTables) -> Figure:
    """Draw a square per algorithm and class of cells, with the F1 as colour and number.

    Args:
        summary: the rows of scores_summary.csv about the algorithms of the board, with sizes or shapes.
        board: the tables; the ranking is used.

    Returns:
        The figure, to be saved inside `house_style`.
    """
    groups = {group: cell_classes(summary, group) for group in CLASS_GROUPS}
    groups = {group: classes for group, classes in groups.items() if len(classes)}
    size = len(board.ranking)
    figure = new_figure(
        WIDTH,
        rows_height(size) + 1.1,
        ERRORS[1].title,
        "F1 at IoU 0.5 on cells of one size or shape; below: number of true cells. "
        f"{SHAPE_WORDS.capitalize()}",
    )
    widths = [len(classes) for classes in groups.values()]
    panels = figure.subplots(1, len(widths), width_ratios=widths, squeeze=False)[0]
    for place, axes in enumerate(panels):
        _clear(axes, board.ranking, named=place == 0)
    for axes, (group, classes) in zip(panels, groups.items(), strict=True):
        _draw_group(axes, summary[summary["group"] == group], classes, board)
        unit = " in px" if group == AREA else ""
        axes.set_title(f"{group.capitalize()}{unit}", fontsize=10)
    return figure


def cell_classes(summary: pd.DataFrame, group: str) -> pd.Series:
    """Return the number of true cells of each class of a group, without classes that have none.

    Args:
        summary: rows of scores_summary.csv.
        group: ``cell area`` or ``cell shape``.

    Returns:
        Index names of the classes, in order.
    """
    rows = summary[summary["group"] == group]
    cells = rows.groupby("value")["true_cells"].max()
    cells = cells.reindex([name for name in CLASS_GROUPS[group] if name in cells.index])
    return cells[cells > 0].astype(int)


def _clear(axes: Axes, ranking: pd.Series, *, named: bool) -> None:
    if named:
        name_rows(axes, ranking, longest=26)
    else:
        axes.set_yticks([])
    axes.set_ylim(len(ranking) - 0.5, -0.5)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _draw_group(axes: Axes, rows: pd.DataFrame, classes: pd.Series, board: BoardTables) -> None:
    table = rows.pivot(index="algorithm", columns="value", values="f1")
    values = table.reindex(index=board.ranking.index, columns=classes.index).to_numpy(float)
    axes.pcolormesh(
        np.arange(len(classes) + 1) - 0.5,
        np.arange(len(values) + 1) - 0.5,
        values * _PALEST,
        cmap=SHARES,
        vmin=0,
        vmax=1,
        edgecolors=GRID,
        linewidth=0.6,
    )
    for (row, column), value in np.ndenumerate(values):
        axes.text(
            column,
            row,
            f"{value:.2f}" if np.isfinite(value) else "–",
            color="white" if value > _LIGHT else INK,
            ha="center",
            va="center_baseline",
            fontsize=letter_size(len(values)),
        )
    labels = [f"{class_label(str(name))}\n{cells:,}" for name, cells in classes.items()]
    axes.set_xticks(range(len(classes)), labels, fontsize=8.5)


def class_label(name: str) -> str:
    """Shorten the name of a class of cells, so that it fits above or below its column.

    Args:
        name: the name in the tables.

    Examples:
        >>> class_label("100 to 999 px"), class_label("10000 and more px"), class_label("oval")
        ('100–999', '≥ 10000', 'oval')
    """
    lowest, more, _ = name.partition(" and more px")
    return f"≥ {lowest}" if more else name.removesuffix(" px").replace(" to ", "–")
