"""Running times: the official CSV and the challenge's tolerance."""

import math
from collections.abc import Iterable
from pathlib import Path

from cellbench.csv_tables import read_rows, write_rows
from cellbench.errors import ScoresError
from cellbench.images import image_stem

RUNTIME_FILE = "runtime.csv"
"""Name of the file of running times in a predictions folder."""

RUNTIME_COLUMNS = ("Img Name", "Real Running Time", "Rank Running Time")
"""Columns of the challenge's CSV of running times."""


def tolerance_seconds(height: int, width: int) -> float:
    """Return the running time that costs no rank: 10 s up to a million pixels, then 10 s per million.

    Source: the challenge's cellseg_time_eval.py.

    Args:
        height: rows of the image, in pixels.
        width: columns of the image, in pixels.

    Returns:
        Seconds.

    Example:
        >>> tolerance_seconds(500, 500), tolerance_seconds(2000, 3000)
        (10.0, 60.0)
    """
    return 10.0 * max(1.0, height * width / 1_000_000)


def rank_runtime_seconds(runtime: float, height: int, width: int) -> float:
    """Return by how much a running time exceeds the tolerance.

    Args:
        runtime: running time in seconds; NaN if unknown.
        height: rows of the image, in pixels.
        width: columns of the image, in pixels.

    Returns:
        Seconds, at least 0; NaN if the running time is unknown.
    """
    excess = runtime - tolerance_seconds(height, width)
    return 0.0 if excess <= 0 else excess


def read_runtimes(path: str | Path) -> dict[str, float]:
    """Read the real running times of the official CSV.

    Args:
        path: a CSV with the columns ``Img Name`` and ``Real Running Time`` in seconds.

    Returns:
        Seconds by image stem.

    Raises:
        ScoresError: if the file is not such a CSV, or a time is not a finite number of at least 0.
    """
    path = Path(path)
    times: dict[str, float] = {}
    for number, row in enumerate(read_rows(path, RUNTIME_COLUMNS[:2], ScoresError), start=2):
        name, text = row["Img Name"], row["Real Running Time"]
        try:
            seconds = float(text)
        except ValueError:
            seconds = math.nan
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ScoresError(
                f"{path}: line {number} has the running time {' '.join(text.split())}; "
                "running times are seconds, 0 or more"
            )
        times[image_stem(name)] = seconds
    return times


def write_runtimes(path: Path, times: Iterable[tuple[str, float, float]]) -> None:
    """Write the official CSV of running times.

    Args:
        path: the file to write.
        times: for each image its file name, its running time in seconds, and the part of it beyond the
            tolerance.
    """
    rows = (dict(zip(RUNTIME_COLUMNS, time, strict=True)) for time in times)
    write_rows(path, RUNTIME_COLUMNS, rows)
