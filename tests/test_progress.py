"""Progress where the output is no terminal: plain lines, not too many and not too few."""

import io
import re
import sys
from collections.abc import Callable

import pytest

from cellbench import progress
from cellbench.progress import ProgressLines, progress_bar


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return a function that lets seconds pass."""
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])

    def pass_by(seconds: float) -> None:
        now[0] += seconds

    return pass_by


def test_short_work_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress_bar(range(100), "short")) == list(range(100))
    assert capsys.readouterr() == ("", "")


def test_a_line_per_tenth(
    wait: Callable[[float], None], capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in progress_bar(["image"] * 200, "segment"):
        wait(3)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        f"segment: {20 * part} of 200 images ({part}0%), after 0:0{part}:00, about "
        f"0:{10 - part:02}:00 left"
        for part in range(1, 10)
    ] + ["segment: 200 of 200 images (100%), after 0:10:00, about 0:00:00 left"]


def test_at_least_a_line_per_minute_and_at_most_one_per_ten_seconds(
    wait: Callable[[float], None], capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in progress_bar(range(5000)):
        wait(1)
    times = re.findall(r"after (\d+):(\d\d):(\d\d)", capsys.readouterr().err)
    seconds = [int(hours) * 3600 + int(minutes) * 60 + int(rest) for hours, minutes, rest in times]
    gaps = {later - earlier for earlier, later in zip([0, *seconds], seconds, strict=False)}
    assert max(gaps) == 60
    assert min(gaps) >= 10
    assert {500, 1000, 4500, 5000} < set(seconds)  # tenths
    for _ in progress_bar(range(20)):
        wait(1)
    assert [line.split(",")[0] for line in capsys.readouterr().err.splitlines()] == [
        "10 of 20 images (50%)",
        "20 of 20 images (100%)",
    ]


def test_the_time_left_does_not_count_what_an_earlier_run_did(
    wait: Callable[[float], None], capsys: pytest.CaptureFixture[str]
) -> None:
    with progress_bar(what="theirs", total=100, initial=80) as bar:
        wait(60)
        bar.update(10)
    assert capsys.readouterr().err == (
        "theirs: 90 of 100 images (90%), after 0:01:00, about 0:01:00 left\n"
    )


def test_without_a_total(wait: Callable[[float], None], capsys: pytest.CaptureFixture[str]) -> None:
    bar = ProgressLines(what="a.zip", unit="B")
    wait(61)
    bar.update(12_345_678)
    assert capsys.readouterr().err == "a.zip: 12 MB, after 0:01:01\n"


def test_a_terminal_has_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stderr", terminal)
    assert sum(progress_bar(range(4), "count")) == 6
    assert "count: 100%" in terminal.getvalue()
    assert "4/4 [" in terminal.getvalue()
