"""Kaggle's run-length tables beside a folder of images, as in Sartorius Cell Instance Segmentation."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from cellbench.data.importers.base import (
    Drawing,
    ForeignDataset,
    SourceImage,
    checked_name,
    paint,
    subfolder,
)
from cellbench.data.mask_table import MaskRow, read_mask_rows
from cellbench.errors import DatasetError, LabelMapError
from cellbench.images import image_files
from cellbench.labels import run_pixels


def read_kaggle_rle(
    source: Path, annotations: str = "train.csv", images: str = "train"
) -> ForeignDataset:
    """Read a table with the columns ``id`` and ``annotation`` (or ``predicted``) beside a folder of images.

    Runs are pairs of start and length that count from 1 along the rows (Kaggle's Sartorius data page).
    Columns ``width`` and ``height``, if present, must agree with the image. A row without runs stands
    for an image without cells. If cells overlap, the first row keeps the pixels.

    Args:
        source: the folder that contains both.
        annotations: the table, relative to ``source``.
        images: the folder of images ``<id>.png``, relative to ``source``.

    Raises:
        CellbenchError: if the table lacks a column, names an image that does not exist, or contains
            runs that are broken or outside the image; the message names the line and the image.
    """
    table = source / annotations
    files = image_files(subfolder(source, images, "images"))
    if not table.is_file():
        raise DatasetError(f"{table}: no such file; name the table with `annotations`")
    foreign = ForeignDataset()
    rows = read_mask_rows(table, DatasetError)
    for name, cells in rows.items():
        where = f"{table}, line {cells[0].line}"
        if checked_name(name, where) not in files:
            raise DatasetError(
                f"{where}, image {name}: there is no such image in {source / images}"
            )
        labels = partial(_draw, table, name, cells)
        foreign.images.append(SourceImage(files[name], labels))
    foreign.warnings = [
        f"{path}: is not in {table.name}, not imported"
        for stem, path in files.items()
        if stem not in rows
    ]
    return foreign


def _draw(table: Path, name: str, rows: Sequence[MaskRow], shape: tuple[int, int]) -> Drawing:
    cells = []
    for row in rows:
        try:
            pixels = run_pixels(*row.parse(shape))
        except LabelMapError as error:
            where = f"{table}, line {row.line}, image {name}"
            raise DatasetError(f"{where}: {error}; correct the row") from error
        if len(pixels):
            cells.append(pixels)
    return paint(cells, shape, "the first row")
