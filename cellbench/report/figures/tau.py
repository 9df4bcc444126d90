"""kendall_tau: how much the ranking depends on which images happen to be in the test set."""

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cellbench.boards.reading import BoardTables
from cellbench.report.figures.captions import TITLES
from cellbench.report.figures.metric_titles import metric_titles
from cellbench.report.figures.style import COLOURS, FAINT, INK, WIDTH, new_axes, signed

_POINTS = 300  # points of the outline of a violin
_SMOOTHEST = 0.02  # the widest kernel, in tau
_SEPARATE = 24  # up to this many different values are drawn as separate lines, without smoothing
_HALF = 0.36  # half of the largest height of a violin, in rows


def plot_kendall_tau(board: BoardTables) -> Figure:
    """Draw the distribution of Kendall's tau over the bootstrap samples: one row per metric.

    The dot is the median, the thick line spans the middle half of the samples and the thin line 95 %.
    Samples whose tau is undefined (all algorithms tied) are left out.

    Args:
        board: the tables; kendall_tau, provenance and ranking are used.

    Returns:
        The figure, to be saved inside `house_style`.
    """
    table = board.kendall_tau
    violins = {
        label: table.loc[table["metric"] == metric, "tau"].dropna().to_numpy()
        for metric, label in metric_titles(board).items()
    }
    lowest = min((tau.min() for tau in violins.values() if len(tau)), default=0.0)
    left = max(np.floor(lowest * 20 - 0.5) / 20, -1.05)
    samples = table["sample"].nunique()
    figure, axes = new_axes(
        WIDTH,
        0.9 + 0.9 * len(violins),
        TITLES["kendall_tau"],
        f"Agreement with the rankings of {samples:,} bootstrap samples of the {board.unit}s; dot: median; "
        "thick line: middle half; thin line: 95 %",
    )
    count = len(board.ranking)
    step = 4 / max(count * (count - 1), 2)  # change of tau if two algorithms swap ranks
    for row, tau in enumerate(violins.values()):
        _draw_violin(axes, row, tau, min(step, _SMOOTHEST), COLOURS[row])
    axes.set_yticks(range(len(violins)), list(violins))
    axes.set_ylim(len(violins) - 0.45, -0.55)
    axes.set_xlim(left - 0.005, 1.005)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    axes.set_xlabel("Kendall's tau (1: the same order, 0: no relation, −1: the reverse order)")
    return figure


def _draw_violin(
    axes: Axes, row: int, tau: npt.NDArray[np.float64], width: float, colour: str
) -> None:
    beside = axes.get_yaxis_transform()  # x in parts of the plot, y in rows
    if len(tau) == 0:
        axes.text(1.02, row, "undefined: all tied", transform=beside, va="center", color=FAINT)
        return
    _draw_density(axes, row, tau, width, colour)
    low, first, median, third, high = np.percentile(tau, [2.5, 25, 50, 75, 97.5])
    axes.hlines(row, low, high, color=INK, linewidth=1.2, clip_on=False)
    axes.hlines(row, first, third, color=INK, linewidth=5, clip_on=False)
    axes.plot(
        median, row, "o", color="white", markeredgecolor=INK, markersize=7, clip_on=False, zorder=5
    )
    middle, interval = f"median {median:.2f}", f"95 %: {low:.2f} to {high:.2f}"
    axes.text(1.02, row - 0.03, signed(middle), transform=beside, va="bottom", weight="bold")
    axes.text(1.02, row + 0.03, signed(interval), transform=beside, va="top", color=FAINT)


def _draw_density(
    axes: Axes, row: int, tau: npt.NDArray[np.float64], width: float, colour: str
) -> None:
    """Draw how often each value occurs, never beyond the smallest and the largest value."""
    values, counts = np.unique(tau, return_counts=True)
    if len(values) <= _SEPARATE:  # a smooth outline would fill the gaps between them
        half = _HALF * counts / counts.max()
        lines = axes.vlines(
            values, row - half, row + half, color=colour, alpha=0.55, linewidth=4, clip_on=False
        )
        lines.set_capstyle("butt")
        return
    across = np.linspace(values[0], values[-1], _POINTS)
    density = np.exp(-(((across[:, None] - values) / width) ** 2) / 2) @ counts
    half = _HALF * density / density.max()
    axes.fill_between(across, row - half, row + half, color=colour, alpha=0.55, linewidth=0)
