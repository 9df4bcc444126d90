"""CSV tables: read with clear errors, and written completely or not at all."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cellbench.errors import CellbenchError
from cellbench.files import written_whole

_SEPARATORS = {";": "semicolons", "\t": "tabs"}


def read_rows(
    path: Path, columns: Sequence[str], error: type[CellbenchError]
) -> list[dict[str, str]]:
    """Read a small CSV table with a header.

    Args:
        path: the file, in UTF-8.
        columns: columns that must exist and have a value in every row.
        error: type of the errors that are raised.

    Returns:
        Text by column, for each row.

    Raises:
        CellbenchError: of the type ``error``, if the file cannot be read, a column or a value in it is
            missing, or a row has more values than there are columns.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            # Kept, because an empty file would be read again for each access.
            header = reader.fieldnames or ()
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise error(f"{path}: cannot be read as a CSV in UTF-8 ({fault})") from fault
    for column in columns:
        if column not in header:
            raise error(f"{path}: {_why_missing(column, header)}")
    for number, row in enumerate(rows, start=2):
        # DictReader lists the values that have no column under None.
        if any(row.pop(None, ())):
            raise error(
                f"{path}: line {number} has more values than the first line has columns; remove them, or "
                "put a value that contains commas in double quotes"
            )
        for column in columns:
            if not row[column].strip():
                raise error(f"{path}: line {number} has no value in the column {column!r}; add it")
    return rows


def _why_missing(column: str, header: Sequence[str]) -> str:
    for separator, name in _SEPARATORS.items():
        if len(header) == 1 and column in header[0].split(separator):
            return f"columns are separated by {name}; save it with commas"
    return f"the column {column!r} is missing; the first line must name the columns"


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
