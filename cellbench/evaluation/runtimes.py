"""Running times: the official CSV and the challenge's tolerance."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from cellbench.csv_tables import read_rows_by_line, write_rows
from cellbench.csv_text import read_content
from cellbench.decimal_signs import has_decimal_commas
from cellbench.errors import ScoresError
from cellbench.images import image_stem

RUNTIME_FILE = "runtime.csv"
"""Name of the file of running times in a predictions folder."""

RUNTIME_COLUMNS = ("Img Name", "Real Running Time", "Rank Running Time")
"""Columns of the challenge's CSV of running times."""

_ACCEPTED = (RUNTIME_COLUMNS[:2], ("image", "seconds"))


def tolerance_seconds(height: int, width: int) -> float:
    """Return the running time that costs no rank: 10 s up to a million pixels, then 10 s per million.

    Source: the challenge's cellseg_time_eval.py.

    Args:
        height: rows of the image, in pixels.
        width: columns of the image, in pixels.

    Returns:
        Seconds.

    Examples:
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
    """Read running times: the official CSV, or a table of images and seconds.

    Args:
        path: a CSV with the columns ``Img Name`` and ``Real Running Time``, or ``image`` and ``seconds``;
            other columns are ignored, and capital letters do not matter. Times are seconds.

    Returns:
        Seconds by image stem.

    Raises:
        ScoresError: if the file is not such a CSV, a time is not a finite number of at least 0, or an image
            has two rows.
    """
    path = Path(path)
    table = read_content(path, [name for pair in _ACCEPTED for name in pair], ScoresError)
    image, column = _find_columns(table.header, path)
    rows = read_rows_by_line(path, (image, column), ScoresError)
    texts = [row[column].strip() for row in rows.values()]
    try:
        commas = has_decimal_commas(texts, table.separator)
    except ValueError as error:
        raise ScoresError(f"{path}: {column}: {error}") from error
    times: dict[str, float] = {}
    for (line, row), text in zip(rows.items(), texts, strict=True):
        seconds = _seconds(text.replace(",", ".") if commas else text)
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ScoresError(
                f"{path}: line {line} has the running time {' '.join(text.split())}; "
                "running times are seconds, 0 or more"
            )
        stem = image_stem(row[image])
        if stem in times:
            raise ScoresError(
                f"{path}: line {line} is a second row for the image {stem!r}; keep one of them"
            )
        times[stem] = seconds
    return times


def _find_columns(header: Sequence[str], path: Path) -> tuple[str, str]:
    """Return the columns of the image and of the time as they are written in the header."""
    written = {name.casefold(): name for name in header}
    for image, seconds in _ACCEPTED:
        if {image.casefold(), seconds.casefold()} <= written.keys():
            return written[image.casefold()], written[seconds.casefold()]
    wanted = " or ".join(",".join(pair) for pair in _ACCEPTED)
    has = ", ".join(map(repr, header)) or "no columns"
    raise ScoresError(f"{path}: the first line must name the columns {wanted}; it has {has}")


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def write_runtimes(path: Path, times: Iterable[tuple[str, float, float]]) -> None:
    """Write the official CSV of running times.

    Args:
        path: the file to write.
        times: for each image its file name, its running time in seconds, and the part of it beyond the
            tolerance.
    """
    rows = (dict(zip(RUNTIME_COLUMNS, time, strict=True)) for time in times)
    write_rows(path, RUNTIME_COLUMNS, rows)
