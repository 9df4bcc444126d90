"""Files of label maps: reads TIFF, PNG, NPY, NPZ and MATLAB files, writes TIFF with zlib compression."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from cellbench.errors import LabelMapError
from cellbench.files import list_files, written_whole
from cellbench.images.pixel_size import PixelSize, resolution_tags
from cellbench.labels.banded import BandedLabels
from cellbench.labels.decoders import OPENERS
from cellbench.labels.headers import faults_named
from cellbench.labels.maps import LabelMap, check_labels
from cellbench.labels.names import ENDING, SUFFIXES, label_stems

_TILE = 512


def label_files(folder: str | Path) -> dict[str, Path]:
    """Find the label maps in a folder by the stems of their images, where the images are not known.

    Args:
        folder: the folder; its subfolders and junk such as hidden files are ignored. Files are named as
            [`cellbench.labels.names.ENDINGS`][] says.

    Returns:
        Image stem to path, sorted by file name.

    Raises:
        LabelMapError: if the folder is absent or two files share a stem.
    """
    paths = {path.name: path for path in list_files(folder, SUFFIXES, LabelMapError)}
    found = {}
    for stem, names in label_stems(paths).items():
        if len(names) > 1:
            raise LabelMapError(
                f"{paths[names[1]]}: has the same stem as {names[0]}; rename or remove one of them"
            )
        found[stem] = paths[names[0]]
    return found


def label_path(folder: str | Path, stem: str) -> Path:
    """Return the path to which the label map of an image is written.

    Args:
        folder: folder of the label maps.
        stem: stem of the image.
    """
    return Path(folder) / f"{stem}{ENDING}.tiff"


def read_labels(path: str | Path) -> LabelMap:
    """Read a label map from a TIFF (any compression, BigTIFF, tiled), PNG (8 or 16 bits), NPY or NPZ.

    The orientation that EXIF data or the TIFF tag Orientation state is applied, as for images.
    Cellpose's ``_seg.npy`` (its ``masks``) and MATLAB files up to version 7 (``inst_map`` of HoVer-Net, or
    the only variable) are read too. Further axes of length 1 are dropped. Indices of a palette are ids.
    Gray values that are stored as RGB or RGBA are read if all channels are equal, and floating-point
    numbers if all of them are whole.

    Args:
        path: the file; its format is recognised by its content, not by its name.

    Returns:
        (H, W) integers of the same type as in the file; int64 for floating-point numbers.

    Raises:
        LabelMapError: if the file is absent or cannot be read.
        InvalidLabelsError: if the file can be read but is not a label map.
    """
    return open_labels(path).whole()


def open_labels(path: str | Path) -> BandedLabels:
    """Read the header of a label map's file; the pixels are read later, in bands if possible.

    TIFF is decoded strip by strip or in rows of tiles, NPY and NPZ row by row. PNG, MATLAB files,
    ``_seg.npy`` and arrays in Fortran order are read at once.

    Args:
        path: the file; its format is recognised by its content, not by its name.

    Returns:
        The label map, which reads its pixels when they are asked for.

    Raises:
        LabelMapError: as [`read_labels`][], for errors in the header. Damaged pixels and negative ids
            are found when the bands are read.
    """
    path = Path(path)
    with faults_named(path):
        path.stat()
        if path.is_dir():
            raise LabelMapError(f"{path}: is a folder; name the file of a label map")
        if not path.is_file():
            raise LabelMapError(
                f"{path}: is not a regular file; copy the label map to a regular file"
            )
        with path.open("rb") as file:
            head = file.read(8)
        if not head:
            raise LabelMapError(f"{path}: the file is empty; copy or save it again")
        for signature, opener in OPENERS.items():
            if head.startswith(signature):
                return opener(path)
        raise LabelMapError(
            f"{path}: not a TIFF, PNG, NPY or NPZ file, nor a .mat file; export the label map as TIFF"
        )


def write_labels(
    path: str | Path, labels: npt.NDArray[Any], pixel_size: PixelSize | None = None
) -> None:
    """Write a label map as TIFF with zlib compression, uint16 if the ids fit, else uint32.

    The file is written completely or not at all. Maps larger than 512 px in both directions are tiled, so
    that parts of whole slides can be read quickly.

    Args:
        path: the file to write; its folder is created if it does not exist.
        labels: (H, W) non-negative integers.
        pixel_size: the size of the pixels, which is written as resolution; None if it is not known.

    Raises:
        LabelMapError: if ``labels`` is not a label map or an id does not fit into uint32.
    """
    labels = check_labels(labels, path)
    largest = int(labels.max())
    if largest > np.iinfo(np.uint32).max:
        raise LabelMapError(
            f"{path}: the id {largest} does not fit into 32 bits; relabel the cells first"
        )
    dtype = np.uint16 if largest <= np.iinfo(np.uint16).max else np.uint32
    tile = (_TILE, _TILE) if min(labels.shape) > _TILE else None
    with written_whole(path) as temporary:
        tifffile.imwrite(
            temporary,
            labels.astype(dtype, copy=False),
            compression="zlib",
            compressionargs={"level": 1},
            maxworkers=os.cpu_count() if tile else 1,
            tile=tile,
            metadata=None,
            **resolution_tags(pixel_size),
        )
