"""The page of a long table: its rows are cases, and its values need not be the challenge's F1."""

import re
from pathlib import Path

import pytest
from long_tables import make_table

from cellbench.boards import Columns, write_board
from cellbench.boards.reading import read_board
from cellbench.report.figures.modalities import plot_values_by_modality
from cellbench.report.figures.style import house_style
from cellbench.report.figures.values import plot_values_by_algorithm
from cellbench.report.page import write_page


def make_board(folder: Path, case: str) -> Path:
    table = make_table().rename(columns={"case": case, "dice": "f1"})
    table["f1"] *= 100
    table.to_csv(folder / "table.csv", index=False)
    columns = Columns(case, "team", "f1", modality="site", higher_is_better=False)
    write_board([folder / "table.csv"], folder, columns=columns, bootstrap=10)
    return folder


@pytest.mark.parametrize(("column", "unit"), [("patient", "case"), ("Image", "image")])
def test_a_page_calls_them_cases_unless_they_are_images(
    column: str, unit: str, tmp_path: Path
) -> None:
    text = write_page(read_board(make_board(tmp_path, column)), []).read_text(encoding="utf-8")
    (lede,) = re.findall(r'<p class="lede">(.*?)</p>', text)
    assert f"9 {unit}s are too few" in lede
    assert f"With fewer than 10 {unit}s" in text
    assert f"All {unit}s, best first" in text
    assert f"4 algorithms on 9 {unit}s" in text
    assert (
        "images"
        in text.partition("Errors on images</h2>")[0]
        .partition("<body>")[2]
        .replace("Errors on images", "")
    ) == (unit == "image")


def test_a_column_called_f1_need_not_be_a_share(tmp_path: Path) -> None:
    board = read_board(make_board(tmp_path, "patient"))
    with house_style():
        (axes,) = plot_values_by_algorithm(board).axes[:1]
        assert axes.get_xlim()[1] > board.values["f1"].max() > 50
        assert axes.get_xlabel() == "F1 of one case (smaller is better)"


def test_names_in_the_headline_are_marked_as_names(tmp_path: Path) -> None:
    text = write_page(read_board(make_board(tmp_path, "patient")), []).read_text(encoding="utf-8")
    (lede,) = re.findall(r'<p class="lede">(.*?)</p>', text)
    assert re.search(r"apart from <bdi>team \d</bdi>", lede)


def test_a_modality_may_be_called_like_a_column(tmp_path: Path) -> None:
    table = make_table()
    table["site"] = table["site"].replace({"a": "algorithm", "b": "rank"})
    table.to_csv(tmp_path / "table.csv", index=False)
    columns = Columns("case", "team", "dice", modality="site")
    write_board([tmp_path / "table.csv"], tmp_path, columns=columns, bootstrap=10)
    with house_style():
        panels = plot_values_by_modality(read_board(tmp_path)).axes
    assert [axes.get_title(loc="left") for axes in panels] == [
        "algorithm\n5 cases",
        "rank\n4 cases",
    ]
