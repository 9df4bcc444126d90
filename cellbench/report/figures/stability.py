"""rank_stability: which ranks an algorithm has in bootstrap samples of the images."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cellbench.boards.reading import BoardTables
from cellbench.boards.schema import MetricName
from cellbench.report.figures.captions import TITLES
from cellbench.report.figures.rows import (
    letter_size,
    name_rows,
    rank_ticks,
    rows_height,
    rule_rows,
    wide_width,
    write_beside,
)
from cellbench.report.figures.style import BLUE, INK, count_units, lay_out, new_axes, page_of

_LARGEST = 900.0  # area of the largest disc, in square points
_MANY = 500  # discs from which an SVG stores them as pixels


def plot_rank_stability(board: BoardTables) -> Figure:
    """Draw a disc per algorithm and rank whose area is how often it had that rank.

    Args:
        board: the tables; bootstrap, outranking and leaderboard are used.

    Returns:
        The figure, to be saved inside `house_style`.
    """
    count = len(board.ranking)
    samples = board.kendall_tau["sample"].nunique()
    images = board.values["image"].nunique()
    figure, axes = new_axes(
        wide_width(count),
        rows_height(count) + 1.0,
        TITLES["rank_stability"],
        f"Area: how often the algorithm had that rank in {samples:,} bootstrap samples of "
        f"{count_units(images, board.unit)}; cross: median; line: 95 %",
    )
    frequency = _frequencies(board)
    name_rows(axes, board.ranking)
    rule_rows(axes, count)
    axes.set_xlim(0.4, max(count, 2) + 0.6)
    axes.set_xticks(rank_ticks(count))
    axes.tick_params(axis="x", labelsize=10 if count <= 15 else 8)
    axes.set_xlabel("Rank in bootstrap samples")
    write_beside(axes, _shares(_first(frequency)), 0.1, "first")
    write_beside(axes, _shares(_ahead_of_next(board)), 0.65, "ahead of next")
    lay_out(figure)
    _draw_discs(axes, frequency)
    _draw_intervals(axes, board, frequency)
    return figure


def _frequencies(board: BoardTables) -> pd.DataFrame:
    """Return the shares of the samples: algorithm (best first), rank, frequency, row."""
    table = board.bootstrap[board.bootstrap["metric"] == MetricName.CHALLENGE]
    rows = table["algorithm"].map({name: row for row, name in enumerate(board.ranking.index)})
    table = table.assign(row=rows)[table["frequency"] > 0]
    return table.sort_values(["row", "rank"])


def _first(frequency: pd.DataFrame) -> pd.Series:
    """Return how often the algorithm of each row is first, alone or tied."""
    rows = range(int(frequency["row"].max()) + 1)
    top = frequency[frequency["rank"] == 1]
    return top.groupby("row")["frequency"].sum().reindex(rows, fill_value=0.0)


def _ahead_of_next(board: BoardTables) -> pd.Series:
    """Return how often each algorithm has a better rank than the next one; NaN for the last."""
    table = board.outranking[board.outranking["metric"] == MetricName.CHALLENGE]
    ahead = table.set_index(["better", "worse"])["probability"]
    names = list(board.ranking.index)
    pairs = pd.MultiIndex.from_arrays([names[:-1], names[1:]])
    return pd.Series([*ahead.reindex(pairs), np.nan])


def _shares(shares: pd.Series) -> list[str]:
    return ["" if np.isnan(share) else _percent(share) for share in shares]


def _percent(share: float) -> str:
    if 0 < share < 0.01:
        return "<1 %"
    if 0.99 < share < 1:
        return ">99 %"
    return f"{100 * share:.0f} %" if share else ""


def _draw_discs(axes: Axes, frequency: pd.DataFrame) -> None:
    # A disc that stands for all samples fills the space of one rank in one row.
    box = axes.get_window_extent()
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    room = box.width * box.height / ((right - left) * (bottom - top))
    full = min(room * (72 / page_of(axes).dpi) ** 2, _LARGEST)
    axes.scatter(
        frequency["rank"],
        frequency["row"],
        s=full * frequency["frequency"],
        color=BLUE,
        alpha=0.55,
        linewidths=0,
        clip_on=False,
        rasterized=len(frequency) > _MANY,  # each disc is a path of its own in an SVG
    )


def _draw_intervals(axes: Axes, board: BoardTables, frequency: pd.DataFrame) -> None:
    rows = np.arange(len(board.ranking))
    low, high = board.leaderboard["rank_low"], board.leaderboard["rank_high"]
    axes.hlines(rows, low, high, color=INK, linewidth=0.9)
    size = 2 * letter_size(len(rows))
    axes.scatter(_medians(frequency), rows, marker="x", color=INK, s=size, lw=1.3, zorder=3)


def _medians(frequency: pd.DataFrame) -> pd.Series:
    """Return the median rank of each row: the smallest that it has or beats in half of the samples."""
    below = frequency.groupby("row")["frequency"].cumsum()
    return frequency[below >= 0.5 - 1e-9].groupby("row")["rank"].first()
