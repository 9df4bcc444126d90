"""Training patches that are cut from images at random, and whole images for scoring."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset

from cellbench.data.folder import DatasetImage
from cellbench.inference.tiles import middle
from cellbench.labels import LabelMap
from cellbench.training.augmentation import PatchAugmentation
from cellbench.training.draws import Draw
from cellbench.training.store import DecodedStore

Targets = Callable[[LabelMap], dict[str, npt.NDArray[Any]]]


class PatchDataset(Dataset[dict[str, Any]]):
    """Random augmented patches with encoded targets; the same draw always gives the same patch.

    Args:
        items: the images to draw from, by index.
        store: keeps decoded images.
        targets: turns a label map (H, W) into the arrays that the model learns; runs in the workers.
        augmentation: changes each patch at random.
        crop_size: side of a patch in pixels.
        largest_zoom: patches are enlarged or shrunk at random, at most by this factor.
        image_targets: what the model learns about each image as a whole, by index; it is added to the
            targets of every patch of the image.
    """

    def __init__(
        self,
        items: Sequence[DatasetImage],
        store: DecodedStore,
        targets: Targets,
        augmentation: PatchAugmentation,
        crop_size: int,
        largest_zoom: float,
        image_targets: Sequence[Mapping[str, npt.NDArray[Any]]] | None = None,
    ) -> None:
        self.items = list(items)
        self._store = store
        self._targets = targets
        self._augmentation = augmentation
        self._crop_size = crop_size
        self._largest_zoom = largest_zoom
        self._image_targets = image_targets

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, draw: Draw) -> dict[str, Any]:
        rng = np.random.default_rng(draw.seed)
        image, labels = self._window(self.items[draw.image], rng)
        varied, labels = self._augmentation(image, labels, rng)
        targets = self._targets(labels)
        if self._image_targets is not None:
            targets = {**targets, **self._image_targets[draw.image]}
        return {
            "image": torch.from_numpy(varied),
            "targets": {
                name: torch.from_numpy(np.asarray(each, order="C"))
                for name, each in targets.items()
            },
        }

    def _window(
        self, item: DatasetImage, rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.uint8], LabelMap]:
        """Cut a random window out of an image and its labels, and resize it to the patch's size.

        A window is no larger than the image if enlarging it gives a whole patch; otherwise it is padded.
        """
        image, labels = self._store.load(item)
        smallest = max(1.0, self._crop_size / self._largest_zoom)
        largest = max(smallest, min(self._crop_size * self._largest_zoom, *labels.shape))
        size = round(smallest * (largest / smallest) ** rng.uniform())
        rows, columns = (_random_slice(side, size, rng) for side in labels.shape)
        window = _padded(image[rows, columns], size)
        cells = _padded(labels[rows, columns], size).astype(np.int32)
        return self._zoomed(window), self._zoomed(cells)

    def _zoomed(self, window: npt.NDArray[Any]) -> npt.NDArray[Any]:
        size = self._crop_size
        if len(window) == size:
            return window
        if window.ndim == 2:
            method = cv2.INTER_NEAREST_EXACT
        else:
            method = cv2.INTER_AREA if len(window) > size else cv2.INTER_LINEAR
        return cv2.resize(window, (size, size), interpolation=method)


def _random_slice(side: int, size: int, rng: np.random.Generator) -> slice:
    start = int(rng.integers(max(1, side - size + 1)))
    return slice(start, start + size)


def _padded(array: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    """Pad a window of a small image with zeros, on the right and below."""
    if array.shape[:2] == (size, size):
        return array
    missing = [(0, size - side) for side in array.shape[:2]] + [(0, 0)] * (array.ndim - 2)
    return np.pad(array, missing)


class WholeImageDataset(Dataset[dict[str, Any]]):
    """Whole images with their label maps, for validation and tests.

    Args:
        items: the images.
        store: keeps decoded images.
        largest_side: largest height and width in pixels; of larger images only the middle is used.
    """

    def __init__(
        self, items: Sequence[DatasetImage], store: DecodedStore, largest_side: int | None = None
    ) -> None:
        self.items = list(items)
        self._store = store
        self._largest_side = largest_side

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> dict[str, Any]:
        item = self.items[index]
        image, labels = self._store.load(item)
        if self._largest_side is not None:
            image, labels = middle(image, self._largest_side), middle(labels, self._largest_side)
        return {
            "image": torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1),
            "labels": torch.from_numpy(labels.astype(np.int64)),
            "stem": item.stem,
            "modality": item.modality,
        }


def unwrap_single(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the only image of a batch; whole images differ in size, so a batch has one.

    Args:
        items: one item of :class:`WholeImageDataset`.
    """
    (item,) = items
    return item
