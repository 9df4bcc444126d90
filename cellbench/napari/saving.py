"""Saves an image and its label map into a dataset folder, so that a model can learn from it."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tifffile

from cellbench.data.folder import SPLITS, labels_folder, split_pairs
from cellbench.errors import DatasetError, UsageError
from cellbench.files import is_junk, written_whole
from cellbench.images import image_files
from cellbench.images.pixel_size import PixelSize, resolution_tags
from cellbench.labels import LabelMap, label_path, write_labels
from cellbench.labels.names import ENDINGS, label_stem

_IMAGES = "images"
_FORBIDDEN = frozenset('/\\:*?"<>|\r\n\t')


class Place(NamedTuple):
    """Where an image of a dataset is saved.

    Attributes:
        image: the image file.
        labels: its label map.
        existing: files that saving would replace.
    """

    image: Path
    labels: Path
    existing: list[Path]


def dataset_place(root: Path, split: str, name: str) -> Place:
    """Return where an image and its label map are saved, and what is there already.

    Args:
        root: the dataset folder; it need not exist.
        split: train, tune or test.
        name: stem of the image.

    Raises:
        UsageError: if there is no such split, or the name cannot be that of a file.
        CellbenchError: if the folder has two images or label maps of one name.
    """
    if split not in SPLITS:
        raise UsageError(f"split {split!r}: not known; choose from {', '.join(SPLITS)}")
    _check_name(name)
    folder = root / split / _IMAGES
    images = image_files(folder) if folder.is_dir() else {}
    existing = [images[name]] if name in images else []
    pairs = split_pairs(root, split, {name: folder / name})
    existing += [*pairs.doubles.get(name, []), *filter(None, [pairs.found.get(name)])]
    labels = labels_folder(root, split) or root / split / "labels"
    return Place(folder / f"{name}.tif", label_path(labels, name), existing)


def _check_name(name: str) -> None:
    if not name.strip() or is_junk(name) or _FORBIDDEN & set(name):
        raise UsageError(
            f"name {name!r}: cannot be the name of a file; use letters, digits, - and _"
        )
    if any(label_stem(f"{name}.tif", ending) for ending in ENDINGS if ending):
        raise UsageError(
            f"name {name!r}: ends like the name of a label map; choose another name for the image"
        )


def save_to_dataset(
    place: Place,
    pixels: npt.NDArray[Any],
    labels: LabelMap,
    pixel_size: PixelSize | None = None,
    *,
    replace: bool = False,
) -> None:
    """Write an image and its label map, as TIFF.

    Args:
        place: where; see `dataset_place`.
        pixels: (H, W, C) of the image.
        labels: (H, W) label map of the same size.
        pixel_size: size of the pixels, which both files state; None if it is not known.
        replace: whether files of this name may be replaced.

    Raises:
        DatasetError: if files of this name exist and ``replace`` is False, or the sizes differ.
        CellbenchError: if the label map is not one, or a file cannot be written.
    """
    if place.existing and not replace:
        names = " and ".join(path.name for path in place.existing)
        raise DatasetError(f"{place.image.parents[1]}: has {names} already; choose another name")
    if labels.shape != pixels.shape[:2]:
        raise DatasetError(
            f"the label map is {labels.shape} pixels (height, width), but the image is "
            f"{pixels.shape[:2]}; choose two layers of the same size"
        )
    # The label map first: an image without one would be a fault of the dataset.
    write_labels(place.labels, labels, pixel_size)
    _write_image(place.image, pixels, pixel_size)
    for old in place.existing:
        if old not in (place.image, place.labels):
            old.unlink(missing_ok=True)


def _write_image(path: Path, pixels: npt.NDArray[Any], pixel_size: PixelSize | None) -> None:
    rgb = pixels.shape[2] == 3
    array = pixels.astype(np.uint8) if pixels.dtype.kind == "b" else pixels
    if not rgb:
        array = np.moveaxis(array, -1, 0)
    with written_whole(path) as temporary:
        tifffile.imwrite(
            temporary,
            array[0] if len(array) == 1 and not rgb else array,
            photometric="rgb" if rgb else "minisblack",
            planarconfig=None if rgb or len(array) == 1 else "separate",
            compression="zlib",
            metadata=None,
            **resolution_tags(pixel_size),
        )
