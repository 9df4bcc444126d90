"""sensitivity: the ranks if one rule of the ranking were different."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, SymLogNorm
from matplotlib.figure import Figure

from cellbench.boards.measured import OWN_TOLERANCE
from cellbench.boards.reading import BoardTables
from cellbench.ranking.sensitivity import WEIGHTS
from cellbench.report.figures.captions import TITLES
from cellbench.report.figures.rows import letter_size, name_rows, rows_height, write_beside
from cellbench.report.figures.style import BLUE, FAINT, GRID, INK, LOSS, new_axes, short_name

_GAINS = LinearSegmentedColormap.from_list("gains", [BLUE, "#ffffff", LOSS])
_GROUPS = {
    "ties": "equal values",
    "scheme": "scheme",
    "weights": "weight of {} : time",
    "tolerance": "tolerance",
}
_COLUMN, _GAP = 0.46, 0.35  # width of a column in inches; gap between two rules, in columns


def plot_sensitivity(board: BoardTables) -> Figure:
    """Draw a column per choice of a rule with the rank that each algorithm would have.

    Args:
        board: the tables; sensitivity and provenance are used.

    Returns:
        The figure, to be saved inside `house_style`.
    """
    table = board.sensitivity
    columns = table[["option", "choice"]].drop_duplicates().reset_index(drop=True)
    columns["place"] = np.arange(len(columns)) + _GAP * pd.factorize(columns["option"])[0]
    rank = _matrix(board, columns, "rank")
    places = _matrix(board, columns, "places")
    figure, axes = new_axes(
        max(3.9 + _COLUMN * len(columns), 6.5),
        rows_height(len(rank)) + 2.4,
        TITLES["sensitivity"],
        "Rank of each algorithm if one rule were different; bold: the rules of this board; blue ↑: better "
        "rank, orange ↓: worse rank",
    )
    _draw_squares(axes, columns["place"], places)
    _write_ranks(axes, columns["place"], rank, places)
    name_rows(axes, board.ranking)
    axes.set_xlim(-0.5, columns["place"].max() + 0.5)
    axes.set_ylim(len(rank) - 0.5, -0.5)
    axes.spines["bottom"].set_visible(False)
    _name_columns(axes, board, columns, places)
    reach = [_reach(row) for row in rank]
    write_beside(axes, reach, 0.1, "ranks", color=INK)
    return figure


def _matrix(board: BoardTables, columns: pd.DataFrame, what: str) -> np.ndarray:
    """Return (algorithms, columns): best algorithm first."""
    table = board.sensitivity.pivot(index="algorithm", columns=["option", "choice"], values=what)
    pairs = pd.MultiIndex.from_frame(columns[["option", "choice"]])
    return table.loc[board.ranking.index, pairs].to_numpy()


def _reach(ranks: np.ndarray) -> str:
    low, high = ranks.min(), ranks.max()
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _draw_squares(axes: Axes, columns: pd.Series, places: np.ndarray) -> None:
    most = max(np.abs(places).max(), 2.0)
    norm = SymLogNorm(1.0, vmin=-most, vmax=most)
    rows = np.arange(len(places) + 1) - 0.5
    for column, moved in zip(columns, places.T, strict=True):
        axes.pcolormesh(
            [column - 0.5, column + 0.5],
            rows,
            moved[:, None],
            cmap=_GAINS,
            norm=norm,
            alpha=0.75,
            edgecolors=GRID,
            linewidth=0.4,
            rasterized=True,
        )


def _write_ranks(axes: Axes, columns: pd.Series, rank: np.ndarray, places: np.ndarray) -> None:
    size = letter_size(len(rank)) - 1.5
    for (row, column), moved in np.ndenumerate(places):
        arrow = "" if moved == 0 else "↑" if moved < 0 else "↓"
        axes.text(
            columns[column],
            row,
            f"{rank[row, column]:g}{arrow}",
            ha="center",
            va="center_baseline",
            fontsize=size,
            color=FAINT if moved == 0 else INK,
            in_layout=False,
        )


def _name_columns(
    axes: Axes, board: BoardTables, columns: pd.DataFrame, places: np.ndarray
) -> None:
    axes.xaxis.tick_top()
    names = [short_name(choice) for choice in columns["choice"]]
    axes.set_xticks(columns["place"], names, rotation=50, ha="left", rotation_mode="anchor")
    axes.tick_params(axis="x", length=0, labelsize=9.5)
    own = _own_choices(board)
    for label, option, choice in zip(
        axes.get_xticklabels(), columns["option"], columns["choice"], strict=True
    ):
        label.set_fontweight("bold" if choice in own.get(option, ()) else "normal")
    below = axes.get_xaxis_transform()
    for place, moved in zip(columns["place"], (places != 0).sum(axis=0), strict=True):
        axes.text(place, -0.01, f"{moved}", transform=below, va="top", ha="center", color=FAINT)
    axes.annotate(
        "changed",
        (0, 0),
        (-6, -3),
        "axes fraction",
        "offset points",
        ha="right",
        va="top",
        color=FAINT,
    )
    for option, group in columns.groupby("option", sort=False)["place"]:
        words = _GROUPS.get(str(option), str(option)).format(short_name(board.value_title, 20))
        axes.annotate(
            words, (group.mean(), 0), (0, -22), ("data", "axes fraction"), "offset points",
            ha="center", va="top", fontweight="bold",
        )  # fmt: skip


def _own_choices(board: BoardTables) -> dict[str, set[str]]:
    """Return, by option, the names that the choice of this board may have."""
    facts = board.provenance
    first, second = facts["weights"]
    same = {
        name for name, (one, other) in WEIGHTS.items()
        if np.isclose(one / (one + other), first / (first + second))
    }  # fmt: skip
    return {
        "ties": {facts["ties"]},
        "scheme": {facts["scheme"]},
        "weights": same or {f"{first:g}:{second:g}"},
        "tolerance": {OWN_TOLERANCE},
    }
