"""The challenge's tolerance."""

import csv
import math
import re
from pathlib import Path

import pytest

from cellbench.errors import ScoresError
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


@pytest.mark.parametrize(
    "table",
    [
        "image,seconds\na.b.png,2.5\nc.tif,0\n",
        "Image;Seconds\na.b.png;2,5\nc.tif;0\n",
        "seconds\timage\tmachine\n2.5\ta.b.png\tx\n0\tc.tif\tx\n",
        "img name,real running time,Rank Running Time\na.b.png,2.5,\nc.tif,0,\n",
        "sep=;\nImg Name;Real Running Time\na.b.png;2.5\nc.tif;0\n;\n",
    ],
)
def test_tables_of_users(table: str, tmp_path: Path) -> None:
    (tmp_path / "runtime.csv").write_text(table)
    assert read_runtimes(tmp_path / "runtime.csv") == {"a.b": 2.5, "c": 0}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            "name,time\na.png,1\n",
            "the first line must name the columns Img Name,Real Running Time or image,seconds; it has "
            "'name', 'time'",
        ),
        (
            "image,seconds\na.png,fast\n",
            "line 2 has the running time fast; running times are seconds",
        ),
        ("image,seconds\na.png,-1\n", "line 2 has the running time -1"),
        ("image,seconds\na.png,inf\n", "line 2 has the running time inf"),
        ("image,seconds\na.png,\n", "line 2 has no value in the column 'seconds'"),
        ("image,seconds\na.png,1\na.png,2\n", "line 3 is a second row for the image 'a'"),
        ("image\tseconds\na.png\t1,234\n", "seconds: the comma in '1,234' can be a decimal sign"),
    ],
)
def test_wrong_tables_of_times(table: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "runtime.csv").write_text(table)
    with pytest.raises(ScoresError, match=re.escape(message)):
        read_runtimes(tmp_path / "runtime.csv")
