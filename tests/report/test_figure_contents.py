"""What the figures show is what the tables say, and all of it can be read."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from figure_parts import artists, names_of, segments, texts_of
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.figure import Figure
from matplotlib.text import Text
from random_boards import make_board

from cellbench.boards.reading import BoardTables, read_board
from cellbench.report.figures.heat_map import plot_rank_heat_map
from cellbench.report.figures.modalities import plot_values_by_modality
from cellbench.report.figures.podium import plot_podium
from cellbench.report.figures.runtime import front_of, plot_value_and_runtime
from cellbench.report.figures.schemes import plot_schemes
from cellbench.report.figures.sensitivity import plot_sensitivity
from cellbench.report.figures.significance import plot_significance
from cellbench.report.figures.spread import spread_of
from cellbench.report.figures.stability import plot_rank_stability
from cellbench.report.figures.style import house_style, lay_out
from cellbench.report.figures.tau import plot_kendall_tau
from cellbench.report.figures.values import plot_values_by_algorithm

PLOTS: list[Callable[[BoardTables], Figure]] = [
    plot_values_by_algorithm,
    plot_values_by_modality,
    plot_value_and_runtime,
    plot_significance,
    plot_rank_stability,
    plot_schemes,
    plot_kendall_tau,
    plot_podium,
    plot_rank_heat_map,
    plot_sensitivity,
]


@pytest.fixture(autouse=True)
def in_house_style() -> Iterator[None]:
    with house_style():
        yield


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> BoardTables:
    """Five algorithms, one with failures, on two modalities."""
    folder = tmp_path_factory.mktemp("board")
    return read_board(make_board(folder, list("abcde"), 12, modalities=["DIC", "x"], failed=2))


def expected_names(board: BoardTables) -> list[str]:
    return [f"{name}   {rank:g}" for name, rank in board.ranking.items()]


def test_spread_is_the_leaderboards(board: BoardTables) -> None:
    table = board.leaderboard.set_index("algorithm")
    spread = spread_of(board)
    for part, column in {"first": "f1_q1", "median": "median_f1", "third": "f1_q3"}.items():
        np.testing.assert_allclose(spread[part], table[column])


def test_values_by_algorithm(board: BoardTables) -> None:
    figure = plot_values_by_algorithm(board)
    assert names_of(figure) == expected_names(board)
    dots = np.concatenate([dots.get_offsets() for dots in artists(figure, PathCollection)])
    for row, name in enumerate(board.ranking.index):
        drawn = np.sort(dots[np.abs(dots[:, 1] - row) < 0.5][:, 0])
        mine = board.values["algorithm"] == name
        np.testing.assert_allclose(drawn, np.sort(board.values.loc[mine, "f1"]))
    upright = segments(figure)[:, :, 0]
    for median in board.leaderboard["median_f1"]:
        assert np.isclose(upright, median).all(axis=1).any()
    failed = [text for text in texts_of(figure) if text]
    assert failed == ["2 failed"]


def test_values_by_modality(board: BoardTables) -> None:
    figure = plot_values_by_modality(board)
    assert board.consensus is not None
    for plot, (name, folder) in enumerate(board.modalities.items()):
        part = read_board(folder).leaderboard.set_index("algorithm").loc[board.ranking.index]
        (points,) = artists(figure, PathCollection, plot)
        np.testing.assert_allclose(points.get_offsets()[:, 0], part["median_f1"])
        assert texts_of(figure, plot) == [f"{rank:g}" for rank in part["rank"]]
        assert figure.axes[plot].get_title(loc="left") == f"{name}\n6 images"


def test_value_and_runtime(board: BoardTables) -> None:
    memory = pd.Series({"a": 1024.0, "b": 4096.0})
    figure = plot_value_and_runtime(board, memory)
    table = board.leaderboard.set_index("algorithm")
    (points,) = artists(figure, PathCollection)
    expected = table[["median_runtime_s", "median_f1"]].to_numpy()
    np.testing.assert_allclose(points.get_offsets(), expected)
    areas = pd.Series(points.get_sizes(), index=table.index)
    assert areas["b"] == pytest.approx(4 * areas["a"])
    assert figure.axes[0].get_xscale() == "log"
    (listed, *_) = [text for text in texts_of(figure) if "\n" in text]
    assert [line.split() for line in listed.splitlines()] == [
        [f"{rank:g}", name] for name, rank in board.ranking.items()
    ]


def test_front() -> None:
    rng = np.random.default_rng(0)
    runtime, goodness = rng.integers(1, 9, 30).astype(float), rng.integers(1, 9, 30).astype(float)
    front = set(front_of(runtime, goodness))
    for one in range(30):
        beaten = ((runtime <= runtime[one]) & (goodness >= goodness[one])) & (
            (runtime < runtime[one]) | (goodness > goodness[one])
        )
        if one in front:
            assert not beaten.any()
        elif not beaten.any():  # its equal is there
            assert any((runtime[o], goodness[o]) == (runtime[one], goodness[one]) for o in front)


def test_rank_stability(board: BoardTables) -> None:
    figure = plot_rank_stability(board)
    discs, crosses = artists(figure, PathCollection)
    table = board.bootstrap[board.bootstrap["metric"] == "challenge"]
    frequency = table.set_index(["algorithm", "rank"])["frequency"]
    names = list(board.ranking.index)
    full = discs.get_sizes().sum() / len(names)
    for (rank, row), size in zip(discs.get_offsets(), discs.get_sizes(), strict=True):
        assert size / full == pytest.approx(frequency[names[int(row)], rank])
    lines = {int(line[0, 1]): line[:, 0] for line in segments(figure) if line[0, 1] == line[1, 1]}
    bounds = board.leaderboard[["rank_low", "rank_high"]].to_numpy()
    spans = segments(figure)
    for row, span in enumerate(bounds):
        assert (np.isclose(spans[:, :, 0], span).all(1) & (spans[:, 0, 1] == row)).any(), lines
    assert set(crosses.get_offsets()[:, 1]) == set(range(5))
    assert texts_of(figure)[0] == "first"


def test_schemes(board: BoardTables) -> None:
    figure = plot_schemes(board)
    table = board.schemes[board.schemes["metric"] == "challenge"]
    ranks = table.pivot(index="algorithm", columns="scheme", values="rank")
    own, last = ranks["rank-then-mean"], ranks["test-then-rank"]
    labels = names_of(figure)
    assert [own[name] for name in labels] == sorted(own)
    right = figure.axes[0].child_axes[0]
    assert [last[label.get_text()] for label in right.get_yticklabels()] == sorted(last)
    drawn = sorted((text.get_position()[0], text.get_text()) for text in figure.axes[0].texts)
    assert len(drawn) == 25
    assert [int(text) for column, text in drawn if column == 0] == sorted(own)


def test_podium(board: BoardTables) -> None:
    figure = plot_podium(board)
    ranks = board.ranks[board.ranks["metric"] == "f1"].pivot(
        index="image", columns="algorithm", values="rank"
    )[board.ranking.index]
    bars = [[bar.get_width() for bar in group] for group in figure.axes[0].containers]
    for place, widths in enumerate(bars[:3], start=1):
        np.testing.assert_allclose(widths, (ranks == place).mean())
    np.testing.assert_allclose(bars[3], -(ranks == 5).mean())
    assert texts_of(figure)[1:] == [str(wins) for wins in (ranks == 1).sum()]


def test_rank_heat_map(board: BoardTables) -> None:
    figure = plot_rank_heat_map(board)
    shares = artists(figure, QuadMesh)[0].get_array().reshape(5, 5)
    ranks = board.ranks[board.ranks["metric"] == "f1"]
    for row, name in enumerate(board.ranking.index):
        mine = ranks.loc[ranks["algorithm"] == name, "rank"]
        np.testing.assert_allclose(shares[row] * 12, [(mine == r).sum() for r in range(1, 6)])


def test_sensitivity(board: BoardTables) -> None:
    figure = plot_sensitivity(board)
    choices = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    table = board.sensitivity
    assert choices == list(table[["option", "choice"]].drop_duplicates()["choice"])
    bold = [x.get_text() for x in figure.axes[0].get_xticklabels() if x.get_weight() == "bold"]
    assert bold == ["min", "rank-then-mean", "1:1", "the board's own"]
    cells = texts_of(figure)[: 5 * len(choices)]
    named = table.set_index(["algorithm", "choice"])
    for number, cell in enumerate(cells):
        algorithm = board.ranking.index[number // len(choices)]
        row = named.loc[(algorithm, choices[number % len(choices)])]
        sign = "" if row["places"] == 0 else "↓" if row["places"] > 0 else "↑"
        assert cell == f"{row['rank']:g}{sign}"


@pytest.mark.slow
@pytest.mark.parametrize("count", [20, 30])
def test_every_text_is_whole_and_apart(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"{'a long name ' * 9}{number}" for number in range(count)]
    modalities = ["a modality with a long name", "DIC", "DIC ", "x", "y", ""]
    whole = read_board(make_board(tmp_path, names, 12, modalities=modalities, failed=1))
    drawn: list[Text] = []
    draw = Text.draw
    monkeypatch.setattr(Text, "draw", lambda text, *a: (drawn.append(text), draw(text, *a)))
    for plot in PLOTS:
        drawn.clear()
        figure = plot(whole)
        lay_out(figure)
        figure.draw_without_rendering()
        shown = [text for text in drawn if text.get_visible() and text.get_text().strip()]
        upright = [text for text in shown if not text.get_rotation()]
        # As a text, without the line that joins an annotation to its point.
        boxes = np.array([Text.get_window_extent(text).extents for text in set(upright)])
        assert boxes[:, :2].min() >= -1, plot
        assert (boxes[:, 2:].max(axis=0) <= np.array(figure.bbox.size) + 1).all(), plot
        shared = np.minimum(boxes[:, None, 2:], boxes[:, 2:])
        shared -= np.maximum(boxes[:, None, :2], boxes[:, :2])
        assert (shared > 1.0).all(axis=2).sum() == len(boxes), plot  # each with itself alone
