"""robustness: mean F1 against severity, a panel for each kind of perturbation."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cellbench.boards.schema import ALL_KINDS
from cellbench.data.perturb.severities import KINDS, STEPS
from cellbench.report.figures.captions import ROBUSTNESS
from cellbench.report.figures.style import COLOURS, WIDTH, new_figure, short_name

_BESIDE = 4  # panels in one row
_COLOURED = len(COLOURS) - 1  # the last colour is for all others
_MOST_BANDS = 3  # algorithms; the intervals of more of them would hide each other
_MARKERS = "os^Dv*"


def plot_robustness(summary: pd.DataFrame) -> Figure:
    """Draw a panel for each kind of perturbation and a line for each algorithm.

    Severity 0 is the mean F1 on the same images unchanged. With up to three algorithms, bands are the 95 %
    bootstrap intervals.

    Args:
        summary: robustness_summary.csv, with at least one kind.

    Returns:
        The figure, to be saved inside `house_style`.
    """
    table = summary[summary["severity"].notna()]
    names = list(table["algorithm"].unique())
    kinds = list(table["kind"].unique())
    columns = min(len(kinds), _BESIDE)
    bands = -(-len(kinds) // columns)
    shown = names[:_COLOURED]
    legend_rows = -(-min(len(names), _COLOURED + 1) // 2)
    figure = new_figure(
        WIDTH,
        1.9 * bands + 0.4 + 0.22 * legend_rows,
        ROBUSTNESS.title,
        "Mean F1 on perturbed images; severity 0: the same images unchanged"
        + ("; bands: 95 % intervals" if len(names) <= _MOST_BANDS else ""),
    )
    grid = figure.subplots(bands, columns, squeeze=False, sharey=True)
    for place, axes in enumerate(grid.flat):
        if place >= len(kinds):
            axes.set_visible(False)
            continue
        _draw_kind(axes, table[table["kind"] == kinds[place]], names)
        axes.set_title(kind_title(kinds[place]), fontsize=9)
        if place + columns >= len(kinds):
            axes.set_xlabel("severity", fontsize=9)
    figure.supylabel("mean F1", fontsize=10)
    _add_legend(figure, shown, len(names) > len(shown))
    return figure


def kind_title(kind: str) -> str:
    """Return a kind of perturbation in words.

    Args:
        kind: its name in the tables.

    Examples:
        >>> kind_title("jpeg"), kind_title("all"), kind_title("fog")
        ('JPEG compression', 'All kinds', 'fog')
    """
    if kind == ALL_KINDS:
        return "All kinds"
    return KINDS[kind].title if kind in KINDS else kind


def _draw_kind(axes: Axes, rows: pd.DataFrame, names: list[str]) -> None:
    for place in reversed(range(len(names))):  # the first algorithm on top
        own = rows[rows["algorithm"] == names[place]].sort_values("severity")
        if own.empty:
            continue
        severities = np.concatenate([[0.0], own["severity"]])
        means = np.concatenate([own["clean_f1"].iloc[:1], own["f1"]])
        colour, marker = _look(place)
        axes.plot(severities, means, color=colour, marker=marker, markersize=3.5, linewidth=1.3)
        if len(names) <= _MOST_BANDS:
            axes.fill_between(
                own["severity"], own["f1_low"], own["f1_high"], color=colour, alpha=0.15, lw=0
            )
    axes.set_xlim(-0.25, STEPS + 0.25)
    axes.set_xticks(range(STEPS + 1))
    axes.set_ylim(-0.03, 1.03)
    axes.tick_params(labelsize=8)
    axes.grid(axis="y")


def _look(place: int) -> tuple[str, str]:
    if place < _COLOURED:
        return COLOURS[place], _MARKERS[place]
    return COLOURS[-1], "."


def _add_legend(figure: Figure, shown: list[str], others: bool) -> None:
    looks = [(short_name(name), *_look(place)) for place, name in enumerate(shown)]
    looks += [("other algorithms", *_look(_COLOURED))] if others else []
    handles = [
        Line2D([], [], color=colour, marker=marker, markersize=5, label=label)
        for label, colour, marker in looks
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=9)
