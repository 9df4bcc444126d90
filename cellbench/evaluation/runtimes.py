"""Running times: the official CSV and the challenge's tolerance."""

import csv
import math
from pathlib import Path

from cellbench.errors import ScoresError

RUNTIME_FILE = "runtime.csv"
RUNTIME_COLUMNS = ("Img Name", "Real Running Time", "Rank Running Time")


def tolerance_seconds(height: int, width: int) -> float:
    """Give the time that costs no rank: 10 s up to a million pixels, then 10 s per million.

    Source: the challenge's cellseg_time_eval.py.

    Example:
        >>> tolerance_seconds(500, 500), tolerance_seconds(2000, 3000)
        (10.0, 60.0)
    """
    return 10.0 * max(1.0, height * width / 1_000_000)


def rank_runtime_seconds(runtime: float, height: int, width: int) -> float:
    """Give the part of a running time in seconds that exceeds the tolerance; NaN stays NaN."""
    excess = runtime - tolerance_seconds(height, width)
    return 0.0 if excess <= 0 else excess


def read_runtimes(path: str | Path) -> dict[str, float]:
    """Read the real running times of the official CSV.

    Args:
        path: a CSV with the columns ``Img Name`` and ``Real Running Time`` in seconds.

    Returns:
        Seconds by image file name and by stem.

    Raises:
        ScoresError: if the file is no such CSV, or a time is negative or no finite number.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ScoresError(f"{path}: cannot be read as a CSV of running times ({error})") from error
    times: dict[str, float] = {}
    for number, row in enumerate(rows, start=2):
        try:
            name, seconds = row["Img Name"], float(row["Real Running Time"])
        except (KeyError, TypeError, ValueError) as error:
            columns = " and ".join(RUNTIME_COLUMNS[:2])
            raise ScoresError(
                f"{path}: line {number} lacks {columns}; each row needs both"
            ) from error
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ScoresError(f"{path}: line {number} has the running time {seconds}; mend it")
        times[name] = seconds
        times.setdefault(Path(name).stem, seconds)
    return times
