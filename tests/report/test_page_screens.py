"""report.html on a phone, in the dark scheme, enlarged and on paper."""

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from browser import chromium, every, one, until
from pages import make_all, scores_of, write_scores
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from cellbench.boards import write_board
from cellbench.boards.reading import read_board
from cellbench.report import write_report
from cellbench.report.page import read_published, write_page

PUBLISHED = Path(__file__).parents[2] / "leaderboard" / "published" / "f1.csv"
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    board, data, predictions = make_all(tmp_path_factory.mktemp("screens"), ["a", "b", "c"])
    return write_report(board, data=data, predictions=predictions)[-1]


@pytest.fixture
def page(browser: Chrome, report: Path) -> Chrome:
    browser.get(report.as_uri())
    return browser


@contextmanager
def phone(page: Chrome) -> Iterator[None]:
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    try:
        yield
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@contextmanager
def media(page: Chrome, **settings: object) -> Iterator[None]:
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", settings)
    try:
        yield
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})


def width_of(page: Chrome, element: WebElement) -> float:
    script = "return arguments[0].getBoundingClientRect().width"
    return float(page.execute_script(script, element))


def open_gallery(page: Chrome) -> None:
    page.execute_script("document.getElementById('gallery').scrollIntoView()")
    until(page, lambda page: len(every(page, "#compare svg")) == 2)


def press(page: Chrome, button: WebElement) -> None:
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
    button.send_keys(Keys.ENTER)


def test_rank_and_name_stay_in_view(page: Chrome) -> None:
    with phone(page):
        table = one(page, "#leaderboard .scroll")
        page.execute_script("arguments[0].scrollIntoView()", table)
        page.execute_script("arguments[0].scrollLeft = 250", table)
        scrolled = page.execute_script("return arguments[0].scrollLeft", table)
        assert scrolled == 250  # so the table is wider than the screen
        left = table.rect["x"]
        for row in ("thead", "tbody"):
            rank, name, score = every(page, f"#board {row} tr:first-child > *")[:3]
            assert left <= rank.rect["x"] <= left + 2
            assert rank.rect["x"] + rank.rect["width"] == pytest.approx(name.rect["x"], abs=1)
            assert name.rect["x"] + name.rect["width"] < PHONE["width"] * 0.6
            assert score.rect["x"] < name.rect["x"]  # behind the name
        middle = {"x": name.rect["x"] + 8, "y": name.rect["y"] + 8}
        script = f"return document.elementFromPoint({middle['x']}, {middle['y']} - scrollY).closest('th')"
        assert page.execute_script(script) == name


@pytest.mark.parametrize("selector", ["#figures .enlarge", "#compare .enlarge"])
def test_enlarging_on_a_phone_enlarges(selector: str, page: Chrome) -> None:
    with phone(page):
        open_gallery(page)
        button = one(page, selector)
        small = width_of(page, button.find_element(By.CSS_SELECTOR, "img, svg"))
        press(page, button)
        large = one(page, "#enlarged-body > *")
        assert width_of(page, large) > 1.8 * small
        view = one(page, "#enlarged-body")
        room = page.execute_script("return arguments[0].scrollWidth", view)
        assert room > view.size["width"]  # the rest is reached by scrolling
        assert page.execute_script("return document.documentElement.scrollWidth") <= 390
        before = width_of(page, large)
        one(page, "#zoom-in").click()
        assert width_of(page, large) == pytest.approx(1.5 * before, rel=0.01)
        one(page, "#zoom-out").click()
        view.send_keys("-")
        assert width_of(page, large) == pytest.approx(before / 1.5, rel=0.01)
        one(page, "#enlarged-close").click()
        until(page, lambda page: not one(page, "dialog").is_displayed())


def corner(page: Chrome, element: WebElement) -> int:
    """Return how light the background of a picture is on the screen, from 0 to 255."""
    from io import BytesIO

    from PIL import Image

    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    until(page, lambda page: page.execute_script("return arguments[0].complete !== false", element))
    with Image.open(BytesIO(base64.b64decode(element.screenshot_as_base64))) as shot:
        return int(shot.convert("L").getpixel((3, 3)))  # type: ignore[arg-type]


def test_figures_follow_the_scheme_and_photographs_do_not(page: Chrome) -> None:
    open_gallery(page)
    figure, photograph = one(page, "#figures img"), one(page, "#compare svg")
    assert corner(page, figure) > 240
    light = corner(page, photograph)
    with media(page, features=[{"name": "prefers-color-scheme", "value": "dark"}]):
        assert corner(page, figure) < 60
        assert corner(page, photograph) == pytest.approx(light, abs=3)
        press(page, one(page, "#figures .enlarge"))
        assert corner(page, one(page, "#enlarged-body img")) < 60
        one(page, "#enlarged-close").click()


def test_pictures_are_large_enough_to_read(page: Chrome) -> None:
    """Letters of a figure are 10 points; a third less than that can still be read."""
    for image in every(page, "#figures img"):
        assert width_of(page, image) >= 0.66 * int(str(image.get_attribute("width")))
    for image in every(page, "#figures .wide img"):
        assert width_of(page, image) >= 0.9 * int(str(image.get_attribute("width")))


