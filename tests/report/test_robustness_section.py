"""Boards with robustness.csv: a figure of curves, and a section of the page with relative robustness."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from random_boards import make_board

from cellbench.boards import write_board
from cellbench.boards.reading import read_board
from cellbench.boards.robustness import read_robustness, summarise, write_robustness
from cellbench.data.perturb.severities import KINDS
from cellbench.errors import ScoresError
from cellbench.report import draw_board
from cellbench.report.figures.robustness import plot_robustness
from cellbench.report.figures.style import house_style
from cellbench.report.page import write_page
from cellbench.report.page.robustness import make_robustness


def measured(names: list[str], kinds: list[str], images: int = 8) -> list[dict[str, object]]:
    """Return rows in which every severity costs 0.1, and the second algorithm is half as good."""
    rows: list[dict[str, object]] = []
    for place, name in enumerate(names):
        best = 0.9 / (1 + place)
        steps = [("unchanged", 0)]
        steps += [(kind, step + 1) for kind in kinds for step in range(len(KINDS[kind].strengths))]
        for kind, severity in steps:
            for image in range(images):
                f1 = max(best - 0.1 * severity, 0)
                rows.append(
                    {"algorithm": name, "kind": kind, "severity": severity, "image": f"i{image}"}
                    | {"f1": f1}
                )
    return rows


def test_lines_begin_at_the_unchanged_images_and_each_kind_has_a_panel() -> None:
    kinds = ["defocus", "inversion", "jpeg", "gamma", "shrinking"]
    summary = summarise(pd.DataFrame(measured(["a", "b$<"], kinds)))
    with house_style():
        figure = plot_robustness(summary)
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title() or axes.get_title("left") for axes in panels] == [
        KINDS[kind].title for kind in ("defocus", "inversion", "jpeg", "gamma", "shrinking")
    ]
    second, first = panels[0].get_lines()
    np.testing.assert_allclose(first.get_xdata(), range(6))
    np.testing.assert_allclose(first.get_ydata(), [0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    np.testing.assert_allclose(second.get_ydata(), [0.45, 0.35, 0.25, 0.15, 0.05, 0], atol=1e-9)
    np.testing.assert_allclose(panels[1].get_lines()[1].get_ydata(), [0.9, 0.8])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b$<"]


def test_many_algorithms_share_the_last_colour() -> None:
    names = [f"algorithm {index}" for index in range(9)]
    with house_style():
        figure = plot_robustness(summarise(pd.DataFrame(measured(names, ["jpeg"], images=2))))
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == [*names[:6], "other algorithms"]
    assert len(figure.axes[0].get_lines()) == 9


@pytest.fixture
def board(tmp_path: Path) -> Path:
    return make_board(tmp_path, ["a", "b"], 6)


def test_the_section_and_its_downloads(board: Path) -> None:
    rows = measured(["b", "a"], ["jpeg", "inversion"])
    few = ("i0", "i1", "i2")
    write_robustness(board, [r for r in rows if r["kind"] != "inversion" or r["image"] in few])
    tables = read_board(board)
    figures = draw_board(board)
    assert {path.name for path in figures} >= {"robustness.svg", "robustness.png"}
    section = make_robustness(tables, figures)
    assert section is not None
    assert section.kinds == (("All kinds", ""), ("JPEG compression", ""), ("Inversion", "3 images"))
    assert [name for name, _ in section.rows] == ["b", "a"]  # the most robust first
    clean, every, jpeg, inversion = section.rows[0][1]
    assert [clean.text, jpeg.text, inversion.text] == ["0.900", "0.667", "0.889"]
    assert every.key == pytest.approx((6 / 9 + 8 / 9) / 2)
    assert jpeg.detail == "0.67 to 0.67"
    page = write_page(tables, figures).read_text()
    assert '<a href="#robustness">Robustness</a>' in page
    table = re.search(r'<table id="robust".*?</table>', page, re.DOTALL)
    assert table is not None
    assert "JPEG compression" in table[0]
    assert "0.667" in table[0]
    assert 'download="robustness.csv"' in page
    assert 'download="robustness_summary.csv"' in page
    again = write_page(tables, figures).read_text()
    assert again == page


def test_a_board_without_the_table_has_no_section(board: Path) -> None:
    tables = read_board(board)
    figures = draw_board(board)
    assert "robustness.svg" not in {path.name for path in figures}
    assert 'id="robustness"' not in write_page(tables, figures).read_text()
    write_robustness(board, measured(["a"], []))  # unchanged images alone
    assert make_robustness(tables, draw_board(board)) is None


def test_an_algorithm_that_fails_on_every_perturbed_image(board: Path) -> None:
    rows = measured(["b", "a"], ["jpeg", "defocus"])
    failed = [
        row | {"f1": 0.0} if row["algorithm"] == "a" and row["severity"] else row for row in rows
    ]
    summary = write_robustness(board, failed)
    own = summary[summary["algorithm"] == "a"]
    assert own["clean_f1"].to_numpy() == pytest.approx(0.45)
    assert (own[["relative", "relative_low", "relative_high"]] == 0).all(axis=None)
    with house_style():
        figure = plot_robustness(summary)
    worst = figure.axes[0].get_lines()[0]
    np.testing.assert_allclose(worst.get_ydata(), [0.45, 0, 0, 0, 0, 0])
    tables, figures = read_board(board), draw_board(board)
    section = make_robustness(tables, figures)
    assert section is not None
    assert [name for name, _ in section.rows] == ["b", "a"]
    assert [cell.text for cell in section.rows[1][1]] == ["0.450", "0.000", "0.000", "0.000"]
    assert section.rows[1][1][1].detail == "0.00 to 0.00"
    page = write_page(tables, figures).read_text()
    table = re.search(r'<table id="robust".*?</table>', page, re.DOTALL)
    assert table is not None
    assert table[0].count("0.000") == 3
    assert "nan" not in table[0].lower()


def test_no_algorithm_finds_a_cell(board: Path) -> None:
    rows = [row | {"f1": 0.0} for row in measured(["a", "b"], ["jpeg"])]
    summary = write_robustness(board, rows)
    assert (summary["clean_f1"] == 0).all()
    assert summary["relative"].isna().all()  # 0 / 0
    tables, figures = read_board(board), draw_board(board)
    assert {path.name for path in figures} >= {"robustness.svg", "robustness.png"}
    page = write_page(tables, figures).read_text()
    table = re.search(r'<table id="robust".*?</table>', page, re.DOTALL)
    assert table is not None
    assert table[0].count("0.000") == 2  # unchanged images
    assert "nan" not in table[0].lower()


def test_ranking_again_keeps_the_table(board: Path, tmp_path: Path) -> None:
    write_robustness(board, measured(["a"], ["jpeg"]))
    before = (board / "robustness.csv").read_bytes()
    scores = next(tmp_path.rglob("scores.csv"))
    write_board([scores], board, bootstrap=5)
    assert (board / "robustness.csv").read_bytes() == before
    assert make_robustness(read_board(board), []) is not None


def test_a_damaged_table_is_named(board: Path) -> None:
    (board / "robustness.csv").write_text("algorithm,kind,severity,image\na,jpeg,1,i\n")
    with pytest.raises(ScoresError, match=r"robustness\.csv.*cellbench robustness. again"):
        make_robustness(read_board(board), [])


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ("a,unchanged,0,i,7", "an F1 that is not a number from 0 to 1"),
        ("a,unchanged,0,i,inf", "an F1 that is not a number from 0 to 1"),
        ("a,unchanged,0,i,0.5\na,jpeg,0,i,0.5", "a severity that does not fit its kind"),
        ("a,unchanged,0,i,0.5\na,all,1,i,0.5", "a severity that does not fit its kind"),
        ("a,unchanged,0,i,0.5\na,jpeg,-1,i,0.5", "a severity that does not fit its kind"),
        ("a,unchanged,0,i,0.5\nb,jpeg,1,i,0.5", "an algorithm without values on unchanged"),
    ],
)
def test_impossible_values_are_named(board: Path, rows: str, fault: str) -> None:
    (board / "robustness.csv").write_text(f"algorithm,kind,severity,image,f1\n{rows}\n")
    with pytest.raises(ScoresError, match=rf"robustness\.csv: has {fault}.*again"):
        read_robustness(board)
