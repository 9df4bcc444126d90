"""rank_heat_map: on how many images an algorithm has which rank."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from cellbench.boards.reading import BoardTables
from cellbench.report.figures.captions import TITLES
from cellbench.report.figures.podium import image_ranks
from cellbench.report.figures.rows import (
    letter_size,
    name_rows,
    rank_ticks,
    rows_height,
    write_beside,
)
from cellbench.report.figures.style import (
    FAINT,
    GRID,
    INK,
    SHARES,
    WIDTH,
    count_units,
    new_axes,
    short_name,
)

_NUMBERED = 15  # algorithms up to which a square has room for a number
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # upper limits of the classes: shares of the images
_COLOURS = SHARES(np.linspace(0, 1, 1 + len(_STEPS)))
_NARROW = {"fontsize": 9.0, "handlelength": 1.4, "columnspacing": 1.2}
_DARK = 0.05  # share above which letters are white


def plot_rank_heat_map(board: BoardTables) -> Figure:
    """Draw a square per algorithm and rank, whose colour is the share of the images.

    Args:
        board: the tables; ranks and ranking are used.

    Returns:
        The figure, to be saved inside `house_style`.
    """
    ranks = image_ranks(board)
    counts = rank_counts(ranks)
    size = len(counts)
    figure, axes = new_axes(
        WIDTH,
        rows_height(size) + 1.2,
        TITLES["rank_heat_map"],
        f"Colour: share of {count_units(len(ranks), board.unit)} on which the algorithm has that rank by "
        f"{short_name(board.value_title)}; right: mean of its ranks",
    )
    edges = np.arange(size + 1) - 0.5
    axes.pcolormesh(
        edges + 1,
        edges,
        counts.to_numpy() / len(ranks),
        cmap=ListedColormap(_COLOURS),
        norm=BoundaryNorm([-1, *np.nextafter([0, *_STEPS], 2)], len(_COLOURS)),
        edgecolors=GRID,
        linewidth=0.4,
        rasterized=True,
    )
    if size <= _NUMBERED:
        _write_counts(axes, counts, len(ranks))
    name_rows(axes, board.ranking)
    axes.set_ylim(size - 0.5, -0.5)
    axes.set_xticks(rank_ticks(size))
    axes.tick_params(axis="x", length=0, labelsize=8.0 if size > _NUMBERED else 10.0)
    axes.spines["bottom"].set_visible(False)
    axes.set_xlabel(f"Rank on one {board.unit}")
    write_beside(axes, [f"{mean:.1f}" for mean in ranks.mean()], 0.1, "mean", color=INK)
    figure.legend(handles=_keys(), loc="outside lower center", ncols=len(_COLOURS), **_NARROW)
    return figure


def _keys() -> list[Patch]:
    words = ["none", *(f"≤ {100 * step:g} %" for step in _STEPS)]
    return [
        Patch(facecolor=colour, edgecolor=FAINT, linewidth=0.5, label=label)
        for colour, label in zip(_COLOURS, words, strict=True)
    ]


def _write_counts(axes: Axes, counts: pd.DataFrame, images: int) -> None:
    for (row, column), count in np.ndenumerate(counts.to_numpy()):
        axes.text(
            column + 1,
            row,
            f"{count:,}" if count else "",
            color="white" if count / images > _DARK else INK,
            ha="center",
            va="center_baseline",
            fontsize=letter_size(len(counts)) - 1,
            in_layout=False,
        )


def rank_counts(ranks: pd.DataFrame) -> pd.DataFrame:
    """Count on how many images each algorithm has each rank.

    Args:
        ranks: index images, columns algorithms; a half rank counts as the better one.

    Returns:
        Index algorithms, columns the ranks from 1 to the number of algorithms.

    Examples:
        >>> rank_counts(pd.DataFrame({"a": [1, 1, 2], "b": [2, 1, 1]})).to_numpy().tolist()
        [[2, 1], [2, 1]]
    """
    places = range(1, ranks.shape[1] + 1)
    return pd.DataFrame({place: (ranks // 1 == place).sum() for place in places})
