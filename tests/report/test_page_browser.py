"""report.html in a real browser: everything that its script does, hostile names, and no network."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from browser import chromium, every, names_in, one, text_of, until
from datasets import make_dataset
from pages import HOSTILE, make_all, make_predictions, scores_of, write_scores
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select

from cellbench.boards.reading import read_board
from cellbench.report import write_report
from cellbench.report.page import make_gallery, read_published, write_page

PUBLISHED = Path(__file__).parents[2] / "leaderboard" / "published" / "f1.csv"
NAMES = ("exact", "good", "fair", "poor")

pytestmark = pytest.mark.slow
_LOADED = "return performance.getEntriesByType('resource').map((one) => one.name)"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    board, data, predictions = make_all(tmp_path_factory.mktemp("report"), NAMES)
    (predictions / "fair" / "test1_label.tiff").write_bytes(b"II*\0 damaged")
    return write_report(board, data=data, predictions=predictions, published=[PUBLISHED])[-1]


@pytest.fixture
def page(browser: Chrome, report: Path) -> Iterator[Chrome]:
    browser.get(report.as_uri())
    yield browser
    assert browser.get_log("browser") == []
    assert [name for name in browser.execute_script(_LOADED) if not name.startswith("data:")] == []


def open_gallery(page: Chrome) -> None:
    page.execute_script("document.getElementById('gallery').scrollIntoView()")
    until(page, lambda page: len(every(page, "#compare svg")) == 2)


def heading(page: Chrome, words: str) -> WebElement:
    (found,) = [one for one in every(page, "#board thead button") if one.text.startswith(words)]
    return found


def order_of(button: WebElement) -> str | None:
    return button.find_element(By.XPATH, "..").get_attribute("aria-sort")


def test_sorting_by_click_and_by_key(page: Chrome) -> None:
    best_first = names_in(page, "board")
    assert best_first[0] == "exact"
    assert order_of(heading(page, "Rank")) == "ascending"
    heading(page, "Algorithm").click()
    assert names_in(page, "board") == sorted(NAMES)
    assert order_of(heading(page, "Rank")) is None
    heading(page, "Algorithm").send_keys(Keys.ENTER)
    assert names_in(page, "board") == sorted(NAMES, reverse=True)
    assert order_of(heading(page, "Algorithm")) == "descending"
    heading(page, "Median F1").send_keys(Keys.SPACE)
    assert order_of(heading(page, "Median F1")) == "descending"
    keys = [
        float(str(cell.get_attribute("data-key"))) for cell in every(page, "#board td:nth-child(5)")
    ]
    assert keys == sorted(keys, reverse=True)


def test_filtering(page: Chrome) -> None:
    field = one(page, "#board-filter")
    field.send_keys("OO")
    assert sorted(names_in(page, "board")) == ["good", "poor"]
    assert text_of(page, ".filter output")[0] == "2 of 4 shown"
    field.send_keys(" 0.")
    assert names_in(page, "board") == []
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(Keys.DELETE)
    assert len(names_in(page, "board")) == 4
    one(page, "#reported-filter").send_keys("mediar osilab")
    found = names_in(page, "reported")
    assert found
    assert all(name.startswith("MEDIAR") for name in found)


def test_tabs_by_arrow_keys(page: Chrome) -> None:
    tabs = every(page, "[role=tab]")
    assert [tab.text for tab in tabs] == ["DIC", "fluorescence", "Consensus"]
    tabs[0].click()
    panels = [0, 1, 2, 0, 2, 0]
    for place, key in zip(
        panels[1:],
        [Keys.ARROW_RIGHT, Keys.END, Keys.ARROW_RIGHT, Keys.ARROW_LEFT, Keys.HOME],
        strict=True,
    ):
        page.switch_to.active_element.send_keys(key)
        assert page.switch_to.active_element == tabs[place]
        selected = [tab.get_attribute("aria-selected") == "true" for tab in tabs]
        assert selected == [number == place for number in range(3)]
        shown = [panel.is_displayed() for panel in every(page, "[role=tabpanel]")]
        assert shown == selected
        assert [tab.get_attribute("tabindex") for tab in tabs].count("0") == 1


def test_figures_enlarge(page: Chrome) -> None:
    button = one(page, ".figures .enlarge")
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
    button.send_keys(Keys.ENTER)
    dialog = one(page, "dialog")
    assert dialog.is_displayed()
    assert dialog.find_element(By.TAG_NAME, "img").size["width"] > 500
    assert dialog.find_element(By.TAG_NAME, "img").get_attribute("alt")
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    until(page, lambda page: not one(page, "dialog").is_displayed())
    assert page.switch_to.active_element == button
    assert (
        len(every(page, "#panel-1 .figures img")) == len(every(page, "#panel-2 .figures img")) > 0
    )
    link = one(page, ".figures a.embedded")
    assert str(link.get_attribute("href")).startswith("data:image/")


def test_the_gallery_opens_late_and_browses(page: Chrome) -> None:
    assert every(page, "#browse article") == []
    open_gallery(page)
    assert len(every(page, "#browse article")) == 3
    Select(one(page, "#browse-algorithm")).select_by_visible_text("poor")
    titles = text_of(page, "#browse h4")
    assert [title.split(":")[0] for title in titles] == ["Worst", "Median", "Best"]
    scores = [float(words.split()[1].rstrip(".")) for words in text_of(page, "#browse p")]
    assert scores == sorted(scores)
    assert "match no true cell" in text_of(page, "#browse p")[0]


def test_kinds_are_switched(page: Chrome) -> None:
    open_gallery(page)
    Select(one(page, "#compare-left")).select_by_visible_text("poor")
    Select(one(page, "#compare-image")).select_by_visible_text("test0")
    for kind in ("matched", "missed", "spurious", "merged", "split"):
        lines = every(page, f"#compare article:first-child .line.cell-{kind}")
        assert lines, kind
        assert all(line.is_displayed() for line in lines), kind
        one(page, f"input[data-kind={kind}]").click()
        assert not any(line.is_displayed() for line in lines), kind
        one(page, f"input[data-kind={kind}]").send_keys(Keys.SPACE)
        assert all(line.is_displayed() for line in lines), kind
    truth = every(page, "#compare article:first-child .line.cell-truth")
    assert truth
    assert not truth[0].is_displayed()


def test_two_algorithms_side_by_side(page: Chrome) -> None:
    open_gallery(page)
    Select(one(page, "#compare-image")).select_by_visible_text("test0")
    Select(one(page, "#compare-left")).select_by_visible_text("exact")
    Select(one(page, "#compare-right")).select_by_visible_text("poor")
    assert text_of(page, "#compare h4") == ["exact", "poor"]
    left, right = text_of(page, "#compare p")
    assert left.startswith("F1 1.000")
    assert not right.startswith("F1 1.000")
    pictures = [image.get_attribute("href") for image in every(page, "#compare image")]
    assert pictures[0] == pictures[1]
    assert str(pictures[0]).startswith("data:image/webp;base64,")
    Select(one(page, "#compare-right")).select_by_visible_text("true cells only")
    assert text_of(page, "#compare h4") == ["exact", "true cells only"]


def test_pictures_enlarge(page: Chrome) -> None:
    open_gallery(page)
    small = one(page, "#compare svg").size["height"]
    one(page, "#compare .enlarge").send_keys(Keys.ENTER)
    assert one(page, "#enlarged svg").size["height"] >= small
    assert one(page, "#enlarged-title").text
    one(page, "#enlarged input[data-kind=matched]").click()
    assert not any(
        line.is_displayed() for line in every(page, "#enlarged-body > svg .line.cell-matched")
    )
    one(page, "#enlarged input[data-kind=matched]").click()
    one(page, "#enlarged-close").click()
    until(page, lambda page: not one(page, "dialog").is_displayed())
    until(page, lambda page: one(page, "#kinds-home input[data-kind=matched]").is_displayed())


def test_what_is_damaged_is_told(page: Chrome) -> None:
    open_gallery(page)
    problems = text_of(page, "#problems tbody tr")
    assert len(problems) == 1
    assert problems[0].split()[:2] == ["fair", "test1"]
    assert "fair/test1_label.tiff" in problems[0]
    Select(one(page, "#compare-image")).select_by_visible_text("test1")
    assert "fair" not in [option.text for option in Select(one(page, "#compare-left")).options]


def test_narrow_screens_and_dark_ones(page: Chrome) -> None:
    open_gallery(page)
    size = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    paper = "return getComputedStyle(document.body).backgroundColor"
    light = page.execute_script(paper)
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": dark})
    try:
        assert page.execute_script("return document.documentElement.scrollWidth") <= 400
        assert page.execute_script(paper) != light
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_prints_every_tab_and_no_control(page: Chrome) -> None:
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert all(panel.is_displayed() for panel in every(page, "[role=tabpanel]"))
        assert not any(control.is_displayed() for control in every(page, "input, [role=tab], nav"))
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_the_first_tab_stop_skips_to_the_table(page: Chrome) -> None:
    one(page, "body").send_keys(Keys.TAB)
    skip = page.switch_to.active_element
    assert skip.text == "Skip to the leaderboard"
    assert skip.location["x"] >= 0
    skip.send_keys(Keys.ENTER)
    assert page.execute_script("return document.activeElement.id") == "main"


def test_hostile_names_are_shown_as_text(browser: Chrome, tmp_path: Path) -> None:
    folders = [name for name in HOSTILE if "/" not in name and len(name) < 200]
    data = make_dataset(tmp_path / "data")
    predictions = make_predictions(data, tmp_path / "predictions", folders)
    scores = scores_of(
        HOSTILE,
        ["test0", "test1"],
        ["<img src=x onerror=alert(3)>", "DIC"],
        failed=[(HOSTILE[0], "test0")],
    )
    board = write_scores(tmp_path / "<img src=x onerror=alert(4)>", scores)
    tables = read_board(board)
    pd.read_csv(PUBLISHED).assign(algorithm=HOSTILE[2]).to_csv(tmp_path / "p.csv", index=False)
    made = write_page(
        tables,
        [],
        gallery=make_gallery(tables, data, predictions),
        published=read_published([tmp_path / "p.csv"]),
    )
    browser.get(made.as_uri())
    open_gallery(browser)
    assert sorted(names_in(browser, "board")) == sorted(HOSTILE)
    assert one(browser, "h1").text == board.name
    options = [option.text for option in Select(one(browser, "#browse-algorithm")).options]
    assert sorted(options) == sorted(folders)
    for name in folders:
        Select(one(browser, "#compare-left")).select_by_visible_text(name)
        assert text_of(browser, "#compare h4")[0] == name
    one(browser, "#compare .enlarge").send_keys(Keys.ENTER)
    assert one(browser, "#enlarged-title").text == folders[-1]
    assert every(browser, "img") == []
    assert (
        browser.execute_script("return document.scripts.length")
        == len(every(browser, "script[type]")) + 1
    )
    assert browser.get_log("browser") == []
    assert browser.execute_script(_LOADED) == []


def test_a_whole_challenge_is_shown(browser: Chrome, tmp_path: Path) -> None:
    names = [f"algorithm {number}" for number in range(28)]
    images = [f"cell_{number:05d}" for number in range(422)]
    failed = {(name, image) for name in names for image in images[:400]}
    modalities = ["brightfield", "fluorescence", "phase-contrast", "DIC"]
    board = write_scores(tmp_path / "b", scores_of(names, images, modalities, failed=failed))
    write_page(read_board(board), [])
    browser.get((board / "report.html").as_uri())
    assert len(names_in(browser, "board")) == 28
    assert len(every(browser, "#failed tbody tr")) == len(failed)
