"""error_kinds: what happened to the true cells of one size, and of one shape."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from cellbench.boards.reading import BoardTables
from cellbench.evaluation.cell_classes import CLASS_GROUPS, SHAPE_WORDS
from cellbench.report.figures.captions import ERRORS
from cellbench.report.figures.errors import add_keys, draw_true_cells, error_shares
from cellbench.report.figures.errors_by_cell import cell_classes, class_label
from cellbench.report.figures.rows import name_rows, rows_height
from cellbench.report.figures.style import WIDTH, new_figure


def plot_error_kinds(summary: pd.DataFrame, board: BoardTables) -> Figure:
    """Draw a panel per class of cells with a stacked bar per algorithm.

    Args:
        summary: the rows of scores_summary.csv about the algorithms of the board, with kinds of errors
            by size or shape.
        board: the tables; the ranking is used.

    Returns:
        The figure, to be saved inside `house_style`.
    """
    found = [
        (group, str(value), int(cells))
        for group in CLASS_GROUPS
        for value, cells in cell_classes(summary, group).items()
    ]
    figure = new_figure(
        WIDTH,
        rows_height(len(board.ranking)) + 1.2,
        ERRORS[2].title,
        "Share of the true cells of one size (in px) or shape, in %; above: number of true cells. "
        f"{SHAPE_WORDS.capitalize()}",
    )
    panels = figure.subplots(1, len(found), squeeze=False)[0]
    for place, (axes, (group, value, cells)) in enumerate(zip(panels, found, strict=True)):
        rows = summary[(summary["group"] == group) & (summary["value"] == value)]
        true, _ = error_shares(rows.set_index("algorithm").reindex(board.ranking.index))
        draw_true_cells(axes, true)
        name_rows(axes, board.ranking, longest=26)
        if place:
            axes.set_yticks([])
        axes.set_xlim(0, 1)
        axes.set_xticks([0, 0.5, 1])
        axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=""))
        axes.tick_params(axis="x", labelsize=8)
        axes.set_title(f"{class_label(value)}\n{cells:,}", fontsize=9, loc="center")
    add_keys(figure, map(str, true))
    return figure
