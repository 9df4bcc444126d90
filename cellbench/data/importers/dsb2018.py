"""Data Science Bowl 2018 (BBBC038): one folder per image with a mask per cell, or StarDist's label maps."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from cellbench.data.folder import SPLITS
from cellbench.data.importers.base import (
    LABEL_SUFFIXES,
    Drawing,
    ForeignDataset,
    SourceImage,
    paint,
    visible_folders,
)
from cellbench.errors import DatasetError
from cellbench.files import files_by_stem
from cellbench.images import image_files
from cellbench.labels import read_labels

_SPLITS_BY_FOLDER = {"train": ("train", "tune"), "tune": ("tune",), "test": ("test",)}


def read_dsb2018(source: Path) -> ForeignDataset:
    """Read ``stage1_train`` as published by Kaggle and the Broad Institute, or the subset of StarDist.

    ``ID/images/ID.png`` with ``ID/masks/*.png`` is one image with one binary mask per cell; overlapping
    masks are resolved in the order of their names. ``images/*.tif`` with ``masks/*.tif`` of the same
    names are label maps. Images in a folder ``train`` are divided among train and tune, those in a
    folder ``test`` are put into test.

    Args:
        source: a folder that contains these, at any depth.

    Raises:
        CellbenchError: if a folder holds two files of one stem.
    """
    foreign = ForeignDataset()
    for folder in visible_folders(source):
        if not (folder / "images").is_dir():
            continue
        if not (folder / "masks").is_dir():
            foreign.warnings.append(f"{folder}: has images but no masks, not imported")
            continue
        names = folder.relative_to(source).parts
        splits = next((_SPLITS_BY_FOLDER[n] for n in names if n in _SPLITS_BY_FOLDER), SPLITS)
        images = image_files(folder / "images")
        masks = files_by_stem(folder / "masks", LABEL_SUFFIXES, DatasetError)
        if len(images) == 1 and not images.keys() & masks.keys():
            labels = partial(_draw, masks)
            foreign.images += [SourceImage(image, labels, splits) for image in images.values()]
        else:
            foreign.add_pairs(images, masks, splits)
    return foreign


def _draw(masks: Mapping[str, Path], shape: tuple[int, int]) -> Drawing:
    cells = []
    for path in masks.values():
        mask = read_labels(path)
        if mask.shape != shape:
            raise DatasetError(
                f"{path}: the mask is {mask.shape}, but its image is {shape}; remove the mask"
            )
        cells.append(np.flatnonzero(mask))
    return paint(cells, shape, "the first mask")
