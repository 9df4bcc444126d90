"""Kaggle's run-length tables beside a folder of images: Data Science Bowl 2018 and Sartorius."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from cellbench.data.importers.base import (
    Drawing,
    ForeignDataset,
    PixelIndices,
    SourceImage,
    checked_name,
    paint,
    subfolder,
    visible_folders,
)
from cellbench.data.importers.run_order import other_order_fits_better
from cellbench.data.mask_table import ORDERS, MaskRow, MaskTable, Order, read_mask_rows
from cellbench.errors import DatasetError, LabelMapError
from cellbench.images import image_files
from cellbench.labels import run_pixels

_TABLE = "train.csv"
_FOLDERS = ("train", "images", "stage1_train")
_LABEL_FOLDERS = ("masks", "labels")


def read_kaggle_rle(
    source: Path,
    annotations: str = "",
    images: str = "",
    order: str = "",
    skip_missing: bool = False,
) -> ForeignDataset:
    """Read a table of run-length codes beside a folder of images.

    The columns are ``ImageId,EncodedPixels`` or ``id,annotation`` (or ``predicted``). Runs are pairs of
    start and length that count from 1. Columns ``width`` and ``height``, if present, must agree with the
    image. A row without runs stands for an image without cells. If cells overlap, the first row keeps the
    pixels.

    Args:
        source: the folder that contains both.
        annotations: the table, relative to ``source``; unless given, ``train.csv``, or the only table
            there.
        images: the folder of images ``<id>.png``, which may be in folders of their own, relative to
            ``source``; unless given, ``train``, ``images`` or ``stage1_train``, else ``source``.
        order: ``rows`` or ``columns``, the direction of the runs; unless given, ``EncodedPixels`` go down
            the columns, and the others along the rows.
        skip_missing: leave out images that do not exist.

    Raises:
        CellbenchError: if the table lacks a column, names an image that does not exist, or contains
            runs that are broken or outside the image; the message names the line and the image.
    """
    if order and order not in ORDERS:
        raise DatasetError(f"order {order!r}: choose one of {', '.join(ORDERS)}")
    default = next((name for name in _FOLDERS if (source / name).is_dir()), ".")
    folder = subfolder(source, images or default, "--images")
    path = _table_file(source, annotations)
    chosen: Order | None = next((each for each in ORDERS if each == order), None)
    table = read_mask_rows(path, DatasetError, chosen)
    files = _image_files(folder)
    foreign = ForeignDataset()
    missing = []
    for name, cells in table.rows.items():
        where = f"{path}, line {cells[0].line}"
        if checked_name(name, where) not in files:
            missing.append(f"{where}, image {name}")
            continue
        labels = partial(_draw, path, table.order, name, cells)
        foreign.images.append(SourceImage(files[name], labels))
    foreign.warnings = _warnings(table, path, folder, files, missing, skip_missing)
    return foreign


def _table_file(source: Path, annotations: str) -> Path:
    table = source / (annotations or _TABLE)
    tables = [path for path in sorted(source.glob("*.csv")) if not path.name.startswith(".")]
    if not annotations and not table.is_file() and len(tables) == 1:
        return tables[0]
    if not table.is_file():
        found = (
            f" ({source} contains {', '.join(each.name for each in tables[:5])})" if tables else ""
        )
        raise DatasetError(f"{table}: no such file{found}; name the table with --annotations")
    return table


def _image_files(folder: Path) -> dict[str, Path]:
    """Find the images by stem, in the folder or, if it has none, in the folders inside."""
    files = image_files(folder)
    if files:
        return files
    for inside in visible_folders(folder):
        if inside.name.lower() not in _LABEL_FOLDERS:
            for stem, path in image_files(inside).items():
                if stem in files:
                    raise DatasetError(
                        f"{path}: has the same stem as {files[stem]}; name one folder with --images"
                    )
                files[stem] = path
    return files


def _warnings(
    table: MaskTable,
    path: Path,
    folder: Path,
    files: dict[str, Path],
    missing: Sequence[str],
    skip_missing: bool,
) -> list[str]:
    """Return warnings: what is not imported, and whether the runs seem to be read in the wrong direction.

    Raises:
        DatasetError: if images are missing that have to be there.
    """
    if missing and not (skip_missing and len(missing) < len(table.rows)):
        raise DatasetError(
            f"{missing[0]}: there is no such image in {folder}, and {len(missing)} of {len(table.rows)} "
            "images are missing; add them, name their folder with --images"
            + (", or leave them out with --skip-missing" if len(missing) < len(table.rows) else "")
        )
    warnings = []
    if missing:
        warnings.append(
            f"{path}: images left out because they are missing: {len(missing)} of {len(table.rows)}, the "
            f"first is {missing[0].rpartition(' ')[2]}"
        )
    if other_order_fits_better(table, files):
        other = next(each for each in ORDERS if each != table.order)
        warnings.append(
            f"{path}: the cells do not look like cells if the runs are read along the {table.order}; "
            f"they fit the images better with --order {other}"
        )
    return warnings + [
        f"{file}: is not in {path.name}, not imported"
        for stem, file in files.items()
        if stem not in table.rows
    ]


def _draw(
    table: Path, order: Order, name: str, rows: Sequence[MaskRow], shape: tuple[int, int]
) -> Drawing:
    cells: list[PixelIndices] = []
    for row in rows:
        try:
            pixels = run_pixels(*row.parse(shape))
        except LabelMapError as error:
            where = f"{table}, line {row.line}, image {name}"
            raise DatasetError(f"{where}: {error}; correct the row") from error
        if order == "columns":
            columns, lines = np.divmod(pixels, shape[0])
            pixels = lines * shape[1] + columns
        if len(pixels):
            cells.append(pixels)
    return paint(cells, shape, "the first row")
