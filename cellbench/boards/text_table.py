"""CSV tables as text: errors name the line, and any name can be written and read back."""

import csv
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from cellbench.errors import ScoresError
from cellbench.files import written_whole

_MISSING = ("", "na", "nan")


def read_text(path: Path, columns: Sequence[str], made_by: str) -> pd.DataFrame:
    """Read a CSV with all cells as text, exactly as they are: an algorithm may be called "NA".

    Args:
        path: the file, in UTF-8, with a header.
        columns: the columns it must have; others are kept.
        made_by: what to do if there is no such file, for the error.

    Returns:
        The rows; the index counts them from 0, as :func:`raise_first` needs it.

    Raises:
        ScoresError: if it cannot be read, or a column is missing or occurs twice.
    """
    try:
        with warnings.catch_warnings(action="error", category=pd.errors.ParserWarning):
            text = pd.read_csv(
                path, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False
            )
    except FileNotFoundError as error:
        raise ScoresError(f"{path}: no such file; {made_by}") from error
    except (OSError, ValueError, pd.errors.ParserWarning) as error:
        reason = " ".join(str(error).split())
        raise ScoresError(f"{path}: cannot be read as a CSV in UTF-8 ({reason})") from error
    lacking = [column for column in columns if column not in text.columns]
    if lacking:
        has = ", ".join(map(repr, text.columns))
        raise ScoresError(f"{path}: these columns are missing: {', '.join(lacking)}; it has {has}")
    # pandas calls the second of two columns "f1" "f1.1".
    twice = [column for column in columns if f"{column}.1" in text.columns]
    if twice:
        raise ScoresError(f"{path}: the column {twice[0]!r} occurs twice; keep one of them")
    return text.fillna("")  # of rows that are cut short


def to_numbers(column: pd.Series, path: Path) -> pd.Series:
    """Turn text into numbers; empty cells, NA and NaN are missing.

    Args:
        column: the text, with the index of :func:`read_text`.
        path: the file, for the error.

    Returns:
        The numbers, NaN where there is none.

    Raises:
        ScoresError: if a cell is not a number; it names the line.
    """
    stripped = column.str.strip()
    absent = stripped.str.lower().isin(_MISSING)
    numbers = pd.to_numeric(stripped.mask(absent), errors="coerce").astype(float)
    raise_first(numbers.isna() & ~absent, path, f"{column.name} is not a number")
    return numbers


def raise_first(wrong: pd.Series, path: Path, what: str) -> None:
    """Raise an error that names the line of the first row that is wrong, if there is one.

    Args:
        wrong: whether each row is, with the index of :func:`read_text`.
        path: the file.
        what: what is wrong with the row.

    Raises:
        ScoresError: if a row is wrong.
    """
    if wrong.any():
        line = _line(path, int(wrong.index[wrong][0]))
        raise ScoresError(f"{path}: line {line}: {what}; correct that row")


def _line(path: Path, row: int) -> int:
    """Return the line on which a row starts: names may hold line breaks, empty lines are not rows."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        start = seen = 0
        for cells in reader:
            blank = len(cells) < 2 and not "".join(cells).strip()
            if not blank and seen == row + 1:  # the header is the first
                break
            seen += not blank
            start = reader.line_num
    return start + 1


def write_text(table: pd.DataFrame, path: str | Path) -> None:
    """Write a CSV that reads back as it was, whole or not at all.

    Args:
        table: what to write, without its index.
        path: the file.
    """
    columns = (table.iloc[:, place] for place in range(table.shape[1]))  # two may share a name
    words = set(table.columns).union(*(column for column in columns if column.dtype.kind == "O"))
    # The csv module does not quote a lone carriage return, which readers take for the end of a line.
    returns = any("\r" in str(word) for word in words)
    quoting: Literal[0, 2] = csv.QUOTE_NONNUMERIC if returns else csv.QUOTE_MINIMAL
    with written_whole(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n", quoting=quoting, encoding="utf-8")
