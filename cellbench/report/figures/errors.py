"""errors: what happened to the true cells, and how many predicted cells match none."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from cellbench.boards.reading import BoardTables
from cellbench.report.figures.captions import ERRORS
from cellbench.report.figures.rows import letter_size, name_rows, rows_height, write_beside
from cellbench.report.figures.style import INK, WIDTH, count_units, new_figure

KIND_TITLES = {
    "found": "found",
    "poor_outline": "poor outline",
    "split": "split",
    "merged": "merged",
    "missed": "missed",
    "spurious": "spurious",
}
"""What can happen to a cell, in words."""

# Okabe and Ito (2008), and from light to dark in the order of the bars, also in gray.
_COLOURS = {
    "found": "#d9e6ef",
    "poor_outline": "#56B4E9",
    "split": "#E69F00",
    "merged": "#CC79A7",
    "missed": "#3a3a3a",
    "spurious": "#D55E00",
}
_TRUE = ("found", "poor_outline", "split", "merged", "missed")
_PREDICTED = ("spurious", "poor_outline", "split", "merged")
_BAR = 0.74


def plot_errors(summary: pd.DataFrame, board: BoardTables) -> Figure:
    """Draw two stacked bars per algorithm: the true cells, and the predicted cells that match none.

    Args:
        summary: the rows of scores_summary.csv about the algorithms of the board.
        board: the tables; the ranking is used.

    Returns:
        The figure, to be saved inside `house_style`.
    """
    overall = summary[summary["group"] == "all"].set_index("algorithm").loc[board.ranking.index]
    true, predicted = error_shares(overall)
    size = len(overall)
    cells = int(overall["true_cells"].max())
    caption = ERRORS[0]
    figure = new_figure(
        WIDTH,
        rows_height(size) + 1.3,
        caption.title,
        f"Left: share of {count_units(cells, 'true cell')}, and how many are found; right: predicted cells "
        "that match none, for each true cell",
    )
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    draw_true_cells(left, true)
    name_rows(left, board.ranking, longest=26)
    left.set_xlim(0, 1)
    left.xaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    left.set_xlabel("True cells")
    for row, share in enumerate(true["found"]):
        left.annotate(
            f"{100 * share:.1f} %" if np.isfinite(share) else "",
            *((0, row), (4, 0)),
            textcoords="offset points",
            va="center_baseline",
            fontsize=letter_size(size) - 1,
            color=INK,
        )
    _draw_bars(right, predicted, _PREDICTED)
    right.set_yticks([])
    right.set_ylim(left.get_ylim())
    right.spines["left"].set_visible(False)
    totals = predicted.sum(axis=1, skipna=False)
    right.set_xlim(0, min(1.02 * max(totals.max(), 0.05), 1) if totals.notna().any() else 1)
    right.xaxis.set_major_locator(MaxNLocator(4))
    right.set_xlabel("False positives per true cell")
    write_beside(right, [_ratio(total) for total in totals], 0.06, color=INK)
    add_keys(figure, dict.fromkeys((*true, *predicted)))
    return figure


def draw_true_cells(axes: Axes, shares: pd.DataFrame) -> None:
    """Draw a stacked bar for each algorithm: what happened to the true cells.

    Args:
        axes: the plot, with rows 0, 1, … from the top.
        shares: the first table of [`error_shares`][].
    """
    _draw_bars(axes, shares, _TRUE)


def add_keys(figure: Figure, kinds: Iterable[str]) -> None:
    """Explain the colours below the plots.

    Args:
        figure: the figure.
        kinds: keys of [`KIND_TITLES`][], in order.
    """
    keys = [Patch(facecolor=_COLOURS[kind], label=KIND_TITLES[kind]) for kind in kinds]
    figure.legend(handles=keys, loc="outside lower center", ncols=len(keys), fontsize=9)


def error_shares(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Divide the cells of each kind by the number of true cells.

    Args:
        rows: rows of scores_summary.csv.

    Returns:
        What happened to the true cells, and the predicted cells without a match; the index is that of
        ``rows``, columns are kinds. NaN where there are no true cells or kinds are not known.

    Examples:
        >>> counts = {"true_cells": 4, "tp": 3, "fn_missed": 1, "fn_merged": 0, "fn_split": 0}
        >>> counts |= {"fn_poor_outline": 0, "fp_spurious": 2, "fp_merged": 0, "fp_split": 0}
        >>> true, predicted = error_shares(pd.DataFrame([counts | {"fp_poor_outline": 0}]))
        >>> float(true["found"][0]), float(true["missed"][0]), float(predicted["spurious"][0])
        (0.75, 0.25, 0.5)
    """
    cells = rows["true_cells"].where(rows["true_cells"] > 0)
    true = {"found": "tp"} | {kind: f"fn_{kind}" for kind in _TRUE[1:]}
    predicted = {kind: f"fp_{kind}" for kind in _PREDICTED}
    return _divided(rows, true, cells), _divided(rows, predicted, cells)


def _divided(rows: pd.DataFrame, columns: Mapping[str, str], cells: pd.Series) -> pd.DataFrame:
    return pd.DataFrame({kind: rows[name] / cells for kind, name in columns.items()})


def _draw_bars(axes: Axes, shares: pd.DataFrame, kinds: tuple[str, ...]) -> None:
    start = np.zeros(len(shares))
    for kind in kinds:
        width = shares[kind].fillna(0).to_numpy()
        axes.barh(
            range(len(shares)),
            width,
            _BAR,
            left=start,
            color=_COLOURS[kind],
            edgecolor="white",
            linewidth=0.25,
        )
        start = start + width
    axes.grid(axis="x")


def _ratio(total: float) -> str:
    return f"{total:.2f}" if np.isfinite(total) else ""
