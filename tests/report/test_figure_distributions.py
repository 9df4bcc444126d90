"""The figures of Kendall's tau, of significance and of values draw what the tables hold, and no more."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from figure_parts import artists, names_of, segments, texts_of
from matplotlib.collections import PolyCollection, QuadMesh
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from random_boards import make_board

from cellbench.boards.reading import BoardTables, read_board
from cellbench.report.figures.significance import plot_significance
from cellbench.report.figures.style import house_style, lay_out
from cellbench.report.figures.tau import plot_kendall_tau
from cellbench.report.figures.values import plot_values_by_algorithm


@pytest.fixture(autouse=True)
def in_house_style() -> Iterator[None]:
    with house_style():
        yield


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> BoardTables:
    """Five algorithms, one with failures, on two modalities."""
    folder = tmp_path_factory.mktemp("board")
    return read_board(make_board(folder, list("abcde"), 12, modalities=["DIC", "x"], failed=2))


def tau_figure(board: BoardTables, tau: Sequence[float]) -> Figure:
    """Draw some values of tau for F1."""
    rows = [("f1", "rank-then-mean", sample, value) for sample, value in enumerate(tau)]
    table = pd.DataFrame(rows, columns=["metric", "scheme", "sample", "tau"])
    return plot_kendall_tau(replace(board, kendall_tau=table))


def test_kendall_tau(board: BoardTables) -> None:
    figure = plot_kendall_tau(board)
    assert names_of(figure) == ["F1 and running time", "F1", "Running time"]
    tau = board.kendall_tau.groupby("metric")["tau"]
    medians = [
        f"median {tau.get_group(m).median():.2f}" for m in ("challenge", "f1", "rank_runtime")
    ]
    assert [text.replace("−", "-") for text in texts_of(figure)[::2]] == medians


@pytest.mark.parametrize(
    "tau",
    [
        pytest.param([np.nan] * 5, id="undefined"),
        pytest.param([1.0] * 5, id="constant"),
        pytest.param([-1.0, 1.0, 1.0], id="two algorithms"),
        pytest.param([np.nan, 0.5, 1.0], id="undefined once"),
        pytest.param([], id="no samples"),
    ],
)
def test_few_values_of_tau_are_one_line_each(tau: list[float], board: BoardTables) -> None:
    figure = tau_figure(board, tau)
    assert not artists(figure, PolyCollection)
    known = np.array(tau)[np.isfinite(tau)]
    assert texts_of(figure).count("undefined: all tied") == 3 - bool(len(known))
    lines = segments(figure).reshape(-1, 2, 2)
    upright = lines[lines[:, 0, 0] == lines[:, 1, 0]]
    upright = upright[upright[:, 0, 1] != upright[:, 1, 1]]
    values, counts = np.unique(known, return_counts=True)
    np.testing.assert_array_equal(upright[:, 0, 0], values)
    heights = np.abs(upright[:, 1, 1] - upright[:, 0, 1])
    np.testing.assert_allclose(heights / max([*heights, 1e-9]), counts / max([*counts, 1]))


def test_a_violin_ends_where_its_samples_end(board: BoardTables) -> None:
    tau = np.random.default_rng(0).uniform(0.2, 0.7, 300)
    (violin,) = artists(tau_figure(board, list(tau)), PolyCollection)
    across = violin.get_paths()[0].vertices[:, 0]
    assert (across.min(), across.max()) == (tau.min(), tau.max())


def test_boxes_of_constant_values_have_no_width(tmp_path: Path) -> None:
    equal = read_board(make_board(tmp_path, ["a", "b"], 5, f1=0.5, modalities=["DIC"]))
    figure = plot_values_by_algorithm(equal)
    boxes = [one for one in figure.axes[0].containers if isinstance(one, BarContainer)]
    assert [bar.get_width() for bars in boxes for bar in bars] == [0.0, 0.0]
    np.testing.assert_array_equal(segments(figure)[:, :, 0], 0.5)


def test_significance(board: BoardTables) -> None:
    figure = plot_significance(board)
    tested = [m for m in ("challenge", "f1", "rank_runtime") if m in set(board.clusters["metric"])]
    assert len(figure.axes) == len(tested)
    for plot, metric in enumerate(tested):
        tests = board.significance[board.significance["metric"] == metric]
        names = [label.rsplit(" ", 3)[0] for label in names_of(figure, plot)]
        filled = artists(figure, QuadMesh, plot)[0].get_array().reshape(5, 5)
        for (row, column), kind in np.ndenumerate(filled):
            pair = (tests["better"] == names[row]) & (tests["worse"] == names[column])
            if row == column:
                assert kind == 5
            else:
                assert (kind > 0) == tests.loc[pair, "significant"].item()
        assert [int(text) for text in texts_of(figure, plot)[1:]] == [
            tests.loc[tests["better"] == name, "significant"].sum() for name in names
        ]
        clusters = board.clusters[board.clusters["metric"] == metric].groupby("cluster")
        several = [set(group["algorithm"]) for _, group in clusters if len(group) > 1]
        drawn = [{names[row] for row in rows} for rows in cluster_rows(figure, plot)]
        assert sorted(map(sorted, drawn)) == sorted(map(sorted, several))


def cluster_rows(figure: Figure, plot: int = 0) -> list[list[int]]:
    """List the rows that have a dot on each line beside a map."""
    lines = [line for line in artists(figure, Line2D, plot) if not line.get_clip_on()]
    assert all(line.get_marker() == "o" for line in lines)
    return [[round(float(y)) for y in line.get_ydata()] for line in lines]


def test_members_of_a_cluster_need_not_be_neighbours(board: BoardTables) -> None:
    order = [label.rsplit(" ", 3)[0] for label in names_of(plot_significance(board))]
    members = [[0, 2, 4], [1, 3], [3, 4], [2]]
    rows = [("challenge", n, order[row]) for n, one in enumerate(members, 1) for row in one]
    clusters = pd.DataFrame(rows, columns=["metric", "cluster", "algorithm"])
    tests = board.significance.assign(metric="challenge")
    tests = tests.drop_duplicates(["better", "worse"])
    figure = plot_significance(replace(board, clusters=clusters, significance=tests))
    assert figure.axes[0].get_title(loc="left") == "F1 and running time"
    ranked = [label.rsplit(" ", 3)[0] for label in names_of(figure)]
    drawn = [sorted(ranked[row] for row in rows) for rows in cluster_rows(figure)]
    wanted = [sorted(order[row] for row in one) for one in members if len(one) > 1]
    assert sorted(drawn) == sorted(wanted)


def test_many_clusters_leave_room_for_the_map(board: BoardTables) -> None:
    names = list(board.ranking.index)
    rows = [("f1", cluster, name) for cluster in range(60) for name in (names[0], names[-1])]
    clusters = pd.DataFrame(rows, columns=["metric", "cluster", "algorithm"])
    figure = plot_significance(replace(board, clusters=clusters))
    lay_out(figure)
    assert len(cluster_rows(figure)) == 60
    map_width = figure.axes[0].get_window_extent().width / figure.dpi
    assert map_width > 3
    boxes = [line.get_window_extent() for line in artists(figure, Line2D)]
    assert max(box.x1 for box in boxes) <= figure.bbox.x1
