"""The text of CSV tables, as spreadsheets and R save them: its encoding, separator, header and rows."""

import csv
import io
import re
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from cellbench.errors import CellbenchError
from cellbench.unpacking import read_unpacked

_SEPARATORS = (",", ";", "\t")
# Excel writes this line before the header, or is told the separator by it.
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[ ,;\t]*(\r\n|\r|\n)', re.IGNORECASE)
_MOST_LINES = 20  # that a title or comments take above the header
_END = "\0"  # no other row can be this one
_SPREADSHEETS = {
    b"PK\x03\x04": "an Excel or OpenDocument file",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")  # Excel's "Unicode text"


class TableText(NamedTuple):
    """The text of a table.

    Attributes:
        content: the text from the header on.
        separator: what separates the columns: a comma, a semicolon or a tab.
        header_line: number of the line on which ``content`` begins, from 1.
        header: the names of the columns, without spaces around them.
    """

    content: str
    separator: str
    header_line: int
    header: tuple[str, ...]


def read_content(path: Path, columns: Collection[str], error: type[CellbenchError]) -> TableText:
    """Read the text of a table and find out what separates its columns.

    Commas, semicolons and tabs are accepted, whichever separates the names of the wanted columns in the
    header. A title and comments may stand above the header. The text is UTF-8, or UTF-16 with a byte-order
    mark; it may be compressed with gzip.

    Args:
        path: the file.
        columns: names of the columns that are wanted.
        error: type of the errors that are raised.

    Returns:
        The text, its separator and its header.

    Raises:
        CellbenchError: of the type ``error``, if the file cannot be read, is a spreadsheet or is not text.
    """
    text, line = _decoded(path, error), 1
    separators: Sequence[str] = _SEPARATORS
    if stated := _SEPARATOR_LINE.match(text):
        text, line, separators = text[stated.end() :], 2, [stated[1]]
    wanted = set(columns)
    headers = {separator: _header(text, separator, wanted, path, error) for separator in separators}

    def fits(separator: str) -> tuple[int, int]:
        names = headers[separator][1]
        return len(wanted & set(names)), len(names)

    separator = max(headers, key=fits)
    above, header = headers[separator]
    content = "".join(islice(io.StringIO(text, newline=""), above, None))
    return TableText(content, separator, line + above, header)


def _decoded(path: Path, error: type[CellbenchError]) -> str:
    if path.is_dir():
        raise error(f"{path}: is a folder; name a CSV file")
    if not path.exists():
        raise error(f"{path}: no such file; check the path")
    try:
        content = read_unpacked(path)
    except ValueError as fault:  # too large
        raise error(f"{path}: {fault}") from fault
    except (OSError, EOFError, zlib.error) as fault:
        raise error(f"{path}: cannot be read as a CSV in UTF-8 ({fault})") from fault
    for start, kind in _SPREADSHEETS.items():
        if content.startswith(start):
            raise error(f"{path}: is {kind}, not a CSV table; save the sheet as “CSV UTF-8”")
    try:
        text = content.decode("utf-16" if content.startswith(_UTF16) else "utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise error(
            f"{path}: cannot be read as a CSV in UTF-8 (line {line} has characters in another encoding); "
            "save it as “CSV UTF-8”"
        ) from fault
    if _END in text:
        raise error(
            f"{path}: cannot be read as a CSV in UTF-8 (it has null characters); save it as “CSV UTF-8”"
        )
    return text


def _header(
    text: str, separator: str, wanted: set[str], path: Path, error: type[CellbenchError]
) -> tuple[int, tuple[str, ...]]:
    """Return how many lines are above the header, and its names.

    It is the first row that has all wanted names, otherwise the first that has any text.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    above, found = 0, []
    try:
        for row in islice(reader, _MOST_LINES):
            if names := tuple(name.strip() for name in row) if "".join(row).strip() else ():
                found.append((above, names))
            above = reader.line_num
    except csv.Error as fault:
        raise error(_too_long(path, above + 1)) from fault
    return next((each for each in found if wanted.issubset(each[1])), [*found, (0, ())][0])


def _too_long(path: Path, line: int) -> str:
    """Return what is wrong with a row that the csv module refuses: it has no other reason than this."""
    return (
        f"{path}: line {line} has a value of more than {csv.field_size_limit()} characters; shorten it, or "
        "close the double quote before it"
    )


def numbered_rows(
    table: TableText, path: Path, error: type[CellbenchError]
) -> dict[int, list[str]]:
    """Read the rows below the header; rows without any text are left out.

    Empty cells to the right of the last column are left out, and also the row names of R's ``write.table``,
    which have no name in the header.

    Args:
        table: the text of the table.
        path: the file, for the errors.
        error: type of the errors that are raised.

    Returns:
        The cells by the number of the line on which their row begins, one for each column.

    Raises:
        CellbenchError: of the type ``error``, if a row has more values than there are columns, or a double
            quote is not closed.
    """
    lines = io.StringIO(f"{table.content}\n{_END}", newline="")
    reader = csv.reader(lines, delimiter=table.separator)
    rows: dict[int, list[str]] = {}
    line = table.header_line
    try:
        for cells in reader:
            rows[line] = cells
            line = table.header_line + reader.line_num
    except csv.Error as fault:
        raise error(_too_long(path, line)) from fault
    line, last = rows.popitem()
    if last != [_END]:
        raise error(f"{path}: line {line}: a double quote is not closed; close or remove it")
    rows.pop(table.header_line, None)
    return _in_columns(
        {line: cells for line, cells in rows.items() if "".join(cells).strip()},
        len(table.header),
        path,
        error,
    )


def _in_columns(
    rows: Mapping[int, list[str]], width: int, path: Path, error: type[CellbenchError]
) -> dict[int, list[str]]:
    names = {cells[0].strip() for cells in rows.values() if len(cells) == width + 1}
    numbered = len(names) == len(rows) > 1 and all(map(str.isdecimal, names))
    if numbered and any(cells[-1].strip() for cells in rows.values()):
        return {line: cells[1:] for line, cells in rows.items()}
    for line, cells in rows.items():
        if any(map(str.strip, cells[width:])):
            raise error(
                f"{path}: line {line} has more values than the first line has columns; remove them, put a "
                "value that contains commas in double quotes, or save it with semicolons if it has decimal "
                "commas"
            )
    return {line: (cells + [""] * width)[:width] for line, cells in rows.items()}


def separated_by_spaces(header: Sequence[str], columns: Iterable[str]) -> bool:
    """Return whether spaces separate the columns, as in the files of R's ``write.table``.

    Args:
        header: the names that were found.
        columns: names of the columns that are wanted.
    """
    words = {word.strip('"') for word in " ".join(header).split()}
    return len(header) == 1 and words.issuperset(columns)


def check_unique(header: Sequence[str], path: Path, error: type[CellbenchError]) -> None:
    """Refuse a table in which two columns have one name; it is unclear which of them is meant.

    Args:
        header: the names of the columns; several may be empty.
        path: the file, for the error.
        error: type of the error that is raised.

    Raises:
        CellbenchError: of the type ``error``, if a name occurs twice.
    """
    if twice := [name for name in header if name and header.count(name) > 1]:
        raise error(f"{path}: the column {twice[0]!r} occurs twice; keep one of them")


SPACES = (
    "spaces separate its columns; save it with commas "
    '(in R: write.csv(table, "table.csv", row.names = FALSE))'
)
"""What is wrong with a table whose columns are separated by spaces."""
