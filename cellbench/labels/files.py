"""Files of label maps: TIFF, PNG, NPY and NPZ in, zlib TIFF out."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from cellbench.errors import LabelMapError
from cellbench.files import all_files_by_stem, files_by_stem, written_whole
from cellbench.labels.banded import BandedLabels
from cellbench.labels.decoders import OPENERS, faults_named
from cellbench.labels.maps import LabelMap, check_labels

_ENDING = "_label"
_SUFFIXES = (".tiff", ".tif", ".png", ".npy", ".npz")
_TILE = 512


def label_files(folder: str | Path) -> dict[str, Path]:
    """Find the label maps ``<stem>_label.tiff`` (also .tif, .png, .npy and .npz) of a folder.

    Returns:
        Image stem to path, sorted.

    Raises:
        LabelMapError: if the folder is absent or two files share a stem.
    """
    return files_by_stem(folder, _SUFFIXES, LabelMapError, ending=_ENDING)


def all_label_files(folder: str | Path) -> dict[str, list[Path]]:
    """Find the label maps of a folder as :func:`label_files` does, where files may share a stem.

    Raises:
        LabelMapError: if the folder is absent.
    """
    return all_files_by_stem(folder, _SUFFIXES, LabelMapError, ending=_ENDING)


def label_path(folder: str | Path, stem: str) -> Path:
    """Give the path at which the label map of the image ``stem`` is written."""
    return Path(folder) / f"{stem}{_ENDING}.tiff"


def read_labels(path: str | Path) -> LabelMap:
    """Read a label map from a TIFF (any compression, BigTIFF, tiled), PNG (8 or 16 bits), NPY or NPZ.

    Args:
        path: the file; what it is follows from its content, not its name.

    Returns:
        (H, W) integers in the file's own type.

    Raises:
        LabelMapError: if the file is absent or unreadable; as :class:`InvalidLabelsError` if it can be
            read but is no label map.
    """
    return open_labels(path).whole()


def open_labels(path: str | Path) -> BandedLabels:
    """Look at the header of a label map's file; its pixels are read by bands where the file allows.

    TIFF is decoded strip by strip or by rows of tiles, NPY and NPZ by rows; PNG and arrays in Fortran
    order are read at once.

    Args:
        path: the file.

    Raises:
        LabelMapError: as :func:`read_labels`, for what the header shows; damaged or negative pixels
            are found when the bands are read.
    """
    path = Path(path)
    with faults_named(path):
        path.stat()
        if path.is_dir():
            raise LabelMapError(f"{path}: is a folder, not a label map")
        if not path.is_file():
            raise LabelMapError(f"{path}: is no regular file; copy the label map into one")
        with path.open("rb") as file:
            head = file.read(8)
        if not head:
            raise LabelMapError(f"{path}: the file is empty; write it again")
        for signature, opener in OPENERS.items():
            if head.startswith(signature):
                return opener(path)
        raise ValueError("it is no TIFF, PNG, NPY or NPZ, whatever its name")


def write_labels(path: str | Path, labels: npt.NDArray[Any]) -> None:
    """Write a label map as zlib TIFF, whole or not at all: uint16 where the ids fit, else uint32.

    Maps larger than 512 px on both sides are tiled, so that windows of whole slides read fast.

    Args:
        path: the file to write; its folder is made.
        labels: (H, W) non-negative integers.

    Raises:
        LabelMapError: if ``labels`` is not a label map or an id does not fit uint32.
    """
    labels = check_labels(labels, path)
    largest = int(labels.max())
    if largest > np.iinfo(np.uint32).max:
        raise LabelMapError(f"{path}: the id {largest} does not fit 32 bits; relabel first")
    dtype = np.uint16 if largest <= np.iinfo(np.uint16).max else np.uint32
    tile = (_TILE, _TILE) if min(labels.shape) > _TILE else None
    with written_whole(path) as temporary:
        tifffile.imwrite(
            temporary,
            labels.astype(dtype, copy=False),
            compression="zlib",
            compressionargs={"level": 1},
            tile=tile,
            metadata=None,
        )
