"""Boards with scores_summary.csv: figures and a section on errors by kind, size and shape."""

import logging
import re
from pathlib import Path

import pandas as pd
import pytest
from datasets import make_dataset
from pages import HOSTILE, make_predictions
from random_boards import make_board

from cellbench import report
from cellbench.boards import write_board
from cellbench.boards.error_summary import read_error_summary
from cellbench.boards.reading import read_board
from cellbench.boards.schema import ERROR_SUMMARY
from cellbench.cli import main
from cellbench.errors import ScoresError
from cellbench.evaluation.measures import ERROR_COLUMNS
from cellbench.evaluation.summary import summary_columns
from cellbench.report import draw_board, write_report
from cellbench.report.figures.drawing import draw_errors
from cellbench.report.figures.error_kinds import plot_error_kinds
from cellbench.report.figures.errors import error_shares, plot_errors
from cellbench.report.figures.errors_by_cell import plot_errors_by_cell
from cellbench.report.figures.style import house_style
from cellbench.report.page import write_page
from cellbench.report.page.errors import make_errors

COUNTS = {
    "all": (100, {"fn_missed": 5, "fn_merged": 8, "fn_split": 4, "fn_poor_outline": 3}),
    "cell area": (40, {"fn_missed": 5}),
    "cell shape": (60, {"fn_missed": 5, "fn_merged": 8, "fn_split": 4}),
}
FP = {"fp_spurious": 150, "fp_merged": 4, "fp_split": 8, "fp_poor_outline": 3}
VALUES = {"all": "", "cell area": "10000 and more px", "cell shape": "long"}


def row_of(name: str, group: str) -> dict[str, object]:
    cells, fn = COUNTS[group]
    lost = sum(fn.values())
    counts = {"true_cells": cells, "tp": cells - lost, "fp": sum(FP.values()), "fn": lost}
    return {
        **{"algorithm": name, "group": group, "value": VALUES[group], "images": 6, "f1": 0.75},
        **dict.fromkeys(ERROR_COLUMNS, 0),
        **counts,
        **fn,
        **FP,
    }


def write_summary(board: Path, *, old: bool = False) -> pd.DataFrame:
    """Write a summary that fits the leaderboard; an old one has no kinds of errors by class, nor shapes."""
    leaders = pd.read_csv(board / "leaderboard.csv", keep_default_na=False).set_index("algorithm")
    rows = [row_of(str(name), group) for name in sorted(leaders.index) for group in COUNTS]
    table = pd.DataFrame(rows, columns=list(summary_columns()))
    whole = table["group"] == "all"
    for column in ("median_f1", "mean_f1"):
        table.loc[whole, column] = table["algorithm"][whole].map(leaders[column].astype(float))
    if old:
        table = table[table["group"] != "cell shape"].copy()
        table.loc[table["group"] == "cell area", list(ERROR_COLUMNS)] = None
    table.to_csv(board / "scores_summary.csv", index=False)
    return table


