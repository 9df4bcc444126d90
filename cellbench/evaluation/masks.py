"""Predictions as one run-length table, as in Kaggle competitions."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cellbench.data.mask_table import MaskRow, Order, read_mask_rows
from cellbench.errors import InvalidLabelsError, LabelMapError, ScoresError
from cellbench.labels.banded import BandedLabels, band_rows, in_bands
from cellbench.labels.maps import LabelMap

_Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class MaskRows:
    """The rows of one image in a run-length table.

    Attributes:
        table: file of the table.
        image: stem of the image.
        rows: one row for each cell; a row without runs is ignored.
        order: the direction of the runs.
    """

    table: Path
    image: str
    rows: tuple[MaskRow, ...]
    order: Order = "rows"

    def open(self, shape: tuple[int, int]) -> BandedLabels:
        """Return the label map, with the ids 1 … N in the order of the rows.

        Args:
            shape: (H, W) of the image.

        Raises:
            InvalidLabelsError: if the runs of a row are not pairs of positive integers, are not sorted, are
                outside the image or contain a pixel twice, or if two rows overlap. The message names the
                table, the image and the line.
        """
        runs = [(row, *self._parse(row, shape)) for row in self.rows]
        runs = [one for one in runs if len(one[1])]
        empty = np.empty(0, np.int64)
        starts = np.concatenate([empty, *(starts for _, starts, _ in runs)])
        ends = np.concatenate([empty, *(ends for _, _, ends in runs)])
        ids = np.repeat(np.arange(1, len(runs) + 1), [len(one[1]) for one in runs])
        order = np.argsort(starts, kind="stable")
        starts, ends, ids = starts[order], ends[order], ids[order]
        clashes = np.flatnonzero(starts[1:] < ends[:-1])
        if len(clashes):
            place = clashes[0]
            first, second = sorted(runs[cell - 1][0].line for cell in ids[place : place + 2])
            raise InvalidLabelsError(
                f"{self._name}: the masks of lines {first} and {second} overlap at pixel "
                f"{starts[place + 1] + 1}; a pixel can belong to one cell only"
            )
        dtype = id_type(len(runs))
        if self.order == "columns":
            turned = _bands(shape[::-1], starts, ends, ids.astype(dtype), shape[1])
            return in_bands(next(turned).T, self._name)
        return BandedLabels(
            self._name, shape, dtype, partial(_bands, shape, starts, ends, ids.astype(dtype))
        )

    def cells(self, shape: tuple[int, int]) -> list[tuple[_Numbers, _Numbers]]:
        """Return the runs of each cell, see [`cellbench.labels.parse_runs`][].

        Args:
            shape: (H, W) of the image.

        Raises:
            InvalidLabelsError: if the runs of a row are broken or outside the image.
        """
        runs = [self._parse(row, shape) for row in self.rows]
        return [one for one in runs if len(one[0])]

    def fingerprint(self) -> str:
        """Return a key that changes when the rows of the image do, but not when only their lines do."""
        content = [self.order, *((row.runs, row.size) for row in self.rows)]
        return hashlib.sha256(repr(content).encode()).hexdigest()

    @property
    def _name(self) -> str:
        return f"{self.table}, image {self.image}"

    def _parse(self, row: MaskRow, shape: tuple[int, int]) -> tuple[_Numbers, _Numbers]:
        try:
            return row.parse(shape)
        except LabelMapError as error:
            where = f"{self.table}, line {row.line}, image {self.image}"
            raise InvalidLabelsError(f"{where}: {error}; correct the row") from error


def id_type(cells: int) -> np.dtype[Any]:
    """Return the smallest type of ids for a number of cells.

    Args:
        cells: the largest id.
    """
    return np.dtype(np.uint16 if cells <= np.iinfo(np.uint16).max else np.uint32)


def read_mask_table(path: str | Path, order: Order | None = None) -> dict[str, MaskRows]:
    """Read a table of predictions with the columns ``id,predicted`` or ``ImageId,EncodedPixels``.

    Runs are ``start length`` pairs that count from 1. An image without cells has one row without runs.
    Errors in the runs are found when the image is opened.

    Args:
        path: CSV file in UTF-8.
        order: the direction of the runs; unless given, ``EncodedPixels`` go down the columns (Data Science
            Bowl 2018), and the others along the rows (Sartorius).

    Returns:
        Image stem to the rows of the image.

    Raises:
        ScoresError: if the file is not such a table.
    """
    path = Path(path)
    table = read_mask_rows(path, ScoresError, order)
    return {
        stem: MaskRows(path, stem, tuple(rows), table.order) for stem, rows in table.rows.items()
    }


def _bands(
    shape: tuple[int, int],
    starts: _Numbers,
    ends: _Numbers,
    ids: LabelMap,
    rows: int | None = None,
) -> Iterator[LabelMap]:
    """Yield the bands of a label map whose runs are sorted and do not overlap."""
    height, width = shape
    rows = band_rows(shape, rows)
    for top in range(0, height, rows):
        first, last = top * width, min(top + rows, height) * width
        inside = slice(np.searchsorted(ends, first, "right"), np.searchsorted(starts, last, "left"))
        cells = ids[inside]
        edges = np.column_stack([starts[inside], ends[inside]]).ravel().clip(first, last)
        # Background and cells alternate, with background at both ends.
        values = np.zeros(2 * len(cells) + 1, ids.dtype)
        values[1::2] = cells
        yield np.repeat(values, np.diff(edges, prepend=first, append=last)).reshape(-1, width)
