"""The section on errors in a real browser: sorting, filtering, and the width of a phone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import chromium, every, names_in, one, text_of
from datasets import make_dataset
from pages import make_predictions
from selenium.webdriver import Chrome

from cellbench.boards import write_board
from cellbench.boards.reading import read_board
from cellbench.cli import main
from cellbench.report.figures.drawing import draw_errors
from cellbench.report.page import write_page

pytestmark = pytest.mark.slow


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Chrome]:
    root = make_dataset(tmp_path / "data", 4)
    predictions = make_predictions(root, tmp_path / "predictions", ["first", "second", "third"])
    board = tmp_path / "board"
    words = [str(root / "test/labels"), str(predictions), "--out", str(board / "scores.csv")]
    assert main(["evaluate", *words, "--details"]) == 0
    write_board([board / "scores.csv"], board, bootstrap=5)
    tables = read_board(board)
    path = write_page(tables, draw_errors(tables))
    with chromium(tmp_path / "profile") as opened:
        opened.get(path.as_uri())
        yield opened


def test_the_section_is_sorted_filtered_and_fits_a_phone(page: Chrome) -> None:
    assert names_in(page, "kinds") == ["first", "second", "third"]
    found, *_ = every(page, "#kinds thead button")[1:]
    assert found.text.startswith("Found")
    page.execute_script("arguments[0].click(); arguments[0].click()", found)
    assert names_in(page, "kinds") == ["third", "second", "first"]
    one(page, "#kinds-filter").send_keys("sec")
    assert names_in(page, "kinds") == ["second"]
    titles = text_of(page, "#errors figure h3")
    assert titles[0] == "What does each algorithm do wrong?"
    assert len(titles) == 3
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    assert page.execute_script("return document.documentElement.scrollWidth") == 390
    assert page.get_log("browser") == []
