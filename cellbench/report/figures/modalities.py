"""values_by_modality: each algorithm on each kind of image, side by side."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cellbench.boards.reading import BoardTables
from cellbench.report.figures.captions import TITLES
from cellbench.report.figures.modality_looks import look_of, modalities_of
from cellbench.report.figures.rows import letter_size, name_rows, rows_height
from cellbench.report.figures.spread import filled_values, spread_of
from cellbench.report.figures.style import (
    BLUE,
    FAINT,
    INK,
    LOSS,
    WIDTH,
    count_units,
    new_figure,
    short_name,
)
from cellbench.report.figures.values import set_value_axis, value_label

_BESIDE = 4  # modalities in one row


def plot_values_by_modality(board: BoardTables) -> Figure:
    """Draw a panel per modality: the median, middle half, 95 % and rank of each algorithm.

    Args:
        board: the tables; consensus must be there.

    Returns:
        The figure, to be saved inside `house_style`.
    """
    modalities = modalities_of(board)
    columns = min(len(modalities), _BESIDE)
    bands = -(-len(modalities) // columns)
    figure = new_figure(
        max(WIDTH, 2.2 + 2.1 * columns),
        bands * (rows_height(len(board.ranking)) + 0.7) + 0.4,
        TITLES["values_by_modality"],
        f"Marker: median {short_name(board.value_title)}; thick: middle half of the {board.unit}s; "
        "thin: 95 %; gray line: median of all algorithms; number: rank on the modality (blue: better than "
        f"on all {board.unit}s by {_far(board)} or more, orange: worse)",
    )
    grid = figure.subplots(bands, columns, squeeze=False, sharex=True)
    ranks = _ranks(board, modalities)
    for place, axes in enumerate(grid.flat):
        if place >= len(modalities):
            axes.set_visible(False)
            continue
        _draw_modality(axes, board, modalities[place], place, ranks[modalities[place]])
        if place % columns == 0:
            name_rows(axes, board.ranking, longest=26)
        else:
            axes.set_yticks([])
            axes.spines["left"].set_visible(False)
    figure.supxlabel(value_label(board), fontsize=10)
    return figure


def _ranks(board: BoardTables, modalities: list[str]) -> pd.DataFrame:
    """Return the ranks on each modality; index algorithms, in the order of the board."""
    assert board.consensus is not None
    # By place: a modality may be called "algorithm" or "rank".
    ranks = board.consensus.iloc[:, 1:-2].set_axis(list(board.consensus.iloc[:, 0]), axis=0)
    return ranks.loc[board.ranking.index, modalities]


def _draw_modality(
    axes: Axes, board: BoardTables, modality: str, place: int, ranks: pd.Series
) -> None:
    rows = board.values[board.values["modality"] == modality]
    images = rows["image"].unique()
    set_value_axis(axes, board)
    axes.set_ylim(len(ranks) - 0.4, -0.6)
    values = filled_values(board).loc[images].to_numpy()
    middle = np.nanmedian(values) if np.isfinite(values).any() else np.nan
    axes.axvline(np.clip(middle, *axes.get_xlim()), color=FAINT, linewidth=0.8, zorder=0)
    colour, marker = look_of(place)
    _draw_spread(axes, spread_of(board, set(images)), colour, marker)
    _write_ranks(axes, ranks, board.ranking, _far(board))
    axes.set_title(
        f"{short_name(modality, 20) or 'not given'}\n{count_units(len(images), board.unit)}",
        color=INK,
    )
    axes.tick_params(axis="x", labelbottom=True, labelsize=8.5)
    axes.grid(axis="x")


def _far(board: BoardTables) -> int:
    """Return the difference between two ranks from which the number is in colour."""
    return 1 + len(board.ranking) // 10


def _write_ranks(axes: Axes, ranks: pd.Series, overall: pd.Series, far: int) -> None:
    size = letter_size(len(ranks))
    for row, (rank, usual) in enumerate(zip(ranks, overall, strict=True)):
        moved = abs(rank - usual) >= far
        colour = FAINT if not moved else BLUE if rank < usual else LOSS
        axes.annotate(
            f"{rank:g}",
            xy=(1, row),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            va="center_baseline",
            fontsize=size,
            fontweight="bold" if moved else "normal",
            color=colour,
        )


def _draw_spread(axes: Axes, spread: pd.DataFrame, colour: str, marker: str) -> None:
    rows = np.flatnonzero(spread.notna().all(axis=1))
    spread = spread.iloc[rows].clip(*axes.get_xlim())
    axes.hlines(rows, spread["low"], spread["high"], color=colour, linewidth=1.0)
    axes.hlines(rows, spread["first"], spread["third"], color=colour, linewidth=4.0, alpha=0.6)
    axes.scatter(
        spread["median"],
        rows,
        s=3.2 * letter_size(len(rows)),
        marker=marker,
        color=colour,
        edgecolors="white",
        linewidths=0.8,
        zorder=3,
    )
