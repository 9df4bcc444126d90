"""schemes: the ranks under five schemes, each algorithm a line."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from cellbench.boards.reading import BoardTables
from cellbench.boards.schema import MetricName
from cellbench.ranking import SCHEMES
from cellbench.report.figures.captions import TITLES
from cellbench.report.figures.rows import letter_size, rows_height
from cellbench.report.figures.style import COLOURS, FAINT, GRID, INK, WIDTH, new_axes, short_name

_COLOURED = 6  # coloured lines at most; more colours are hard to distinguish
_STILL = "#b5b5b5"


def plot_schemes(board: BoardTables) -> Figure:
    """Draw a column per scheme, that of the board first, and a line per algorithm through its ranks.

    Args:
        board: the tables; schemes and provenance are used.

    Returns:
        The figure, to be saved inside `house_style`.
    """
    ranks = _ranks(board)
    slots = _slots(ranks)
    movers = _movers(ranks)
    figure, axes = new_axes(
        WIDTH + 0.6,
        rows_height(len(ranks)) + 0.7,
        TITLES["schemes"],
        "Ranks under five ranking schemes, the scheme of this board first (bold); gray bars join equal "
        "ranks; in colour: the algorithms whose ranks change most",
    )
    _draw_lines(axes, slots, movers)
    _draw_ties(axes, ranks, slots)
    _draw_ranks(axes, ranks, slots, movers)
    columns = len(ranks.columns)
    axes.set_xlim(-0.25, columns - 0.75)
    axes.set_ylim(len(ranks) - 0.4, -0.6)
    axes.set_xticks(range(columns), [str(scheme).replace("-then-", "\nthen ") for scheme in ranks])
    axes.xaxis.tick_top()
    axes.get_xticklabels()[0].set_fontweight("bold")
    _name_ends(axes, slots, movers)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return figure


def _ranks(board: BoardTables) -> pd.DataFrame:
    """Return the ranks: index algorithms, best first; columns schemes, that of the board first."""
    table = board.schemes[board.schemes["metric"] == MetricName.CHALLENGE]
    ranks = table.pivot(index="algorithm", columns="scheme", values="rank")
    own = board.provenance["scheme"]
    return ranks.loc[board.ranking.index, [own, *(name for name in SCHEMES if name != own)]]


def _slots(ranks: pd.DataFrame) -> pd.DataFrame:
    """Assign each algorithm its own row in every column; equal ranks keep their order."""
    before = pd.Series(range(len(ranks)), index=ranks.index)
    slots = {}
    for scheme in ranks:
        order = pd.DataFrame({"rank": ranks[scheme], "before": before}).sort_values(
            ["rank", "before"]
        )
        before = pd.Series(range(len(order)), index=order.index)
        slots[scheme] = before
    return pd.DataFrame(slots).loc[ranks.index]


def _movers(ranks: pd.DataFrame) -> dict[str, str]:
    """Return the colours of the algorithms whose ranks change most, by two places or more."""
    reach = (ranks.max(axis=1) - ranks.min(axis=1)).sort_values(ascending=False, kind="stable")
    far = reach[reach >= 2].index[:_COLOURED]
    return dict(zip(far, COLOURS, strict=False))


def _draw_lines(axes: Axes, slots: pd.DataFrame, movers: dict[str, str]) -> None:
    lines = [[*enumerate(row)] for row in slots.to_numpy()]
    axes.add_collection(
        LineCollection(
            lines,
            colors=[movers.get(name, _STILL) for name in slots.index],
            linewidths=[2.4 if name in movers else 1.2 for name in slots.index],
            zorder=1,
        )
    )
    for name, colour in movers.items():
        axes.plot(range(slots.shape[1]), slots.loc[name], color=colour, linewidth=2.4, zorder=2)


def _draw_ties(axes: Axes, ranks: pd.DataFrame, slots: pd.DataFrame) -> None:
    for column, scheme in enumerate(ranks):
        spans = slots[scheme].groupby(ranks[scheme]).agg(["min", "max"])
        spans = spans[spans["min"] < spans["max"]]
        width = 1.5 * letter_size(len(ranks))
        axes.vlines(
            [column] * len(spans), spans["min"], spans["max"], color=GRID, linewidth=width, zorder=3
        ).set_capstyle("round")


def _draw_ranks(
    axes: Axes, ranks: pd.DataFrame, slots: pd.DataFrame, movers: dict[str, str]
) -> None:
    size = letter_size(len(ranks))
    colours = [movers.get(name, FAINT) for name in ranks.index]
    for column, scheme in enumerate(ranks):
        axes.scatter(
            [column] * len(ranks),
            slots[scheme],
            s=(1.5 * size) ** 2,
            facecolor="white",
            edgecolors=colours,
            linewidths=1.2,
            zorder=4,
        )
        for rank, slot in zip(ranks[scheme], slots[scheme], strict=True):
            axes.text(
                column,
                slot,
                f"{rank:g}",
                ha="center",
                va="center_baseline",
                fontsize=size - 2.5,
                zorder=5,
                in_layout=False,
            )


def _name_ends(axes: Axes, slots: pd.DataFrame, movers: dict[str, str]) -> None:
    size = letter_size(len(slots))
    first, last = slots.iloc[:, 0].sort_values(), slots.iloc[:, -1].sort_values()
    right = axes.secondary_yaxis("right")
    for axis, ends in ((axes.yaxis, first), (right.yaxis, last)):
        axis.set_ticks(range(len(ends)), [short_name(name, 26) for name in ends.index])
        axis.set_tick_params(length=0, labelsize=size)
        for label, name in zip(axis.get_ticklabels(), ends.index, strict=True):
            label.set_color(movers.get(name, INK))
            label.set_fontweight("bold" if name in movers else "normal")
    right.spines["right"].set_visible(False)
    axes.tick_params(axis="x", length=0)
