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
_LONGEST_FIELD = 2**31 - 1  # csv refuses 128 KiB and more unless told; a C long on every system


@dataclass(frozen=True)
class MaskRow:
    """A row of the table: one cell, or an image without cells.

    Attributes:
        line: where it is in the file, from 1.
        runs: one-based, row-major run-length code; None where the row does not fit the header.
        size: height and width as the table gives them, or None where it does not.
    """

    line: int
    runs: str | None
    size: tuple[str, str] | None

    def parse(self, shape: tuple[int, int]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Give the starts and ends of the runs, as :func:`cellbench.labels.parse_runs` does.

        Args:
            shape: (H, W) of the image.

        Raises:
            LabelMapError: if the code is broken or of an image of another size; says neither table nor
                line.
        """
        if self.runs is None:
            raise LabelMapError("has more or fewer fields than the header")
        if self.size is not None and self.size != tuple(map(str, shape)):
            height, width = (" ".join(side.split()) for side in self.size)
            raise LabelMapError(f"says {height} × {width}, the image is {shape[0]} × {shape[1]}")
        return parse_runs(self.runs, shape)


def read_mask_rows(table: Path, error: type[CellbenchError]) -> dict[str, list[MaskRow]]:
    """Read a table with the columns ``id`` and ``annotation`` (or ``predicted``).

    Args:
        table: the CSV, in UTF-8; ``width`` and ``height`` are read where it has them.
        error: what to raise.

    Returns:
        The rows of each image by its stem, in the order of the table; an id may be a file name.

    Raises:
        CellbenchError: as ``error``, if it is no such table.
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
        raise error(f"{table}: not a CSV in UTF-8 ({fault}); save it as one") from fault
    return rows


def _runs_column(table: Path, columns: Sequence[str], error: type[CellbenchError]) -> str:
    found = [name for name in _RUNS if name in columns]
    if "id" not in columns or not found:
        raise error(f"{table}: needs the columns id and annotation (or predicted)")
    return found[0]
