"""Kaggle's run-length tables: one row per cell, as in Sartorius Cell Instance Segmentation."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cellbench.data.importers.base import (
    Drawing,
    DrawnLabels,
    ForeignDataset,
    SourceImage,
    checked_name,
    paint,
    subfolder,
)
from cellbench.errors import DatasetError
from cellbench.images import image_files
from cellbench.labels import decode_runs

_RUNS = ("annotation", "predicted")


@dataclass(frozen=True)
class _Row:
    where: str
    runs: str
    size: tuple[str, str] | None


def read_kaggle_rle(
    source: Path, annotations: str = "train.csv", images: str = "train"
) -> ForeignDataset:
    """Read a table with the columns ``id`` and ``annotation`` (or ``predicted``) beside a folder of images.

    Runs are ``start length`` pairs, one-based and along rows (Kaggle's Sartorius data page). Where the
    table has ``width`` and ``height``, they have to be the image's. A row without runs is an image
    without cells. Where cells overlap the first row keeps the pixel.

    Args:
        source: the folder above both.
        annotations: the table, from ``source``.
        images: the folder of images ``<id>.png``, from ``source``.

    Raises:
        CellbenchError: if the table lacks a column, names an image that is absent, or holds runs that are
            broken or outside the image; the message names the line and the image.
    """
    table = source / annotations
    files = image_files(subfolder(source, images, "images"))
    foreign = ForeignDataset()
    rows = _read_rows(table)
    for name, cells in rows.items():
        if name not in files:
            raise DatasetError(f"{cells[0].where}: there is no such image in {source / images}")
        labels = DrawnLabels(table, partial(_draw, cells))
        foreign.images.append(SourceImage(files[name], labels))
    foreign.warnings = [
        f"{path}: is not in {table.name}, not imported"
        for stem, path in files.items()
        if stem not in rows
    ]
    return foreign


def _read_rows(table: Path) -> dict[str, list[_Row]]:
    """Read the rows of each image, in the order of the table."""
    if not table.is_file():
        raise DatasetError(f"{table}: no such file; name the table with `annotations`")
    rows: dict[str, list[_Row]] = {}
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            runs = _runs_column(table, reader.fieldnames or ())
            sized = {"width", "height"} <= set(reader.fieldnames or ())
            for row in reader:
                name = checked_name(row["id"], f"{table}, line {reader.line_num}")
                where = f"{table}, line {reader.line_num}, image {name}"
                size = (row["height"], row["width"]) if sized else None
                rows.setdefault(name, []).append(_Row(where, row[runs] or "", size))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{table}: not a CSV in UTF-8 ({error}); save it as one") from error
    return rows


def _runs_column(table: Path, columns: Sequence[str]) -> str:
    found = [name for name in _RUNS if name in columns]
    if "id" not in columns or not found:
        raise DatasetError(f"{table}: needs the columns id and annotation (or predicted)")
    return found[0]


def _draw(rows: Sequence[_Row], shape: tuple[int, int]) -> Drawing:
    cells = []
    for row in rows:
        if row.size is not None and row.size != tuple(map(str, shape)):
            height, width = row.size
            raise DatasetError(
                f"{row.where}: says {height} × {width}, the image is {shape[0]} × {shape[1]}; correct one"
            )
        try:
            pixels = decode_runs(row.runs, shape)
        except (ValueError, OverflowError) as error:
            raise DatasetError(f"{row.where}: {error}; correct the row") from error
        if len(pixels):
            cells.append(pixels)
    return paint(cells, shape, "the first row")
