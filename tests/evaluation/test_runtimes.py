"""The challenge's tolerance."""

import csv
import math
from pathlib import Path

import pytest

from cellbench.evaluation.runtimes import rank_runtime_seconds, read_runtimes, tolerance_seconds
from cellbench.evaluation.statuses import read_statuses


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [(1, 1, 10), (1000, 1000, 10), (1000, 1001, 10.01), (8415, 10496, 883.2384), (640, 480, 10)],
)
def test_tolerance(height: int, width: int, expected: float) -> None:
    assert tolerance_seconds(height, width) == pytest.approx(expected)


@pytest.mark.parametrize(("runtime", "expected"), [(0, 0), (10, 0), (12.5, 2.5)])
def test_only_the_excess_counts(runtime: float, expected: float) -> None:
    assert rank_runtime_seconds(runtime, 500, 500) == expected


def test_an_unknown_time_is_no_perfect_time() -> None:
    assert math.isnan(rank_runtime_seconds(math.nan, 500, 500))


def test_names_with_and_without_extension(tmp_path: Path) -> None:
    path = tmp_path / "runtime.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(
            [["Img Name", "Real Running Time", "Rank Running Time"], ["a.b.png", "2.5", "0"]]
        )
    assert read_runtimes(path) == {"a.b": 2.5}


def test_names_however_their_accents_are_written(tmp_path: Path) -> None:
    path = tmp_path / "runtime.csv"
    path.write_text("Img Name,Real Running Time,Rank Running Time\ne\u0301.png,2.5,0\n", "utf-8")
    assert read_runtimes(path) == {"\u00e9": 2.5}
    (tmp_path / "resources.csv").write_text("image,status\ne\u0301,timeout\n", "utf-8")
    assert read_statuses(tmp_path) == {"\u00e9": "timeout"}
