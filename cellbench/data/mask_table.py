"""Kaggle's run-length tables: one row per cell, as in the Data Science Bowl 2018 and in Sartorius."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

import numpy as np
import numpy.typing as npt

from cellbench.data.json_values import shown, whole_number
from cellbench.errors import CellbenchError, LabelMapError
from cellbench.images import image_stem
from cellbench.labels.runs import parse_runs

Order = Literal["rows", "columns"]
"""The direction in which the runs of a table count the pixels of an image."""

ORDERS: tuple[Order, ...] = ("rows", "columns")

_IDS = ("id", "imageid")
_RUNS: dict[str, Order] = {"annotation": "rows", "predicted": "rows", "encodedpixels": "columns"}
_LONGEST_FIELD = 2**31 - 1  # the module csv accepts 128 KiB by default; a C long on every system
_DELIMITERS = ",;\t"
_NOT_SCORED = "ignored"
_NO_CELLS = ("nan", "na", "none", "null", "-1", "-1.0")  # beside an empty field


@dataclass(frozen=True)
class MaskRow:
    """A row of the table: one cell, or an image without cells.

    Attributes:
        line: its line in the file, counted from 1.
        runs: run-length code that counts from 1; None if the row does not fit the header.
        size: height and width as the table states them; None if it does not.
    """

    line: int
    runs: str | None
    size: tuple[str, str] | None

    def parse(self, shape: tuple[int, int]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the starts and ends of the runs, see [`cellbench.labels.parse_runs`][].

        Args:
            shape: (H, W) of the image.

        Raises:
            LabelMapError: if the code is broken or belongs to an image of another size; the message
                names neither the table nor the line.
        """
        if self.runs is None:
            raise LabelMapError("has more or fewer fields than the header")
        if self.size is not None:
            stated = zip(map(whole_number, self.size), self.size, shape, strict=True)
            if any(side != actual for side, text, actual in stated if text.strip()):
                height, width = (" ".join(side.split()) for side in self.size)
                raise LabelMapError(
                    f"states the size {height} × {width}, but the image is {shape[0]} × {shape[1]}"
                )
        return parse_runs(self.runs, shape)


@dataclass(frozen=True)
class MaskTable:
    """The content of a run-length table.

    Attributes:
        rows: the rows of each image by its stem, in the order of the table.
        order: the direction in which the runs count the pixels.
    """

    rows: dict[str, list[MaskRow]]
    order: Order


def read_mask_rows(
    table: Path, error: type[CellbenchError], order: Order | None = None
) -> MaskTable:
    """Read a table with the columns ``ImageId,EncodedPixels`` or ``id,annotation`` (or ``predicted``).

    The columns may be in any case and separated by commas, semicolons or tabs. An id may be a file name.
    Rows of stage 2 of the Data Science Bowl that were not scored (``Usage`` is ``Ignored``) are left out.

    Args:
        table: the CSV file, in UTF-8; the columns ``width`` and ``height`` are optional.
        error: the class of the exception to raise.
        order: the direction of the runs; unless given, ``EncodedPixels`` go down the columns, as in the
            Data Science Bowl 2018, and the others along the rows, as in Sartorius.

    Raises:
        CellbenchError: of the class ``error``, if the file is not such a table.
    """
    csv.field_size_limit(_LONGEST_FIELD)
    rows: dict[str, list[MaskRow]] = {}
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            columns, first_line, delimiter = _header(file)
            names = [name.strip().casefold().replace("_", "").replace(" ", "") for name in columns]
            ids, runs = _columns(table, columns, names, error)
            reader = csv.reader(file, delimiter=delimiter)
            for fields in filter(None, reader):
                line = first_line + reader.line_num
                values = dict(zip(names, fields, strict=False))
                if values.get("usage", "").strip().lower() == _NOT_SCORED:
                    continue
                stem = image_stem(values.get(ids, "").strip())
                if "\n" in stem or "\r" in stem:
                    raise error(f"{table}: line {line} has an id of several lines; correct it")
                code = values[runs] if len(fields) == len(names) else None
                code = "" if code and code.strip().lower() in _NO_CELLS else code
                rows.setdefault(stem, []).append(MaskRow(line, code, _size(values)))
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise error(f"{table}: not a CSV file in UTF-8 ({fault}); save it as one") from fault
    if not rows:
        raise error(f"{table}: contains no rows; check the file")
    return MaskTable(rows, order or _RUNS[runs])


def _header(file: TextIO) -> tuple[list[str], int, str]:
    """Return the names of the columns, the line that they are in, and the delimiter."""
    line, number = file.readline(), 1
    if line.startswith("sep="):  # Excel's own line
        line, number = file.readline(), 2
    delimiter = max(_DELIMITERS, key=line.count)
    return next(csv.reader([line], delimiter=delimiter), []), number, delimiter


def _columns(
    table: Path, columns: Sequence[str], names: Sequence[str], error: type[CellbenchError]
) -> tuple[str, str]:
    """Return the names of the columns with the ids and with the runs."""
    ids = [name for name in _IDS if name in names]
    runs = [name for name in _RUNS if name in names]
    if not ids or not runs:
        found = shown(", ".join(columns)) if any(columns) else "none"
        raise error(
            f"{table}: needs the columns id and annotation (or predicted), or ImageId and EncodedPixels; "
            f"found {found}"
        )
    return ids[0], runs[0]


def _size(values: dict[str, str]) -> tuple[str, str] | None:
    """Return height and width as the row states them."""
    if "height" not in values or "width" not in values:
        return None
    return values["height"], values["width"]
