"""CSV tables: read as spreadsheets and R save them, and written completely or not at all."""

import csv
import gzip
import io
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from cellbench.errors import CellbenchError
from cellbench.files import written_whole

_SEPARATORS = (",", ";", "\t")
# Excel writes this line before the header, or is told the separator by it.
_SEPARATOR_LINE = re.compile(r"sep=(.)[ ,;\t]*(\r\n|\r|\n)", re.IGNORECASE)
_SPREADSHEETS = {
    b"PK\x03\x04": "an Excel or OpenDocument file",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")  # Excel's "Unicode text"
_GZIP = b"\x1f\x8b"
_DECIMAL_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)(e[+-]?\d+)?", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?|[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d*)?")
_DECIMAL_POINT = re.compile(r"[+-]?(\d+\.\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


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
    header. The text is UTF-8, or UTF-16 with a byte-order mark; it may be compressed with gzip.

    Args:
        path: the file.
        columns: names of the columns that are wanted.
        error: type of the errors that are raised.

    Returns:
        The text, its separator and its header.

    Raises:
        CellbenchError: of the type ``error``, if the file cannot be read, is a spreadsheet or is not text.
    """
    text, header_line = _decoded(path, error), 1
    separators: Sequence[str] = _SEPARATORS
    if stated := _SEPARATOR_LINE.match(text):
        text, header_line, separators = text[stated.end() :], 2, [stated[1]]
    headers = {separator: _header(text, separator, path, error) for separator in separators}

    def fits(separator: str) -> tuple[int, int]:
        names = headers[separator]
        return len(set(columns) & set(names)), len(names)

    separator = max(headers, key=fits)
    return TableText(text, separator, header_line, headers[separator])


def _decoded(path: Path, error: type[CellbenchError]) -> str:
    if path.is_dir():
        raise error(f"{path}: is a folder; name a CSV file")
    try:
        content = path.read_bytes()
        if content.startswith(_GZIP):
            content = gzip.decompress(content)
        for start, kind in _SPREADSHEETS.items():
            if content.startswith(start):
                raise error(f"{path}: is {kind}, not a CSV table; save the sheet as “CSV UTF-8”")
        return content.decode("utf-16" if content.startswith(_UTF16) else "utf-8-sig")
    except UnicodeDecodeError as fault:
        raise error(
            f"{path}: cannot be read as a CSV in UTF-8 ({fault}); save it as “CSV UTF-8”"
        ) from fault
    except (OSError, EOFError) as fault:
        raise error(f"{path}: cannot be read as a CSV in UTF-8 ({fault})") from fault


def _header(text: str, separator: str, path: Path, error: type[CellbenchError]) -> tuple[str, ...]:
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        first = next((row for row in rows if "".join(row).strip()), [])
    except csv.Error as fault:
        raise error(f"{path}: cannot be read as a CSV in UTF-8 ({fault})") from fault
    return tuple(name.strip() for name in first)


def separated_by_spaces(header: Sequence[str], columns: Iterable[str]) -> bool:
    """Return whether spaces separate the columns, as in the files of R's ``write.table``.

    Args:
        header: the names that were found.
        columns: names of the columns that are wanted.
    """
    words = {word.strip('"') for word in " ".join(header).split()}
    return len(header) == 1 and words.issuperset(columns)


SPACES = (
    "spaces separate its columns; save it with commas "
    '(in R: write.csv(table, "table.csv", row.names = FALSE))'
)
"""What is wrong with a table whose columns are separated by spaces."""


def has_decimal_commas(cells: Collection[str], separator: str) -> bool:
    """Return whether the numbers of a column have commas as decimal signs.

    A comma before exactly three digits can also separate thousands. Where semicolons separate the columns,
    it is a decimal sign, because that is why spreadsheets use semicolons.

    Args:
        cells: the texts of the column.
        separator: what separates the columns of the table.

    Raises:
        ValueError: if the numbers have thousands separators or two kinds of decimal signs, or if it is
            unclear what the commas are. The message says which.

    Example:
        >>> has_decimal_commas(["0,702", "1"], ";"), has_decimal_commas(["0.702", "1"], ";")
        (True, False)
    """
    commas = [cell for cell in map(str.strip, cells) if "," in cell]
    for cell in commas:
        if not _DECIMAL_COMMA.fullmatch(cell):
            if _THOUSANDS.fullmatch(cell):
                raise ValueError(f"{cell!r} has thousands separators; write it without them")
            return False  # not a number at all
    points = next((cell for cell in map(str.strip, cells) if _DECIMAL_POINT.fullmatch(cell)), None)
    if commas and points is not None:
        raise ValueError(
            f"{commas[0]!r} has a decimal comma, but {points!r} has a decimal point; use one of them"
        )
    if commas and separator != ";" and all(map(_THOUSANDS.fullmatch, commas)):
        raise ValueError(
            f"the comma in {commas[0]!r} can be a decimal sign or separate thousands; write "
            f"{commas[0].replace(',', '.')} or {commas[0].replace(',', '')}"
        )
    return bool(commas)


def read_rows(
    path: Path, columns: Sequence[str], error: type[CellbenchError]
) -> list[dict[str, str]]:
    """Read a small CSV table with a header.

    Args:
        path: the file; see :func:`read_content` for what it can be.
        columns: columns that must exist and have a value in every row.
        error: type of the errors that are raised.

    Returns:
        Text by column, for each row; rows without any text are left out.

    Raises:
        CellbenchError: of the type ``error``, if the file cannot be read, a column or a value in it is
            missing, or a row has more values than there are columns.
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
    lines = io.StringIO(table.content, newline="")
    try:
        reader = csv.DictReader(lines, restval="", delimiter=table.separator)
        _ = reader.fieldnames  # reads the header, which is replaced by the names without spaces
        reader.fieldnames = list(table.header)
        rows = list(reader)
    except csv.Error as fault:
        raise error(f"{path}: cannot be read as a CSV in UTF-8 ({fault})") from fault
    return list(_checked(rows, columns, table.header_line, path, error))


def _checked(
    rows: Iterable[dict[str, str]],
    columns: Sequence[str],
    header_line: int,
    path: Path,
    error: type[CellbenchError],
) -> Iterable[dict[str, str]]:
    for number, row in enumerate(rows, start=header_line + 1):
        # DictReader lists the values that have no column under None.
        if any(row.pop(None, ())):  # type: ignore[call-overload]
            raise error(
                f"{path}: line {number} has more values than the first line has columns; remove them, or "
                "put a value that contains commas in double quotes"
            )
        if not "".join(row.values()).strip():
            continue
        for column in columns:
            if not row[column].strip():
                raise error(f"{path}: line {number} has no value in the column {column!r}; add it")
        yield row


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
