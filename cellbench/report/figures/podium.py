"""podium: how often each algorithm is first, second, third or last on an image."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from cellbench.boards.reading import BoardTables
from cellbench.report.figures.captions import TITLES
from cellbench.report.figures.rows import name_rows, rows_height, write_beside
from cellbench.report.figures.style import (
    FAINT,
    INK,
    LOSS,
    WIDTH,
    count_units,
    new_axes,
    short_name,
)

_STEPS = {"first": "#08406f", "second": "#4292c6", "third": "#b5d4e9"}
_BAR = 0.7


def plot_podium(board: BoardTables) -> Figure:
    """Draw two bars per algorithm: to the right first to third, to the left last.

    Args:
        board: the tables; ranks and ranking are used.

    Returns:
        The figure, to be saved inside `house_style`.
    """
    ranks = image_ranks(board)
    shares = podium_shares(ranks).loc[board.ranking.index]
    several = len(shares) > 1
    figure, axes = new_axes(
        WIDTH,
        rows_height(len(shares)) + 1.2,
        TITLES["podium"],
        f"Share of {count_units(len(ranks), board.unit)} on which the algorithm is first, second, third "
        f"or last by {short_name(board.value_title)}; equal values share a rank; right: {board.unit}s on "
        "which it is first",
    )
    start = pd.Series(0.0, index=shares.index)
    for step, colour in _STEPS.items():
        axes.barh(range(len(shares)), shares[step], _BAR, left=start, color=colour)
        start = start + shares[step]
    if several:
        axes.barh(range(len(shares)), -shares["last"], _BAR, color=LOSS, hatch="////", ec="white")
    wins = (ranks == 1).sum()[shares.index]
    write_beside(axes, [f"{count:,}" for count in wins], 0.1, "first", color=INK)
    _finish(axes, board, float(start.max()), float(shares["last"].max()) if several else 0.0)
    keys = [Patch(color=colour, label=step) for step, colour in _STEPS.items()]
    if several:
        keys.insert(0, Patch(facecolor=LOSS, hatch="////", edgecolor="white", label="last"))
    figure.legend(handles=keys, loc="outside lower center", ncols=4)
    return figure


def image_ranks(board: BoardTables) -> pd.DataFrame:
    """Return the ranks by the value on each image.

    Args:
        board: the tables; ranks and ranking are used.

    Returns:
        Index images, columns algorithms, best first.
    """
    table = board.ranks[board.ranks["metric"] == board.value]
    return table.pivot(index="image", columns="algorithm", values="rank")[board.ranking.index]


def podium_shares(ranks: pd.DataFrame) -> pd.DataFrame:
    """Compute on what share of the images each algorithm is first, second, third and last.

    An algorithm is last on an image if no other is behind it and not all are equal.

    Args:
        ranks: index images, columns algorithms; a half rank counts as the better one.

    Returns:
        Index algorithms; columns first, second, third and last.

    Examples:
        >>> podium_shares(pd.DataFrame({"a": [1, 2], "b": [2, 1], "c": [2, 3]})).loc["a"].tolist()
        [0.5, 0.5, 0.0, 0.0]
    """
    last = ranks.eq(ranks.max(axis=1), axis=0) & (ranks.nunique(axis=1) > 1).to_numpy()[:, None]
    steps = {step: (ranks // 1 == place) & ~last for place, step in enumerate(_STEPS, start=1)}
    return pd.DataFrame({step: chosen.mean() for step, chosen in (steps | {"last": last}).items()})


def _finish(axes: Axes, board: BoardTables, right: float, left: float) -> None:
    name_rows(axes, board.ranking)
    axes.axvline(0, color=FAINT, linewidth=0.8)
    axes.set_xlim(-1.04 * left, max(1.04 * right, 0.05))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{abs(100 * share):g} %"))
    axes.grid(axis="x")
    axes.set_xlabel(f"Share of the {board.unit}s")