def sheets(page: Chrome, pdf: Path) -> list[str]:
    """Print the page and return the text of each sheet; skip the test without poppler-utils."""
    if shutil.which("pdftotext") is None:
        pytest.skip("needs pdftotext (poppler-utils), which is not installed here")
    printed = page.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    pdf.write_bytes(base64.b64decode(printed["data"]))
    command = ["pdftotext", "-layout", pdf, "-"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [sheet for sheet in text.split("\f") if sheet.strip()]


def test_headings_stay_with_what_follows_them_in_print(page: Chrome, tmp_path: Path) -> None:
    open_gallery(page)
    headings = [" ".join(one.text.split()) for one in every(page, "h2, main h3") if one.text]
    assert len(headings) > 8
    for sheet in sheets(page, tmp_path / "report.pdf"):
        lines = [" ".join(line.split()) for line in sheet.splitlines() if line.strip()]
        assert lines[-1] not in headings


def test_printed_pictures_say_whose_they_are(page: Chrome, tmp_path: Path) -> None:
    open_gallery(page)
    printed = sheets(page, tmp_path / "report.pdf")
    assert "Click" not in "".join(printed)
    (worst,) = [sheet for sheet in printed if re.search("^ *Worst: ", sheet, re.MULTILINE)]
    assert re.search(r"^ *Algorithm +a$", worst, re.MULTILINE)
    (pair,) = [sheet for sheet in printed if "Two algorithms on one image" in sheet]
    assert re.search(r"^ *Image +test\d +Left +a +Right +b$", pair, re.MULTILINE)
    assert "true cells were not found" in pair.partition("Two algorithms on one image")[2]


def test_long_intervals_of_ranks_are_whole_on_a_phone(browser: Chrome, tmp_path: Path) -> None:
    board = read_board(write_scores(tmp_path / "b", scores_of([*"abcdefghijklm"], ["x"], ["DIC"])))
    places = board.leaderboard.assign(rank_low=10.5, rank_high=12.5)
    page = write_page(replace(board, leaderboard=places), [])
    with phone(browser):
        browser.get(page.as_uri())
        for cell in every(browser, "#board tr > :first-child"):
            assert not browser.execute_script(
                "return arguments[0].scrollWidth > arguments[0].clientWidth", cell
            )


def test_a_table_repeats_its_heading_on_the_next_sheet(browser: Chrome, tmp_path: Path) -> None:
    names = [f"algorithm {number:02d}" for number in range(40)]
    board = write_scores(tmp_path / "b", scores_of(names, ["x", "y"], ["DIC"]))
    browser.get(write_page(read_board(board), []).as_uri())
    printed = sheets(browser, tmp_path / "b.pdf")
    tables = [sheet for sheet in printed if re.search(r"algorithm \d\d  ", sheet)]
    assert len(tables) > 2
    assert all(re.search(r"^ *Rank +Algorithm", sheet, re.MULTILINE) for sheet in tables[1:])


def test_published_numbers_are_printed_below_their_warning(board: Path, browser: Chrome) -> None:
    path = write_page(read_board(board), [], published=read_published([PUBLISHED]))
    browser.get(path.as_uri())
    browser.execute_script(
        "const {style} = document.getElementById('published');"
        "style.breakBefore = 'page'; style.paddingTop = '150mm'"  # room for the warning alone
    )
    printed = sheets(browser, path.with_suffix(".pdf"))
    (warned,) = [sheet for sheet in printed if "Not comparable." in sheet]
    assert "Published F1 scores" in warned


def test_texts_and_links_fit_a_phone(browser: Chrome, tmp_path: Path) -> None:
    long = "x" * 200
    entry = tmp_path / "entries/long"
    write_scores(entry, scores_of(["long"], ["a", "b"]))
    stated = {"authors": long, "paper": f"https://example.org/{long}", "licence": "MIT"}
    (entry / "entry.yaml").write_text(yaml.safe_dump({"name": "long", "title": long, **stated}))
    record = {
        "protocol": {"name": "neurips22", "version": 2},
        "unmatched": {"long": [f"{long}.tif"]},
    }
    (entry / "scores.json").write_text(json.dumps(record))
    board = tmp_path / "board"
    write_board([entry], board, bootstrap=5)
    row = "| " + " | ".join(["column"] * 30) + " |"
    (board / "about.md").write_text(
        f"# {long}\n\n[{long}](https://example.org/{long})\n\n```\n{long}\n```\n\n"
        f"{row}\n{row.replace('column', '---')}\n{row}\n<script>alert(1)</script>\n"
    )
    with phone(browser):
        browser.get(write_page(read_board(board), []).as_uri())
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
        for section in ("about", "algorithms", "failures", "cite"):
            assert one(browser, f"#{section}").rect["width"] <= 390
        headings = [heading.text for heading in every(browser, "#stated thead th .title")]
        assert headings == ["Algorithm", "Authors", "Paper", "Licence of the code"]
    assert browser.get_log("browser") == []
