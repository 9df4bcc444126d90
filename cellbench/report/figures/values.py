"""values_by_algorithm: the value of every image, algorithm by algorithm."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cellbench.boards.reading import BoardTables
from cellbench.report.figures.captions import TITLES
from cellbench.report.figures.modality_looks import look_of, modalities_of
from cellbench.report.figures.rows import name_rows, rows_height, write_beside
from cellbench.report.figures.spread import spread_of
from cellbench.report.figures.style import INK, LOSS, WIDTH, count_units, new_axes, short_name

_GOLDEN = 0.6180339887  # its multiples spread the dots evenly without a random generator
_DOTS, _BOX = 0.62, 0.25  # height of the dots, half the height of a box, in rows
_RATIO = 100  # ratio of the largest to the smallest value from which the axis is logarithmic


def plot_values_by_algorithm(board: BoardTables) -> Figure:
    """Draw the value of each image as a dot in its modality's colour, under a box per algorithm.

    The box spans the middle half of the images, its line is the median, the whiskers span 95 %.

    Args:
        board: the tables.

    Returns:
        The figure, to be saved inside `house_style`.
    """
    count = board.values["image"].nunique()
    modalities = modalities_of(board)
    figure, axes = new_axes(
        WIDTH,
        rows_height(len(board.ranking)) + 1.3,
        TITLES["values_by_algorithm"],
        f"Dots: {count_units(count, board.unit)}; box: middle half; line: median; whiskers: 95 %; "
        "best rank on top",
    )
    set_value_axis(axes, board)
    _draw_dots(axes, board, modalities)
    _draw_boxes(axes, spread_of(board))
    name_rows(axes, board.ranking)
    failed = board.leaderboard["failed"]
    word = "failed" if board.scored else "missing"
    write_beside(axes, [f"{n:,} {word}" if n else "" for n in failed], 0.1, color=LOSS)
    axes.grid(axis="x")
    axes.set_xlabel(value_label(board))
    if modalities != [""]:
        _add_keys(figure, modalities)
    return figure


def value_label(board: BoardTables) -> str:
    """Return the label for the axis of the value.

    Args:
        board: the tables.
    """
    if _is_f1(board):
        return f"F1 of an image at IoU {board.provenance.get('threshold') or 0.5:g}"
    direction = "larger" if board.higher_is_better else "smaller"
    return f"{short_name(board.value_title)} of one {board.unit} ({direction} is better)"


def _is_f1(board: BoardTables) -> bool:
    """Return whether the value is the challenge's F1; a long table may call anything f1."""
    return board.scored and board.value == "f1"


def set_value_axis(axes: Axes, board: BoardTables) -> None:
    """Set the limits of the x axis, and make it logarithmic if the values differ greatly.

    Args:
        axes: the plot.
        board: the tables with the values.
    """
    values = board.values[board.value].to_numpy()
    values = values[np.isfinite(values)]
    if _is_f1(board) or not len(values):
        axes.set_xlim(-0.015, 1.015)
        return
    low, high = values.min(), values.max()
    if low > 0 and high / low > _RATIO:
        axes.set_xscale("log")
        axes.set_xlim(low / 1.2, high * 1.2)
        return
    room = 0.03 * (high - low) or abs(high) * 0.1 or 1.0
    axes.set_xlim(low - room, high + room)


def _draw_dots(axes: Axes, board: BoardTables, modalities: list[str]) -> None:
    rows = board.values.sort_values("image", kind="stable")
    place = rows.groupby("algorithm").cumcount()
    row = rows["algorithm"].map({name: n for n, name in enumerate(board.ranking.index)})
    heights = row + _DOTS * ((place * _GOLDEN) % 1 - 0.5)
    size = float(np.clip(500 / rows["image"].nunique(), 3, 26))
    size *= min(1.0, 28 / len(board.ranking))
    for number, modality in enumerate(modalities):
        chosen = (rows["modality"] == modality).to_numpy()
        colour, marker = look_of(number)
        axes.scatter(
            rows[board.value][chosen],
            heights[chosen],
            s=size,
            marker=marker,
            color=colour,
            alpha=0.6,
            linewidths=0,
            rasterized=True,  # thousands of dots make a slow SVG
        )


def _draw_boxes(axes: Axes, spread: pd.DataFrame) -> None:
    left, right = axes.get_xlim()
    known = spread.notna().all(axis=1).to_numpy()
    rows = np.flatnonzero(known)
    spread = spread[known].clip(left, right)  # a failure may be infinitely bad
    axes.barh(
        rows,
        spread["third"] - spread["first"],
        left=spread["first"],
        height=2 * _BOX,
        facecolor=(1, 1, 1, 0.45),
        edgecolor=INK,
        linewidth=1.0,
    )
    for start, end in (("low", "first"), ("third", "high")):
        axes.hlines(rows, spread[start], spread[end], color=INK, linewidth=1.0)
    for end in ("low", "high"):
        axes.vlines(spread[end], rows - _BOX / 2, rows + _BOX / 2, color=INK, linewidth=1.0)
    axes.vlines(spread["median"], rows - _BOX, rows + _BOX, color=INK, linewidth=2.6)


def _add_keys(figure: Figure, modalities: list[str]) -> None:
    keys = []
    for number, modality in enumerate(modalities):
        colour, marker = look_of(number)
        label = short_name(modality) or "not given"
        keys.append(Line2D([], [], color=colour, marker=marker, linestyle="", label=label))
    figure.legend(
        handles=keys, loc="outside lower center", ncols=min(len(keys), 4), handletextpad=0.1
    )
