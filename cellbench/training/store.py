"""Decoded images on disk, memory-mapped, so that cutting out a patch reads only its own pixels."""

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from cellbench.data.confidence import IGNORED, read_confidence
from cellbench.data.folder import DatasetImage
from cellbench.errors import DatasetError
from cellbench.files import fingerprint, written_whole
from cellbench.images import normalise, read_raw
from cellbench.labels import LabelMap, read_labels, relabel
from cellbench.labels.diameters import median_diameter
from cellbench.models.base import InstanceSegmentationModel

_VERSION = 1

Normalise = Callable[[npt.NDArray[Any]], npt.NDArray[np.uint8]]


class DecodedStore:
    """Normalised images and relabelled label maps as .npy files, written once for each image.

    Args:
        folder: folder of the files; it can be deleted at any time.

    Attributes:
        normalise: turns raw pixels (H, W, C) into an image (H, W, 3); the model's own in training.
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)
        self.normalise: Normalise = normalise
        self._diameters: dict[DatasetImage, float] = {}

    def load(self, item: DatasetImage) -> tuple[npt.NDArray[np.uint8], LabelMap]:
        """Return an image and its label map, both memory-mapped.

        Args:
            item: an image of a dataset folder.

        Returns:
            The image (H, W, 3) uint8 and the label map (H, W), ids 1 … N.

        Raises:
            CellbenchError: if a file is unreadable, the label map is missing, or the sizes differ.
        """
        if item.labels is None:
            raise DatasetError(f"{item.image}: has no label map; add it to {item.split}/labels")
        image_file = self._image_file(item)
        labels_file = self._file(item.labels)
        if not (image_file.is_file() and labels_file.is_file()):
            image, labels = self.normalise(read_raw(item.image)), relabel(read_labels(item.labels))
            item.check_sizes(image.shape, labels.shape)
            _save(image_file, image)
            _save(labels_file, labels)
        return _opened(image_file), _opened(labels_file)

    def load_image(self, item: DatasetImage) -> npt.NDArray[np.uint8]:
        """Return an image that needs no label map, (H, W, 3) uint8, memory-mapped.

        Args:
            item: an image of a dataset folder.

        Raises:
            CellbenchError: if the file is unreadable.
        """
        file = self._image_file(item)
        if not file.is_file():
            _save(file, self.normalise(read_raw(item.image)))
        return _opened(file)

    def _image_file(self, item: DatasetImage) -> Path:
        return self._file(item.image, *_identity(self.normalise))

    def load_ignored(self, item: DatasetImage) -> npt.NDArray[np.bool_] | None:
        """Return the pixels of an image from which nothing is learnt, memory-mapped.

        Args:
            item: an image of a dataset folder.

        Returns:
            (H, W) mask, true where a pixel is ignored; None if the image has no confidence, which means
            that all its pixels are used.

        Raises:
            CellbenchError: if the file is unreadable, or its size is not that of the label map.
        """
        if item.confidence is None:
            return None
        file = self._file(item.confidence, "ignored")
        if not file.is_file():
            ignored = read_confidence(item.confidence) == IGNORED
            if ignored.shape != (shape := self.load(item)[1].shape):
                raise DatasetError(
                    f"{item.confidence}: is {ignored.shape} pixels (height, width), but the label map is "
                    f"{shape}; make the dataset again with `cellbench pseudo-label`"
                )
            _save(file, ignored)
        return _opened(file)

    def cell_diameter(self, item: DatasetImage) -> float:
        """Return the median diameter of the cells of an image; it is computed once.

        Args:
            item: an image of a dataset folder.

        Returns:
            Diameter in pixels, see [`cellbench.labels.diameters.median_diameter`][].

        Raises:
            CellbenchError: as [`load`][].
        """
        if item not in self._diameters:
            self._diameters[item] = median_diameter(self.load(item)[1])
        return self._diameters[item]

    def _file(self, source: Path, *how: str) -> Path:
        """Return the decoded file of a source; a source that changes gets another one."""
        return self._folder / f"{fingerprint([source], _VERSION, *how)}.npy"


def _identity(function: Normalise) -> tuple[str, ...]:
    """Return what identifies a normalisation: nothing for the default, otherwise its code and options."""
    method = getattr(function, "__func__", function)
    if method in (normalise, InstanceSegmentationModel.normalise):
        return ()
    code = getattr(method, "__code__", None)
    constants = (
        [] if code is None else [each for each in code.co_consts if not isinstance(each, CodeType)]
    )
    body = "" if code is None else code.co_code.hex()
    options = getattr(getattr(function, "__self__", None), "hparams", {})  # those of the model
    return (
        f"{method.__module__}.{method.__qualname__}",
        body,
        repr(constants),
        repr(dict(options)),
    )


@lru_cache(maxsize=1024)  # a file of this name never changes, and opening costs as much as cropping
def _opened(path: Path) -> npt.NDArray[Any]:
    """Memory-map a file that `_save` wrote.

    NumPy's own memory maps keep one file open each, and many systems allow a process only a thousand.
    """
    with path.open("rb") as file:
        np.lib.format.read_magic(file)
        shape, by_columns, dtype = np.lib.format.read_array_header_1_0(file)
        start = file.tell()
    mapped = torch.from_file(str(path), size=path.stat().st_size, dtype=torch.uint8).numpy()
    mapped.flags.writeable = False
    return mapped[start:].view(dtype).reshape(shape, order="F" if by_columns else "C")


def _save(path: Path, array: npt.NDArray[Any]) -> None:
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.save(file, array)
        file.flush()
        os.fsync(file.fileno())
