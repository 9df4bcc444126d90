"""Training patches: which image, which window, which zoom."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset
from torchvision.transforms import v2
from torchvision.tv_tensors import Image, Mask

from cellbench.data.draws import Draw
from cellbench.data.folder import DatasetImage
from cellbench.data.store import DecodedStore
from cellbench.labels import LabelMap

Targets = Callable[[LabelMap], dict[str, npt.NDArray[Any]]]


def sampling_weights(
    shapes: Sequence[tuple[int, int]], modalities: Sequence[str], crop_size: int
) -> torch.Tensor:
    """Give each image the probability with which a patch is drawn from it.

    Drawing by pixels would starve small images, drawing by images would waste large ones: an image
    counts with the square root of the crops that it holds, at least one. Likewise a modality counts
    with the square root of what its images sum to, so that rare ones are seen.

    Args:
        shapes: (H, W) of each image.
        modalities: the modality of each image.
        crop_size: side of a patch in pixels.

    Returns:
        (N,) float64, sum 1.

    Example:
        >>> sampling_weights([(64, 64), (128, 128)], ["DIC", "DIC"], 64).tolist()
        [0.3333333333333333, 0.6666666666666666]
    """
    sizes = np.array([height * width for height, width in shapes], dtype=float)
    weights = np.sqrt(np.maximum(1.0, sizes / crop_size**2))
    names = np.array(modalities)
    for name in set(modalities):
        weights[names == name] /= np.sqrt(weights[names == name].sum())
    return torch.from_numpy(weights / weights.sum())


class PatchDataset(Dataset[dict[str, Any]]):
    """Random augmented patches with encoded targets; one draw always gives the same patch.

    Args:
        items: the images to draw from, by index.
        store: where decoded images are kept.
        targets: label map to what the network learns; it runs in the workers.
        transform: augmentation of image (3, H, W) and mask (1, H, W).
        crop_size: side of a patch in pixels.
        largest_zoom: cells are shown up to so many times larger or smaller.
        image_targets: what the network learns of each image as a whole, by index; its patches have it too.
    """

    def __init__(
        self,
        items: Sequence[DatasetImage],
        store: DecodedStore,
        targets: Targets,
        transform: v2.Transform,
        crop_size: int,
        largest_zoom: float,
        image_targets: Sequence[Mapping[str, npt.NDArray[Any]]] | None = None,
    ) -> None:
        self.items = list(items)
        self._store = store
        self._targets = targets
        self._transform = transform
        self._crop_size = crop_size
        self._largest_zoom = largest_zoom
        self._image_targets = image_targets

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, draw: Draw) -> dict[str, Any]:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(draw.seed)
            return self._patch(draw.image)

    def _patch(self, index: int) -> dict[str, Any]:
        image, labels = self._store.load(self.items[index])
        exponent = float(2 * torch.rand(()) - 1)
        size = max(1, round(self._crop_size * self._largest_zoom**exponent))
        rows, columns = (_random_slice(side, size) for side in labels.shape)
        patch = Image(torch.from_numpy(_filled_up(image[rows, columns], size)).permute(2, 0, 1))
        mask = Mask(
            torch.from_numpy(_filled_up(labels[rows, columns].astype(np.int32), size)[None])
        )
        if size != self._crop_size:
            resize = v2.Resize((self._crop_size, self._crop_size), antialias=True)
            patch, mask = resize(patch, mask)
        patch, mask = self._transform(patch, mask)
        targets = self._targets(mask[0].numpy())
        if self._image_targets is not None:
            targets = {**targets, **self._image_targets[index]}
        return {
            "image": patch.as_subclass(torch.Tensor).clamp(0, 1),
            "targets": {
                name: torch.from_numpy(np.asarray(each, order="C"))
                for name, each in targets.items()
            },
        }


def _random_slice(side: int, size: int) -> slice:
    start = int(torch.randint(max(1, side - size + 1), ()))
    return slice(start, start + size)


def _filled_up(array: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    """Fill a patch of a small image up with zeros, on the right and below."""
    if array.shape[:2] == (size, size):
        return array.copy()
    missing = [(0, size - side) for side in array.shape[:2]] + [(0, 0)] * (array.ndim - 2)
    return np.pad(array, missing)


class WholeImageDataset(Dataset[dict[str, Any]]):
    """Whole images with their label maps, for validation and tests.

    Args:
        items: the images.
        store: where decoded images are kept.
    """

    def __init__(self, items: Sequence[DatasetImage], store: DecodedStore) -> None:
        self.items = list(items)
        self._store = store

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> dict[str, Any]:
        item = self.items[index]
        image, labels = self._store.load(item)
        return {
            "image": torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1),
            "labels": torch.from_numpy(labels.astype(np.int64)),
            "stem": item.stem,
            "modality": item.modality,
        }