@pytest.fixture
def few_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw the figures of errors only, because the others take seconds."""
    monkeypatch.setattr(report, "draw_board", lambda folder: draw_errors(read_board(folder)))


@pytest.fixture
def board(tmp_path: Path) -> Path:
    return make_board(tmp_path / "board", ["b", "a"], 6)


def test_shares_by_hand(board: Path) -> None:
    summary = write_summary(board)
    true, predicted = error_shares(summary[summary["group"] == "all"].set_index("algorithm"))
    assert true.loc["a"].to_dict() == {
        **{"found": 0.8, "poor_outline": 0.03, "split": 0.04, "merged": 0.08, "missed": 0.05}
    }
    assert predicted.loc["a"].to_dict() == {
        **{"spurious": 1.5, "poor_outline": 0.03, "split": 0.08, "merged": 0.04}
    }


def test_bars_and_numbers_of_the_figures(board: Path) -> None:
    summary, tables = write_summary(board), read_board(board)
    with house_style():
        figure = plot_errors(summary, tables)
    left, right = figure.axes
    widths = [bar.get_width() for bar in left.patches]  # two algorithms after each other
    assert widths == pytest.approx([0.8, 0.8, 0.03, 0.03, 0.04, 0.04, 0.08, 0.08, 0.05, 0.05])
    assert right.get_xlim() == (0, 1)  # longer bars are cut off, the number is not
    assert [text.get_text() for text in right.texts if text.get_text()] == ["1.65", "1.65"]
    assert [text.get_text() for text in left.texts] == ["80.0 %", "80.0 %"]
    with house_style():
        figure = plot_error_kinds(summary, tables)
    large, long = figure.axes
    assert (large.get_title(), long.get_title()) == ("≥ 10000\n40", "long\n60")
    assert [bar.get_width() for bar in large.patches][:2] == [0.875, 0.875]
    with house_style():
        figure = plot_errors_by_cell(summary, tables)
    area, shape = figure.axes
    assert [label.get_text() for label in area.get_xticklabels()] == ["≥ 10000\n40"]
    assert [label.get_text() for label in shape.get_xticklabels()] == ["long\n60"]
    assert [text.get_text() for text in shape.texts] == ["0.75", "0.75"]


def test_the_section_and_its_downloads(board: Path) -> None:
    write_summary(board)
    tables = read_board(board)
    figures = draw_errors(tables)
    names = {path.name for path in figures}
    assert names >= {
        f"error{part}.{kind}" for part in ("s", "s_by_cell", "_kinds") for kind in ("svg", "png")
    }
    section = make_errors(tables, figures)
    assert section is not None
    assert [column.title for column in section.columns] == [
        *("Found", "Poor outline", "Split", "Merged", "Missed", "Spurious"),
        *("10000 and more px", "Long"),
    ]
    assert [name for name, _ in section.rows] == list(tables.ranking.index)
    shown = ["80.0 %", "3.0 %", "4.0 %", "8.0 %", "5.0 %", "150.0 %", "0.750", "0.750"]
    assert [cell.text for cell in section.rows[0][1]] == shown
    assert len(section.figures) == 3
    page = write_page(tables, figures).read_text()
    assert '<a href="#errors">Errors</a>' in page
    assert 'download="scores_summary.csv"' in page
    (table,) = re.findall(r'<table id="kinds".*?</table>', page, re.DOTALL)
    assert "150.0 %" in table
    drawn = {path: path.read_bytes() for path in figures}
    assert {path: path.read_bytes() for path in draw_errors(tables)} == drawn
    assert write_page(tables, figures).read_text() == page


def test_a_table_of_before_shapes(board: Path) -> None:
    write_summary(board, old=True)
    tables = read_board(board)
    figures = draw_errors(tables)
    section = make_errors(tables, figures)
    assert section is not None
    assert len(section.figures) == 2
    assert [column.title for column in section.columns][-2:] == ["Spurious", "10000 and more px"]


def test_a_board_without_the_table_has_no_section(board: Path) -> None:
    tables = read_board(board)
    assert draw_errors(tables) == []
    page = write_page(tables, []).read_text()
    assert 'id="errors"' not in page
    assert "scores_summary" not in page


@pytest.mark.usefixtures("few_figures")
@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("algorithm", "c", "lacks the algorithm 'b' of this board"),
        ("images", 7, r"is of other scores than this board \(images of 'b' differs\)"),
        ("median_f1", 0.001, r"is of other scores than this board \(median_f1 of 'b' differs\)"),
    ],
)
def test_a_table_of_other_scores_is_named_once_and_left_out(
    board: Path, column: str, value: object, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    table = write_summary(board)
    table[column] = table[column].astype(object).where(table["algorithm"] != "b", value)
    table.to_csv(board / "scores_summary.csv", index=False)
    with caplog.at_level(logging.WARNING):
        page = write_report(board)[-1].read_text()
    (message,) = [record.getMessage() for record in caplog.records if "summary" in record.message]
    assert re.search(
        rf"scores_summary\.csv: {words}, so the page does not show it; .*evaluate --details. again",
        message,
    )
    assert 'id="errors"' not in page
    assert "scores_summary" not in page


def test_an_algorithm_without_a_row_for_a_class(board: Path) -> None:
    table = write_summary(board)
    lost = (table["algorithm"] == "a") & (table["group"] == "cell shape")
    table[~lost].to_csv(board / "scores_summary.csv", index=False)
    tables = read_board(board)
    section = make_errors(tables, draw_errors(tables))
    assert section is not None
    assert {name: cells[-1].text for name, cells in section.rows} == {"a": "–", "b": "0.750"}


def test_images_without_cells(board: Path) -> None:
    table = write_summary(board)
    table[["true_cells", "tp", "fp", "fn", *ERROR_COLUMNS]] = 0
    table.to_csv(board / "scores_summary.csv", index=False)
    tables = read_board(board)
    figures = draw_errors(tables)
    assert [path.name for path in figures] == ["errors.png", "errors.svg"]
    section = make_errors(tables, figures)
    assert section is not None
    assert {cell.text for _, cells in section.rows for cell in cells} == {"–"}


def test_algorithms_that_are_not_on_the_board_are_left_out(board: Path) -> None:
    table = write_summary(board)
    more = table[table["algorithm"] == "a"].assign(algorithm="c")
    pd.concat([table, more]).to_csv(board / "scores_summary.csv", index=False)
    found, problem = read_error_summary(read_board(board))
    assert (found is not None, problem) == (True, "")
    assert set(found["algorithm"]) == {"a", "b"}


def test_a_damaged_table_is_named(board: Path) -> None:
    write_summary(board)
    path = board / "scores_summary.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, lines[-1]]))
    with pytest.raises(ScoresError, match=r"summary\.csv: has two rows for one group.*again"):
        make_errors(read_board(board), [])
    path.write_text("\n".join([*lines[:-1], lines[-1].replace(",165,", ",,")]))
    with pytest.raises(ScoresError, match=r"summary\.csv: has a row without images, true_cells"):
        make_errors(read_board(board), [])
    path.write_text("algorithm,group,value\na,all,\n")
    with pytest.raises(ScoresError, match=r"summary\.csv.*evaluate --details. again"):
        draw_errors(read_board(board))


@pytest.mark.usefixtures("few_figures")
def test_names_are_escaped(tmp_path: Path) -> None:
    board = make_board(tmp_path / "board", HOSTILE, 3)
    table = write_summary(board)
    table.assign(images=3).to_csv(board / "scores_summary.csv", index=False)
    page = write_report(board)[-1].read_text()
    (section,) = re.findall(r'<table id="kinds".*?</table>', page, re.DOTALL)
    assert "&lt;script&gt;alert(1)" in section
    assert not re.search(r"<script|<img", section)


def test_a_board_with_the_table_gets_the_figures(board: Path) -> None:
    write_summary(board)
    names = {path.name for path in draw_board(board)}
    assert names >= {"values_by_algorithm.svg", "errors.svg", "errors_by_cell.png"}


@pytest.mark.usefixtures("few_figures")
@pytest.mark.slow
def test_what_evaluate_writes_is_on_the_page_also_after_a_new_ranking(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "data", 4)
    predictions = make_predictions(root, tmp_path / "predictions", ["good", "bad"])
    board = tmp_path / "board"
    words = [str(root / "test/labels"), str(predictions), "--out", str(board / "scores.csv")]
    assert main(["evaluate", *words, "--details", "--cells"]) == 0
    assert set(ERROR_SUMMARY.names()) <= set(pd.read_csv(board / "scores_summary.csv"))
    for _ in range(2):
        write_board([board / "scores.csv"], board, bootstrap=5)
        section = make_errors(read_board(board), [])
        assert section is not None
        assert [name for name, _ in section.rows] == ["good", "bad"]
        assert [cells[0].text for _, cells in section.rows] == [
            "100.0 %",
            section.rows[1][1][0].text,
        ]
        assert section.rows[1][1][0].text != "100.0 %"
    page = write_report(board)[-1].read_text()
    for name in ("summary", "details", "cells"):
        assert f">scores_{name}.csv</a>" in page
