"""significance: which algorithms differ significantly by the paired tests, and which do not."""

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
from cellbench.report.figures.metric_titles import metric_titles
from cellbench.report.figures.rows import (
    letter_size,
    name_rows,
    rank_ticks,
    rows_height,
    wide_width,
    write_beside,
)
from cellbench.report.figures.style import FAINT, GRID, INK, LOSS, new_figure, page_of

_NOT, _WEAK, _MIDDLE, _STRONG, _AGAINST, _SELF = range(6)
_FILLS = ("#ffffff", "#9ecae1", "#4292c6", "#08406f", LOSS, GRID)
_STEPS = (1, 5, 50)  # divisors of alpha: usually p = 0.05, 0.01, 0.001
_LANE, _ROOM = 0.14, 3.0  # inches between two lines, and at most for all lines together
_FREE = 1.0  # inches for lines that fit in a figure of the usual width


def plot_significance(board: BoardTables) -> Figure:
    """Draw a map per metric: rows better than columns, ordered by rank, with clusters beside it.

    Args:
        board: the tables; significance, clusters, schemes and provenance are used.

    Returns:
        The figure, to be saved inside `house_style`.
    """
    metrics = _metrics(board)
    alpha = board.provenance["alpha"]
    lanes = {metric: _lanes(board, metric) for metric in metrics}
    room = min(_LANE * max(map(len, lanes.values())), _ROOM)
    figure = new_figure(
        wide_width(len(board.ranking)) + max(room - _FREE, 0.0),
        len(metrics) * (rows_height(len(board.ranking)) + 0.9) + 0.4,
        TITLES["significance"],
        "Filled: the algorithm of the row is significantly better than that of the column (Wilcoxon, "
        "Holm); dots joined by a line: no significant difference between these algorithms",
    )
    for axes, metric in zip(np.ravel(figure.subplots(len(metrics), 1)), metrics, strict=True):
        _draw_map(axes, board, metric, alpha)
        _draw_lanes(axes, lanes[metric], len(board.ranking))
        axes.set_title(metrics[metric], pad=20)
    labels = [*(f"p ≤ {alpha / part:g}" for part in _STEPS), "against the ranking"]
    keys = [
        Patch(facecolor=_FILLS[kind], edgecolor=FAINT, linewidth=0.5, label=label)
        for kind, label in enumerate(labels, start=_WEAK)
    ]
    figure.legend(handles=keys, loc="outside lower center", ncols=4)
    return figure


def _metrics(board: BoardTables) -> dict[str, str]:
    """Return the metrics that were tested and their titles."""
    tested = set(board.clusters["metric"])
    return {metric: title for metric, title in metric_titles(board).items() if metric in tested}


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


def _ranking_on(board: BoardTables, metric: str) -> pd.Series:
    """Return the ranks on one metric, best first, equal ranks by name."""
    own = board.schemes["scheme"] == board.provenance["scheme"]
    table = board.schemes[own & (board.schemes["metric"] == metric)]
    ranks: pd.Series = table.sort_values(["rank", "algorithm"]).set_index("algorithm")["rank"]
    return ranks


def _kinds(
    board: BoardTables, metric: str, ranking: pd.Series, alpha: float
) -> npt.NDArray[np.int64]:
    """Return (better, worse): which of ``_FILLS`` the square of two algorithms has."""
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


def _lanes(board: BoardTables, metric: str) -> list[list[list[int]]]:
    """Return the rows of each cluster of two or more, where clusters of one lane do not overlap."""
    table = board.clusters[board.clusters["metric"] == metric]
    row_of = {name: row for row, name in enumerate(_ranking_on(board, metric).index)}
    clusters = [
        sorted(row_of[name] for name in names)
        for _, names in table.groupby("cluster")["algorithm"]
        if len(names) > 1
    ]
    lanes: list[list[list[int]]] = []
    for rows in sorted(clusters):
        lane = next((lane for lane in lanes if lane[-1][-1] < rows[0]), None)
        if lane is None:
            lanes.append([rows])
        else:
            lane.append(rows)
    return lanes


def _draw_lanes(axes: Axes, lanes: Sequence[Sequence[Sequence[int]]], count: int) -> None:
    """Draw a line per cluster beside the map, with a dot in the row of each of its algorithms."""
    step = min(_LANE, _ROOM / max(len(lanes), 1))
    inches = page_of(axes).dpi_scale_trans
    for place, lane in enumerate(lanes):
        shift = ScaledTranslation(0.55 + step * place, 0, inches)
        for rows in lane:
            line = Line2D(
                [1] * len(rows),
                rows,
                transform=axes.get_yaxis_transform() + shift,
                color=FAINT,
                linewidth=1.2,
                marker="o",
                markersize=min(0.5 * letter_size(count), 36 * step),
                clip_on=False,
            )
            axes.add_artist(line)
