"""CSV tables as text: errors name the line, and any name can be written and read back."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from cellbench.csv_text import (
    SPACES,
    check_unique,
    numbered_rows,
    read_content,
    separated_by_spaces,
)
from cellbench.decimal_signs import has_decimal_commas
from cellbench.errors import ScoresError
from cellbench.files import written_whole

MISSING = ("", "na", "nan", "n/a", "#n/a", "<na>", "null", "none")
"""Texts of a missing number, in lower case: those of Excel, R, pandas and SQL."""
_NAMED = 20  # columns in an error, which is one line


def read_text(
    path: Path, columns: Sequence[str], made_by: str, if_lacking: str = ""
) -> pd.DataFrame:
    """Read a CSV with all cells as text, exactly as they are: an algorithm may be called "NA".

    Args:
        path: the file, with a header; see [`cellbench.csv_text.read_content`][] for what it can be.
        columns: the columns it must have; others are kept.
        made_by: what to do if there is no such file, for the error.
        if_lacking: what to do if it has other columns, for the error (default: ``made_by``).

    Returns:
        The rows that have some text; the index is the number of the line on which each begins.

    Raises:
        ScoresError: if it cannot be read, or a column is missing or occurs twice.
    """
    if not path.exists():
        raise ScoresError(f"{path}: no such file; {made_by}")
    table = read_content(path, columns, ScoresError)
    lacking = [column for column in columns if column not in table.header]
    if lacking:
        raise ScoresError(f"{path}: {_why_lacking(lacking, table.header, if_lacking or made_by)}")
    check_unique(table.header, path, ScoresError)
    rows = numbered_rows(table, path, ScoresError)
    text = pd.DataFrame(
        list(rows.values()),
        index=pd.Index(list(rows), dtype=int),
        columns=list(table.header),
        dtype=str,
    )
    unique: pd.DataFrame = text.loc[:, ~text.columns.duplicated()]
    return unique


def _why_lacking(lacking: Sequence[str], header: Sequence[str], advice: str) -> str:
    if not header:
        return "the file is empty; there is nothing to read"
    if separated_by_spaces(header, lacking):
        return SPACES
    has = ", ".join(map(repr, header[:_NAMED]))
    more = f" and {len(header) - _NAMED} more" if len(header) > _NAMED else ""
    return f"these columns are missing: {', '.join(lacking)}; it has {has}{more}; {advice}"


def to_numbers(column: pd.Series, path: Path) -> pd.Series:
    """Turn text into numbers; empty cells and the words in ``MISSING`` are missing.

    Args:
        column: the text, with the index of [`read_text`][].
        path: the file, for the error.

    Returns:
        The numbers, NaN where there is none; they may be infinite.

    Raises:
        ScoresError: if a cell is not a number, or it is unclear whether a comma is a decimal sign.
    """
    stripped = column.str.strip().str.replace(
        "−", "-", regex=False
    )  # the minus sign of word processors
    if stripped.str.contains(",", regex=False).any():
        separator = read_content(path, [str(column.name)], ScoresError).separator
        try:
            commas = has_decimal_commas(list(stripped), separator)
        except ValueError as error:
            raise ScoresError(f"{path}: {column.name}: {error}") from error
        stripped = stripped.str.replace(",", ".", regex=False) if commas else stripped
    absent = stripped.str.lower().isin(MISSING)
    numbers = pd.to_numeric(stripped.mask(absent), errors="coerce").astype(float)
    wrong = numbers.isna() & ~absent
    found = repr(column[wrong].iloc[0]) if wrong.any() else ""
    advice = "write a number without a unit, or leave the cell empty if it is missing"
    raise_first(wrong, path, f"{column.name} is not a number: {found}", advice)
    return numbers


def raise_first(wrong: pd.Series, path: Path, what: str, advice: str = "correct that row") -> None:
    """Raise an error that names the line of the first row that is wrong, if there is one.

    Args:
        wrong: whether each row is, with the index of [`read_text`][].
        path: the file.
        what: what is wrong with the row.
        advice: what to do.

    Raises:
        ScoresError: if a row is wrong.
    """
    if wrong.any():
        raise ScoresError(f"{path}: line {wrong.index[wrong][0]}: {what}; {advice}")


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
