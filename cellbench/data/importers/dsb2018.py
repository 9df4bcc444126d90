"""Data Science Bowl 2018 (BBBC038): one folder per image with a mask per cell, or StarDist's label maps."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cellbench.data.folder import SPLITS
from cellbench.data.importers.base import (
    Drawing,
    ForeignDataset,
    SourceImage,
    paint,
    visible_folders,
)
from cellbench.data.label_pairs import label_map_files, pair_labels, visible_files
from cellbench.errors import DatasetError, InvalidLabelsError
from cellbench.images import image_files, read_raw
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
        masks = label_map_files(folder / "masks")
        if not masks and (others := visible_files(folder / "masks")):
            foreign.problems.append(
                f"{others[0]}: is not a file of a mask that is read; save the masks as PNG or TIFF"
            )
            continue
        if len(images) == 1 and not pair_labels(images, masks).found:
            labels = partial(_draw, masks)
            foreign.images += [SourceImage(image, labels, splits) for image in images.values()]
        else:
            foreign.add_pairs(images, masks, splits)
    return foreign


def _draw(masks: Sequence[Path], shape: tuple[int, int]) -> Drawing:
    cells = []
    for path in masks:
        mask = _read_mask(path)
        if mask.shape != shape:
            raise DatasetError(
                f"{path}: the mask is {mask.shape}, but its image is {shape}; remove the mask"
            )
        cells.append(np.flatnonzero(mask))
    drawing = paint(cells, shape, "the first mask")
    if masks:
        return drawing
    return Drawing(drawing.labels, ("has no masks, imported as an image without cells",))


def _read_mask(path: Path) -> npt.NDArray[np.bool_]:
    """Return the pixels of one cell; in a mask in colours, those that are not black."""
    try:
        return np.asarray(read_labels(path) != 0)
    except InvalidLabelsError:
        return np.asarray((read_raw(path) != 0).any(axis=2))
