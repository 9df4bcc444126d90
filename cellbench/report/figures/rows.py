"""Rows of algorithms, best at the top: their heights and labels."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from cellbench.report.figures.style import FAINT, GRID, WIDTH, short_name

_FEW, _HIGH = 10, 0.42  # up to this many rows have this height in inches
_FURTHER = 0.16  # height of each further row in inches
_EACH = 20  # up to this many ranks, each has a label
_MANY, _WIDER = 30, 0.06  # width in inches of each column beyond this number


def rows_height(count: int) -> float:
    """Return the height of all rows together in inches; many rows are closer together than few.

    Args:
        count: number of rows.

    Examples:
        >>> [round(rows_height(count), 2) for count in (1, 10, 60)]
        [0.42, 4.2, 12.2]
    """
    return _HIGH * min(count, _FEW) + _FURTHER * max(count - _FEW, 0)


def letter_size(count: int) -> float:
    """Return the font size that fits the rows, in points.

    Args:
        count: number of rows.
    """
    return min(10.0, 0.62 * 72 * rows_height(count) / count)


def wide_width(count: int) -> float:
    """Return the width in inches of a figure that has a column for each algorithm.

    Args:
        count: number of algorithms.
    """
    return WIDTH + _WIDER * max(count - _MANY, 0)


def name_rows(axes: Axes, ranking: pd.Series, longest: int = 34) -> None:
    """Write the algorithms and their ranks beside the rows 0, 1, … from the top.

    Args:
        axes: the plot, whose y axis becomes the axis of the rows.
        ranking: ranks; index algorithms, best first.
        longest: number of letters from which a name is shortened.
    """
    names = [f"{short_name(str(name), longest)}   {rank:g}" for name, rank in ranking.items()]
    axes.set_yticks(range(len(names)), names, fontsize=letter_size(len(names)))
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def rank_ticks(count: int) -> list[int]:
    """List the ranks at which an axis of ranks has labels: all if there are few, else every fifth.

    Args:
        count: number of ranks.

    Examples:
        >>> rank_ticks(3), rank_ticks(41)
        ([1, 2, 3], [1, 5, 10, 15, 20, 25, 30, 35, 40])
    """
    return list(range(1, count + 1)) if count <= _EACH else [1, *range(5, count + 1, 5)]


def rule_rows(axes: Axes, count: int) -> None:
    """Draw a faint line along each row, so that the eye can follow it from the name.

    Args:
        axes: with rows 0, 1, … from the top.
        count: number of rows.
    """
    axes.hlines(
        range(count), 0, 1, transform=axes.get_yaxis_transform(), color=GRID, lw=0.6, zorder=0
    )


def write_beside(
    axes: Axes, texts: Sequence[str], place: float, heading: str = "", **style: Any
) -> None:
    """Write one text per row to the right of the plot.

    Args:
        axes: with rows 0, 1, … from the top.
        texts: one per row.
        place: distance from the plot to the texts in inches.
        heading: text above the column; empty for none.
        style: matplotlib properties of the texts.
    """
    options: dict[str, Any] = {"textcoords": "offset points", "annotation_clip": False}
    axes.annotate(
        heading, (1, 1), (72 * place, 3), "axes fraction", color=FAINT, fontsize=8.5, **options
    )
    for row, text in enumerate(texts):
        axes.annotate(
            text,
            (1, row),
            (72 * place, 0),
            ("axes fraction", "data"),
            va="center_baseline",
            **(options | {"fontsize": letter_size(len(texts)), "color": FAINT} | style),
        )
