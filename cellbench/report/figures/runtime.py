"""value_and_runtime: which algorithms are good and fast, and which are beaten on both."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

from cellbench.boards.reading import BoardTables
from cellbench.report.figures.captions import TITLES
from cellbench.report.figures.declutter import place_labels
from cellbench.report.figures.rows import rows_height
from cellbench.report.figures.spread import spread_of
from cellbench.report.figures.style import (
    BLUE,
    FAINT,
    GREEN,
    GRID,
    INK,
    WIDTH,
    lay_out,
    new_axes,
    short_name,
)

_DOT = 40.0  # area of a point in square points if no memory is known
_PER_GB = 30.0  # area of a point per gigabyte of memory, in square points
_FEW = 20  # algorithms up to which the lines are drawn less faintly
_NARROW = 4.0  # ratio of the longest to the shortest time up to which ticks are evenly spaced
_DIGIT_SPACE = "\u2007"  # as wide as a digit


def plot_value_and_runtime(board: BoardTables, memory: pd.Series | None = None) -> Figure:
    """Draw each algorithm's median value over its median running time.

    Args:
        board: the tables of a board with running times.
        memory: index algorithms; GPU memory in MB, drawn as the area of the points.

    Returns:
        The figure, to be saved inside `house_style`.
    """
    points = _points(board, memory)
    count = len(board.ranking)
    value = short_name(board.value_title)
    area = "; area: GPU memory" if points["memory"].notna().any() else ""
    figure, axes = new_axes(
        WIDTH + 0.8,
        max(4.6, rows_height(count) * 0.85 + 1.0),
        TITLES["value_and_runtime"],
        f"Points: medians over the images; thin lines: middle half; number: rank{area}; green line: no "
        "other algorithm is both better and faster",
    )
    _draw_points(axes, points)
    _draw_front(axes, points, higher_is_better=board.higher_is_better)
    axes.set_xscale("log")
    ratio = points["slower"].max() / points["faster"].min()
    narrow = bool(ratio < _NARROW)  # then a logarithmic locator finds one tick or none
    axes.xaxis.set_major_locator(MaxNLocator(6) if narrow else LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:g}"))
    axes.xaxis.set_minor_formatter("")
    if not board.higher_is_better:
        axes.invert_yaxis()
    axes.set_xlabel("Median running time per image in seconds (left is faster)")
    axes.set_ylabel(f"Median {value} of an image")
    axes.grid(color=GRID)
    _draw_tolerance(axes, board)
    _list_names(axes, board, points)
    lay_out(figure)
    label_sizes = np.sqrt(points["area"].to_numpy())
    places = points[["runtime", "median"]].to_numpy()
    place_labels(axes, places, label_sizes, list(_numbers(board)[points.index]))
    return figure


def _points(board: BoardTables, memory: pd.Series | None) -> pd.DataFrame:
    """Return what is drawn of each algorithm that has a median value and a median time."""
    ok = board.values[board.values["status"] == "ok"].groupby("algorithm")["runtime_s"]
    table = spread_of(board)[["first", "median", "third"]]
    table = table.assign(
        runtime=board.leaderboard.set_index("algorithm")["median_runtime_s"],
        faster=ok.quantile(0.25),
        slower=ok.quantile(0.75),
        memory=np.nan if memory is None else memory.astype(float),
    )
    gigabytes = table["memory"] / 1024
    area = (_PER_GB * gigabytes).fillna(_DOT / 2) if gigabytes.notna().any() else _DOT
    drawn = np.isfinite(table["median"]) & (table["runtime"] > 0)
    points: pd.DataFrame = table.assign(area=area)[drawn]
    return points


def _draw_points(axes: Axes, points: pd.DataFrame) -> None:
    faint = 0.35 if len(points) <= _FEW else 0.2
    arms: dict[str, Any] = {"color": BLUE, "alpha": faint, "linewidth": 1.0, "zorder": 1}
    bounds = points[["first", "third"]].where(np.isfinite(points[["first", "third"]]))
    low, high = bounds["first"].fillna(points["median"]), bounds["third"].fillna(points["median"])
    axes.vlines(points["runtime"], low, high, **arms)
    axes.hlines(points["median"], points["faster"], points["slower"], **arms)
    style: dict[str, Any] = {
        "color": BLUE,
        "alpha": 0.55,
        "edgecolors": BLUE,
        "linewidths": 0.8,
        "zorder": 2,
    }
    axes.scatter(points["runtime"], points["median"], s=points["area"], **style)
    if points["memory"].notna().any():
        largest = points["memory"].max() / 1024
        sizes = sorted({1.0, 2.0 ** np.floor(np.log2(max(largest, 1.0)))})
        keys = [
            Line2D([], [], color=BLUE, alpha=0.55, marker="o", ls="", label=f"{size:g} GB",
                   markersize=np.sqrt(_PER_GB * size))
            for size in sizes
        ]  # fmt: skip
        axes.legend(handles=keys, loc="lower right", labelspacing=1.2, title="GPU memory")


def front_of(
    runtime: npt.NDArray[np.float64], goodness: npt.NDArray[np.float64]
) -> npt.NDArray[np.intp]:
    """Find the algorithms for which no other algorithm is both faster and better.

    Args:
        runtime: (algorithms,) running times; smaller is better.
        goodness: (algorithms,) values; larger is better.

    Returns:
        Their indices, fastest first.

    Examples:
        >>> front_of(np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.4, 0.9])).tolist()
        [0, 2]
    """
    order = np.lexsort((-goodness, runtime))
    before = np.maximum.accumulate(np.concatenate([[-np.inf], goodness[order][:-1]]))
    return order[goodness[order] > before]


def _draw_front(axes: Axes, points: pd.DataFrame, *, higher_is_better: bool) -> None:
    if points.empty:
        return
    medians = points["median"].to_numpy()
    front = front_of(points["runtime"].to_numpy(), medians if higher_is_better else -medians)
    best = points.iloc[front]
    axes.step(best["runtime"], best["median"], where="post", color=GREEN, linewidth=2, zorder=1.5)


def _draw_tolerance(axes: Axes, board: BoardTables) -> None:
    """Shade the running times that are within the tolerance on every image."""
    values = board.values
    over = values[(values["rank_runtime_s"] > 0) & np.isfinite(values["rank_runtime_s"])]
    if over.empty:
        return
    tolerance = (over["runtime_s"] - over["rank_runtime_s"]).min()
    left, right = axes.get_xlim()
    if left < tolerance:
        axes.axvspan(left, min(tolerance, right), color=GREEN, alpha=0.07, linewidth=0, zorder=0)
        axes.set_xlim(left, right)
        words = f"Green area: up to {tolerance:.3g} s, running time does not change the rank"
        axes.set_title(words, fontsize=9, fontweight="normal", color=FAINT)


def _numbers(board: BoardTables) -> pd.Series:
    """Return the ranks of the algorithms as labels; letters distinguish equal ranks."""
    ranks = board.ranking
    again = ranks.groupby(ranks).cumcount()
    shared = ranks.duplicated(keep=False)
    letters = again.map(lambda place: chr(ord("a") + place % 26) + "'" * (place // 26))
    return ranks.map("{:g}".format) + letters.where(shared, "")


def _list_names(axes: Axes, board: BoardTables, points: pd.DataFrame) -> None:
    """Write ranks and names beside the plot, where none can cover another."""
    numbers = _numbers(board)
    size = min(9.0, 72 * 0.68 * max(rows_height(len(numbers)) * 0.85, 3.9) / len(numbers))
    widest = max(map(len, numbers))
    lines = [
        number.rjust(widest, _DIGIT_SPACE)
        + f"  {short_name(str(name), 28)}"
        + ("" if name in points.index else " (no median)")
        for name, number in numbers.items()
    ]
    axes.text(
        1.02, 1.0, "\n".join(lines), transform=axes.transAxes, va="top", fontsize=size, color=INK,
        linespacing=1.35,
    )  # fmt: skip
