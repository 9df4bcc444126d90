"""Saves an image and its label map into a dataset folder, so that a model can learn from it."""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cellbench.data.folder import (
    MANIFEST,
    SPLITS,
    labels_folder,
    read_manifest_rows,
    split_pairs,
    write_manifest,
)
from cellbench.data.rewritten import write_channels
from cellbench.errors import DatasetError, UsageError
from cellbench.files import is_junk
from cellbench.images import image_files, image_stem
from cellbench.images.pixel_size import PixelSize
from cellbench.labels import LabelMap, cell_ids, check_labels, label_path, write_labels
from cellbench.labels.names import ENDINGS, label_stem
from cellbench.locks import locked_folder

_IMAGES = "images"
_FORBIDDEN = frozenset('/\\:*?"<>|\r\n\t')


@dataclass(frozen=True)
class NewImage:
    """What a dataset is told about a new image.

    Attributes:
        split: train, tune or test.
        name: stem of the image.
        modality: how it was recorded, such as ``fluorescence``; empty if it is not known.
        source: where it comes from, such as a laboratory; empty if it is not known.
        pixel_size: size of its pixels, which both files state; None if it is not known.
    """

    split: str
    name: str
    modality: str = ""
    source: str = ""
    pixel_size: PixelSize | None = None


class Saved(NamedTuple):
    """The files of a saved image.

    Attributes:
        image: the image file.
        labels: its label map.
        cells: the number of cells in the label map.
    """

    image: Path
    labels: Path
    cells: int


def save_to_dataset(root: Path, new: NewImage, pixels: npt.NDArray[Any], labels: LabelMap) -> Saved:
    """Add an image and its label map, both as TIFF, and a row about it in the manifest.

    Nothing that the dataset has is ever replaced. If one of the files cannot be written, none is kept.

    Args:
        root: the dataset folder; it need not exist.
        new: name of the image, and what is known about it.
        pixels: (H, W, C) of the image, without an alpha channel.
        labels: (H, W) label map of the same size.

    Raises:
        UsageError: if there is no such split, or the name cannot be that of an image.
        DatasetError: if the dataset has an image, a label map or a row of this name, or the sizes differ.
        CellbenchError: if the label map is not one, or a file cannot be written.
    """
    name = _checked_name(new)
    if labels.shape != pixels.shape[:2]:
        raise DatasetError(
            f"the label map is {labels.shape} pixels (height, width), but the image is "
            f"{pixels.shape[:2]}; choose two layers of the same size"
        )
    array = pixels.astype(np.uint8) if pixels.dtype.kind == "b" else pixels
    cells = len(cell_ids(check_labels(labels)))
    with locked_folder(root, DatasetError):
        rows = _rows_without(root, new.split, name)
        image, labelled = _free_files(root, new.split, name)
        row = {
            "image": image.name,
            "split": new.split,
            "modality": new.modality,
            "source": new.source,
        }
        with _all_or_none(image, labelled):
            write_labels(labelled, labels, new.pixel_size)
            write_channels(image, array, None, new.pixel_size)
            write_manifest(root, [*rows, row | _facts(array, cells, rows)])
    return Saved(image, labelled, cells)


def _checked_name(new: NewImage) -> str:
    if new.split not in SPLITS:
        raise UsageError(f"split {new.split!r}: not known; choose from {', '.join(SPLITS)}")
    name = unicodedata.normalize("NFC", new.name.strip())
    if not name or is_junk(name) or _FORBIDDEN & set(name):
        raise UsageError(
            f"name {new.name!r}: cannot be the name of a file; use letters, digits, - and _"
        )
    if any(label_stem(f"{name}.tif", ending) for ending in ENDINGS if ending):
        raise UsageError(
            f"name {name!r}: ends like the name of a label map; choose another name for the image"
        )
    return name


def _rows_without(root: Path, split: str, name: str) -> list[dict[str, str]]:
    """Return the rows of the manifest, none of which is about this image."""
    manifest = root / MANIFEST
    rows = read_manifest_rows(manifest) if manifest.is_file() else []
    if any(
        image_stem(row["image"]) == name and row.get("split") in ("", None, split) for row in rows
    ):
        raise DatasetError(f"{manifest}: has a row about {name} already; choose another name")
    return rows


def _free_files(root: Path, split: str, name: str) -> tuple[Path, Path]:
    """Return the paths of the new image and label map, for which the dataset has no other files."""
    folder = root / split / _IMAGES
    images = image_files(folder) if folder.is_dir() else {}
    pairs = split_pairs(root, split, {name: folder / name})
    labels = labels_folder(root, split) or root / split / "labels"
    image, labelled = folder / f"{name}.tif", label_path(labels, name)
    taken = [images.get(name), pairs.found.get(name), *pairs.doubles.get(name, []), image, labelled]
    for path in taken:
        if path is not None and path.exists():
            raise DatasetError(f"{path}: exists already; choose another name for the image")
    return image, labelled


def _facts(pixels: npt.NDArray[Any], cells: int, rows: list[dict[str, str]]) -> dict[str, str]:
    """Return what a manifest says about the content of an image, in the columns that it has."""
    height, width, channels = pixels.shape
    numbers = {"height": height, "width": width, "channels": channels, "cells": cells}
    facts = {name: str(number) for name, number in numbers.items()} | {"dtype": pixels.dtype.name}
    columns = {name for row in rows for name in row} if rows else facts
    return {name: value for name, value in facts.items() if name in columns}


@contextmanager
def _all_or_none(*paths: Path) -> Iterator[None]:
    """Remove files that the block has written if it fails; they did not exist before."""
    try:
        yield
    except BaseException:
        for path in paths:
            path.unlink(missing_ok=True)
        raise
