"""CSV tables as rows of text by column: read with line numbers, and written completely or not at all."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cellbench.csv_text import (
    SPACES,
    check_unique,
    numbered_rows,
    read_content,
    separated_by_spaces,
)
from cellbench.errors import CellbenchError
from cellbench.files import written_whole


def read_rows(
    path: Path, columns: Sequence[str], error: type[CellbenchError]
) -> list[dict[str, str]]:
    """Read a small CSV table with a header.

    Args:
        path: the file; see [`cellbench.csv_text.read_content`][] for what it can be.
        columns: columns that must exist and have a value in every row.
        error: type of the errors that are raised.

    Returns:
        Text by column, for each row; rows without any text are left out.

    Raises:
        CellbenchError: of the type ``error``, if the file cannot be read, a column or a value in it is
            missing, a column occurs twice, or a row has more values than there are columns.
    """
    return list(read_rows_by_line(path, columns, error).values())


def read_rows_by_line(
    path: Path, columns: Sequence[str], error: type[CellbenchError]
) -> dict[int, dict[str, str]]:
    """Read a small CSV table with a header, as [`read_rows`][] does.

    Args:
        path: the file.
        columns: columns that must exist and have a value in every row.
        error: type of the errors that are raised.

    Returns:
        Text by column, for each row, by the number of the line on which the row begins.

    Raises:
        CellbenchError: see [`read_rows`][].
    """
    table = read_content(path, columns, error)
    for column in columns:
        if column not in table.header:
            reason = (
                SPACES
                if separated_by_spaces(table.header, columns)
                else f"the column {column!r} is missing; the first line must name the columns"
            )
            raise error(f"{path}: {reason}")
    check_unique(table.header, path, error)
    rows = {}
    for line, cells in numbered_rows(table, path, error).items():
        rows[line] = row = dict(zip(table.header, cells, strict=True))
        for column in columns:
            if not row[column].strip():
                raise error(f"{path}: line {line} has no value in the column {column!r}; add it")
    return rows


def write_rows(
    path: str | Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]
) -> None:
    """Write a CSV table in UTF-8, completely or not at all.

    Args:
        path: the file; its folder is created if it does not exist.
        columns: the columns of the table.
        rows: value by column; NaN, None and missing values become empty. Other columns are not allowed.
    """
    with (
        written_whole(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({name: "" if value != value else value for name, value in row.items()})
