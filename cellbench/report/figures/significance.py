"""significance: who is better than whom by the paired tests, and who cannot be told apart."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.transforms import ScaledTranslation

from cellbench.boards.reading import BoardTables
from cellbench.report.figures.captions import TITLES
from cellbench.report.figures.rows import (
    letter_size,
    name_rows,
    rank_ticks,
    rows_height,
    wide_width,
    write_beside,
)
from cellbench.report.figures.style import FAINT, GRID, INK, LOSS, new_figure, page_of, short_name

_NOT, _WEAK, _MIDDLE, _STRONG, _AGAINST, _SELF = range(6)
_FILLS = ("#ffffff", "#9ecae1", "#4292c6", "#08406f", LOSS, GRID)
_STEPS = (1, 5, 50)  # of the largest significant p: usually 0.05, 0.01, 0.001
_LANE = 0.1  # inches between bars of clusters that overlap


def plot_significance(board: BoardTables) -> Figure:
    """Draw a map per metric: rows better than columns, ordered by rank, with clusters beside it."""
    metrics = {board.value: short_name(board.value_title)}
    if board.timed:
        metrics["rank_runtime"] = "Running time"
    alpha = board.provenance["alpha"]
    figure = new_figure(
        wide_width(len(board.ranking)),
        len(metrics) * (rows_height(len(board.ranking)) + 0.9) + 0.4,
        TITLES["significance"],
        "Filled: the row's algorithm is significantly better than the column's (Wilcoxon, Holm); "
        "gray bars join neighbours that the tests cannot tell apart",
    )
    for axes, metric in zip(np.ravel(figure.subplots(len(metrics), 1)), metrics, strict=True):
        _draw_map(axes, board, metric, alpha)
        axes.set_title(metrics[metric], pad=20)
    labels = [*(f"p ≤ {alpha / part:g}" for part in _STEPS), "against the ranking"]
    keys = [
        Patch(facecolor=_FILLS[kind], edgecolor=FAINT, linewidth=0.5, label=label)
        for kind, label in enumerate(labels, start=_WEAK)
    ]
    figure.legend(handles=keys, loc="outside lower center", ncols=4)
    return figure


def _draw_map(axes: Axes, board: BoardTables, metric: str, alpha: float) -> None:
    ranking = _ranking_on(board, metric)
    kinds = _kinds(board, metric, ranking, alpha)
    edges = np.arange(len(ranking) + 1) - 0.5
    axes.pcolormesh(
        edges,
        edges,
        kinds,
        cmap=ListedColormap(_FILLS),
        vmin=-0.5,
        vmax=len(_FILLS) - 0.5,
        edgecolors=GRID,
        linewidth=0.5,
        rasterized=True,
    )
    name_rows(axes, ranking)
    axes.set_ylim(len(ranking) - 0.5, -0.5)
    axes.xaxis.tick_top()
    columns = [place - 1 for place in rank_ticks(len(ranking))]
    axes.set_xticks(columns, [f"{rank:g}" for rank in ranking.iloc[columns]])
    axes.tick_params(axis="x", length=0, labelsize=min(letter_size(len(ranking)), 9) - 2)
    for spine in axes.spines.values():
        spine.set_visible(False)
    beaten = np.isin(kinds, [_WEAK, _MIDDLE, _STRONG, _AGAINST]).sum(axis=1)
    write_beside(axes, [str(number) for number in beaten], 0.1, "beats", color=INK)
    _draw_clusters(axes, board, metric, list(ranking.index))


def _ranking_on(board: BoardTables, metric: str) -> pd.Series:
    """Give the ranks on one metric, best first, equal ranks by name as clusters have them."""
    own = board.schemes["scheme"] == board.provenance["scheme"]
    table = board.schemes[own & (board.schemes["metric"] == metric)]
    ranks: pd.Series = table.sort_values(["rank", "algorithm"]).set_index("algorithm")["rank"]
    return ranks


def _kinds(
    board: BoardTables, metric: str, ranking: pd.Series, alpha: float
) -> npt.NDArray[np.int64]:
    """Give (better, worse): which fill the square of two algorithms has."""
    tests = board.significance[board.significance["metric"] == metric]
    p = tests.pivot(index="better", columns="worse", values="p_holm")
    p = p.reindex(index=ranking.index, columns=ranking.index).fillna(1.0)
    numbers = p.to_numpy()
    kinds = np.zeros(numbers.shape, dtype=np.int64)
    for part in _STEPS:
        kinds += numbers <= alpha / part
    ranks = ranking.to_numpy()
    kinds[(kinds > _NOT) & (ranks[:, None] > ranks)] = _AGAINST
    np.fill_diagonal(kinds, _SELF)
    return kinds


def _draw_clusters(axes: Axes, board: BoardTables, metric: str, algorithms: Sequence[str]) -> None:
    table = board.clusters[board.clusters["metric"] == metric]
    rows = table["algorithm"].map({name: row for row, name in enumerate(algorithms)})
    spans = rows.groupby(table["cluster"]).agg(["min", "max"])
    free: list[int] = []  # by lane: the first row that no bar has taken
    for first, last in spans[spans["min"] < spans["max"]].itertuples(index=False):
        lane = next((n for n, row in enumerate(free) if row <= first), len(free))
        free[lane : lane + 1] = [last + 1]
        _draw_bar(axes, first - 0.3, last + 0.3, 0.55 + _LANE * lane)


def _draw_bar(axes: Axes, top: float, bottom: float, place: float) -> None:
    """Draw an upright bar, ``place`` inches to the right of the map."""
    inches = page_of(axes).dpi_scale_trans
    beside = axes.get_yaxis_transform() + ScaledTranslation(place, 0, inches)
    bar = Line2D([1, 1], [top, bottom], transform=beside, color=FAINT, linewidth=3, clip_on=False)
    axes.add_artist(bar)
