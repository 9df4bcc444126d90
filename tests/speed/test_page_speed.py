"""The page of 28 algorithms on 422 images, in a real browser: `make bench`."""

import time
from pathlib import Path

import pytest
from report.browser import chromium
from report.pages import scores_of, write_scores

from cellbench.report import write_report

MOST_TO_WRITE = 30.0
"""Seconds for a whole board with all figures and its page."""

MOST_TO_OPEN = 1000.0
"""Milliseconds until the page is loaded."""

_LOADED = "return performance.getEntriesByType('navigation')[0].loadEventEnd"
_READY = "return performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"


def test_a_challenge_opens_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"algorithm {number}" for number in range(28)]
    images = [f"cell_{number:05d}" for number in range(422)]
    modalities = ["brightfield", "fluorescence", "phase-contrast", "DIC"]
    failed = [(names[place % 28], image) for place, image in enumerate(images)]
    started = time.perf_counter()
    board = write_scores(
        tmp_path / "board", scores_of(names, images, modalities, failed=failed), samples=1000
    )
    page = write_report(board)[-1]
    wrote = time.perf_counter() - started
    with chromium(tmp_path / "profile") as browser:
        opened = []
        for _ in range(5):
            browser.get(page.as_uri())
            opened.append((browser.execute_script(_LOADED), browser.execute_script(_READY)))
    loaded, ready = sorted(opened)[len(opened) // 2]
    with capsys.disabled():
        print(
            f"\npage of 28 × 422: {page.stat().st_size / 1e6:.1f} MB, board and page written in "
            f"{wrote:.1f} s; ready after {ready:.0f} ms, loaded after {loaded:.0f} ms"
        )
    assert loaded < MOST_TO_OPEN
    assert wrote < MOST_TO_WRITE
