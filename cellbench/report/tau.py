"""kendall_tau: how much the ranking depends on which images happen to be in the test set."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from cellbench.report.style import COLOURS, FAINT, INK, add_title, house_style, new_axes, save

_METRICS = {"challenge": "F1 and running time", "f1": "F1", "rank_runtime": "Running time"}
_BINS = 60
_HILL = 0.62  # height of the tallest bar, in rows


def draw_kendall_tau(table: pd.DataFrame, path_without_suffix: str | Path) -> list[Path]:
    """Draw Kendall's tau over the bootstrap samples: per metric and scheme, one hill with its median.

    Below each hill, the dot is the median, the thick line holds the middle half of the samples and
    the thin line 95 %.

    Args:
        table: metric, scheme, sample, tau, as in kendall_tau.csv; a missing tau is left out.
        path_without_suffix: .png and .svg are written there.

    Returns:
        The files.
    """
    if "rank_runtime" not in set(table["metric"]):
        table = table[table["metric"] != "challenge"]  # F1 alone decides: it would be drawn twice
    order = [*_METRICS, *sorted(set(table["metric"]) - set(_METRICS))]
    hills = {
        (metric, scheme): group["tau"].dropna().to_numpy()
        for metric in order
        for scheme, group in table[table["metric"] == metric].groupby("scheme", sort=False)
    }
    lowest = min((tau.min() for tau in hills.values() if len(tau)), default=0.0)
    left = max(np.floor(lowest * 10 - 0.5) / 10, -1.05)
    with house_style():
        figure, axes = new_axes(8.4, 1.7 + 0.8 * max(len(hills), 1))
        for row, ((metric, _), tau) in enumerate(hills.items()):
            colour = COLOURS[order.index(metric) % len(COLOURS)]
            _draw_hill(axes, -row, tau, np.linspace(left, 1.0, _BINS + 1), colour)
        several = table["scheme"].nunique() > 1
        axes.set_yticks([-row for row in range(len(hills))])
        axes.set_yticklabels([_label(*key, several=several) for key in hills])
        axes.set_ylim(-len(hills) + 0.6, 0.75)
        axes.set_xlim(left, 1.005)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        axes.set_xlabel("Kendall's tau (1: the same order, 0: no relation, −1: the reverse order)")
        samples = table["sample"].nunique()
        add_title(
            axes,
            "Does the ranking hold on other images?",
            f"Agreement of the ranking with {samples:,} rankings on images drawn with replacement",
        )
        return save(figure, path_without_suffix)


def _label(metric: str, scheme: str, *, several: bool) -> str:
    name = _METRICS.get(metric, metric)
    return f"{name}\n{scheme}" if several else name


def _draw_hill(
    axes: Axes,
    base: float,
    tau: npt.NDArray[np.float64],
    edges: npt.NDArray[np.float64],
    colour: str,
) -> None:
    beside = axes.get_yaxis_transform()  # x in parts of the plot, y in rows
    if len(tau) == 0:
        axes.text(1.02, base, "undefined: all tied", transform=beside, va="center", color=FAINT)
        return
    heights, _ = np.histogram(tau, edges)
    axes.stairs(
        base + _HILL * heights / heights.max(),
        edges,
        baseline=base,
        fill=True,
        color=colour,
        alpha=0.55,
    )
    low, first, median, third, high = np.percentile(tau, [2.5, 25, 50, 75, 97.5])
    below = base - 0.13
    axes.hlines(below, low, high, color=colour, linewidth=1.2, clip_on=False)
    axes.hlines(below, first, third, color=colour, linewidth=4.5, clip_on=False)
    axes.plot(
        median,
        below,
        "o",
        color=INK,
        markeredgecolor="white",
        markersize=7,
        clip_on=False,
        zorder=5,
    )
    # A hyphen is too short for a minus.
    middle = f"median {median:.2f}".replace("-", "−")
    interval = f"95 %: {low:.2f} to {high:.2f}".replace("-", "−")
    axes.text(1.02, base + 0.08, middle, transform=beside, va="bottom", weight="bold")
    axes.text(1.02, base, interval, transform=beside, va="top", color=FAINT)
