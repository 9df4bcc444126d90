"""Kaggle's run-length tables: one row per cell, as in Sartorius Cell Instance Segmentation."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cellbench.errors import CellbenchError, LabelMapError
from cellbench.images import image_stem
from cellbench.labels.runs import parse_runs

_RUNS = ("annotation", "predicted")
_LONGEST_FIELD = 2**31 - 1  # the module csv accepts 128 KiB by default; a C long on every system


@dataclass(frozen=True)
class MaskRow:
    """A row of the table: one cell, or an image without cells.

    Attributes:
        line: its line in the file, counted from 1.
        runs: row-major run-length code that counts from 1; None if the row does not fit the header.
        size: height and width as the table states them; None if it does not.
    """

    line: int
    runs: str | None
    size: tuple[str, str] | None

    def parse(self, shape: tuple[int, int]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the starts and ends of the runs, see :func:`cellbench.labels.parse_runs`.

        Args:
            shape: (H, W) of the image.

        Raises:
            LabelMapError: if the code is broken or belongs to an image of another size; the message
                names neither the table nor the line.
        """
        if self.runs is None:
            raise LabelMapError("has more or fewer fields than the header")
        if self.size is not None and self.size != tuple(map(str, shape)):
            height, width = (" ".join(side.split()) for side in self.size)
            raise LabelMapError(
                f"states the size {height} × {width}, but the image is {shape[0]} × {shape[1]}"
            )
        return parse_runs(self.runs, shape)


def read_mask_rows(table: Path, error: type[CellbenchError]) -> dict[str, list[MaskRow]]:
    """Read a table with the columns ``id`` and ``annotation`` (or ``predicted``).

    Args:
        table: the CSV file, in UTF-8; the columns ``width`` and ``height`` are optional.
        error: the class of the exception to raise.

    Returns:
        The rows of each image by its stem, in the order of the table; an id may be a file name.

    Raises:
        CellbenchError: of the class ``error``, if the file is not such a table.
    """
    rows: dict[str, list[MaskRow]] = {}
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = reader.fieldnames or ()
            runs = _runs_column(table, columns, error)
            sized = {"width", "height"} <= set(columns)
            for row in reader:
                fits = None not in row and None not in row.values()
                size = (row["height"], row["width"]) if sized else None
                stem = image_stem(row["id"] or "")
                if "\n" in stem or "\r" in stem:
                    raise error(
                        f"{table}: line {reader.line_num} has an id of several lines; correct it"
                    )
                rows.setdefault(stem, []).append(
                    MaskRow(reader.line_num, row[runs] if fits else None, size)
                )
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise error(f"{table}: not a CSV file in UTF-8 ({fault}); save it as one") from fault
    return rows


def _runs_column(table: Path, columns: Sequence[str], error: type[CellbenchError]) -> str:
    found = [name for name in _RUNS if name in columns]
    if "id" not in columns or not found:
        raise error(f"{table}: needs the columns id and annotation (or predicted)")
    return found[0]
