"""Filters, columns and links to a view, on the page of a board and on the site, in three browsers."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from browsers import BROWSERS, Browser, open_browser
from pages import HOSTILE
from sites import write_boards

from cellbench.report.site import write_site

pytestmark = pytest.mark.slow

_PATIENCE = 30  # seconds

_NAMES = """return [...document.querySelectorAll(`#${arguments[0]} tbody tr`)].filter((row) => !row.hidden)
  .map((row) => row.querySelector("th bdi").textContent)"""
_SET = """const field = document.querySelector(arguments[0]);
if (field.type === "checkbox") field.checked = arguments[1]; else field.value = arguments[1];
for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true }));"""
_HEADINGS = """return [...document.querySelectorAll(`#${arguments[0]} thead th`)]
  .filter((one) => one.offsetWidth)
  .map((one) => one.querySelector(".title").textContent)"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    boards = write_boards(tmp_path_factory.mktemp("views") / "boards")
    return write_site(boards, boards.parent / "site").parent


@pytest.fixture(scope="module", params=BROWSERS)
def browser(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    with open_browser(request.param, tmp_path_factory.mktemp("browser") / "profile") as opened:
        yield opened


class View:
    """A page in a browser, and what a visitor does with its tables."""

    def __init__(self, browser: Browser, page: Path) -> None:
        self._browser, self._page = browser, page.as_uri()

    def open(self, fragment: str = "") -> "View":
        self._browser.get("about:blank")
        self._browser.get(self._page + fragment)
        return self

    def run(self, script: str, *args: Any) -> Any:  # noqa: ANN401  (what JavaScript returns)
        return self._browser.execute_script(script, *args)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until the page has done what follows after its script, such as scrolling."""
        end = time.monotonic() + _PATIENCE
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.05)

    def names(self, table: str) -> list[str]:
        return list(self.run(_NAMES, table))

    def headings(self, table: str) -> list[str]:
        return list(self.run(_HEADINGS, table))

    def set(self, selector: str, value: object) -> None:
        self.run(_SET, selector, value)

    def click_heading(self, table: str, title: str) -> None:
        self.run(
            "[...document.querySelectorAll(`#${arguments[0]} thead button`)].find((one) => "
            "one.querySelector('.title').textContent === arguments[1]).click()",
            table,
            title,
        )

    @property
    def fragment(self) -> str:
        return str(self.run("return location.hash"))

    def options(self, selector: str) -> list[str]:
        script = "return [...document.querySelector(arguments[0]).options].map((one) => one.value)"
        return list(self.run(script, selector))


def test_filters_of_a_board(browser: Browser, site: Path) -> None:
    view = View(browser, site / "boards/cells/report.html").open()
    assert set(view.names("board")) == {"unet", "The star method", "hover"}
    assert view.options("#board-licence") == ["", "Apache-2.0", "MIT", "!"]
    assert view.options("#board-trained_on") == ["", "cells", "dsb", "!cells", "!dsb", "!"]
    for choice, expected in {
        "cells": {"unet", "The star method"},
        "!dsb": {"unet", "hover"},
        "!": {"hover"},
        "": {"unet", "The star method", "hover"},
    }.items():
        view.set("#board-trained_on", choice)
        assert set(view.names("board")) == expected
    view.set("#board-licence", "MIT")
    view.set("#board-trained_on", "!")
    assert view.names("board") == []
    shown = "return document.querySelector('#board-filter ~ output').textContent"
    assert view.run(shown) == "0 of 3 shown"


def test_columns_of_a_board(browser: Browser, site: Path) -> None:
    view = View(browser, site / "boards/cells/report.html").open()
    before = view.headings("board")
    assert before[:2] == ["Rank", "Algorithm"]
    boxes = """return [...document.querySelectorAll('#board-filter ~ .columns label')]
      .map((one) => one.textContent.trim())"""
    assert view.run(boxes) == before[2:]
    view.set("#board-filter ~ .columns input", False)
    assert view.headings("board") == [*before[:2], *before[3:]]
    view.set("#board-filter ~ .columns input", True)
    assert view.headings("board") == before
    assert view.fragment == ""


def test_a_view_comes_back_from_its_link(browser: Browser, site: Path) -> None:
    page = site / "results.html"
    view = View(browser, page).open()
    view.set("#results-modality", "fluorescence")
    view.set("#results-licence", "Apache-2.0")
    view.set("#results-filter", "star")
    view.click_heading("results", "Mean F1")
    view.set("#results-filter ~ .columns input[data-column='4']", False)
    seen = view.names("results"), view.headings("results"), view.fragment
    assert (
        seen[0] == ["The star method"] * 2
    )  # of cells, and of nuclei, where all images are fluorescence
    assert "Score" not in seen[1]
    assert seen[2] == (
        "#results.sort=-mean-f1&results.find=star&results.modality=fluorescence"
        "&results.licence=Apache-2.0&results.hide=score"
    )
    link = "const link = document.querySelector('a.view'); return [link.hidden, link.href]"
    assert view.run(link) == [False, page.as_uri() + seen[2]]
    view.open(seen[2])
    assert (view.names("results"), view.headings("results"), view.fragment) == seen
    assert view.run("return document.querySelector('#results-filter').value") == "star"
    view.run("location.hash = '#results.sort=modality'")
    view.wait_for(lambda: len(view.names("results")) > len(seen[0]))
    assert view.fragment == "#results.sort=modality"
    assert "Score" in view.headings("results")


def test_links_to_sections_change_no_table(browser: Browser, site: Path) -> None:
    view = View(browser, site / "boards/cells/report.html").open("#downloads")
    assert view.fragment == "#downloads"
    assert len(view.names("board")) == 3
    view.wait_for(lambda: view.run("return scrollY") > 0)


def test_a_link_opens_the_tab_of_its_table(browser: Browser, site: Path) -> None:
    view = View(browser, site / "boards/cells/report.html").open("#modality-2.sort=-algorithm")
    assert view.run("return document.querySelector('#panel-2').hidden") is False
    assert view.names("modality-2") == ["unet", "The star method", "hover"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_links_are_ignored(name: str, browser: Browser, site: Path) -> None:
    text = quote(name)
    keys = ("sort", "licence", "hide", "modality", "__proto__", text)
    fragment = "#" + "&".join(f"algorithms.{key}={text}" for key in keys)
    view = View(browser, site / "index.html").open(f"{fragment}&{text}.sort={text}")
    assert len(view.names("algorithms")) == 4 + len(HOSTILE)
    assert view.fragment == ""
    assert view.run("return document.images.length") == 0


def test_hostile_names_are_sorted_and_found(browser: Browser, site: Path) -> None:
    view = View(browser, site / "index.html").open()
    assert set(HOSTILE) <= set(view.names("algorithms"))
    for name in HOSTILE:
        view.set("#algorithms-filter", name)
        assert set(view.names("algorithms")) == {each for each in HOSTILE if name in each}
    assert view.run("return document.images.length") == 0


def test_nothing_is_loaded(browser: Browser, site: Path) -> None:
    view = View(browser, site / "results.html").open()
    script = "return performance.getEntriesByType('resource').map((one) => one.name)"
    assert [name for name in view.run(script) if not name.startswith("data:")] == []
