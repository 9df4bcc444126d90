"""Training patches that are cut from images at random."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from cellbench.data.folder import DatasetImage
from cellbench.labels import LabelMap
from cellbench.training.cell_changes import brighten_cells, draw_cell_zoom, exclude_boundaries
from cellbench.training.draws import Draw
from cellbench.training.ignored import pack, unpack
from cellbench.training.mosaic import draw_others, draw_parts, join_masks, join_windows
from cellbench.training.recipe import PatchRecipe
from cellbench.training.store import DecodedStore
from cellbench.training.windows import draw_place, draw_side

Targets = Callable[[LabelMap], dict[str, npt.NDArray[Any]]]


class Cut(NamedTuple):
    """A window that was cut out of an image, or several as a mosaic.

    Attributes:
        image: (H, W, 3).
        labels: (H, W) its label map, int32.
        ignored: (H, W) true where nothing is learnt; None if that is nowhere in the whole dataset.
    """

    image: npt.NDArray[np.uint8]
    labels: LabelMap
    ignored: npt.NDArray[np.bool_] | None


class PatchDataset(Dataset[dict[str, Any]]):
    """Random augmented patches with encoded targets; the same draw always gives the same patch.

    If an image has a confidence (see [`cellbench.data.confidence`][]), every patch also has ``ignored``
    (H, W), the pixels from which nothing is learnt.

    Args:
        items: the images to draw from, by index.
        store: keeps decoded images.
        targets: turns a label map (H, W) into the arrays that the model learns; runs in the workers.
        recipe: how a patch is made.
        image_targets: what the model learns about each image as a whole, by index; it is added to the
            targets of every patch of the image.
        weights: (N,) the probability of each image; needed if the recipe has ``mosaic``.
    """

    def __init__(
        self,
        items: Sequence[DatasetImage],
        store: DecodedStore,
        targets: Targets,
        recipe: PatchRecipe,
        image_targets: Sequence[Mapping[str, npt.NDArray[Any]]] | None = None,
        weights: npt.ArrayLike = (),
    ) -> None:
        self.items = list(items)
        self._store = store
        self._targets = targets
        self._recipe = recipe
        self._image_targets = image_targets
        # Computed here and not in the workers, each of which would read all label maps.
        self._diameters = [store.cell_diameter(item) for item in items if recipe.cell_sizes]
        self._weights = np.asarray(weights, np.float64)
        self._ignores = any(item.confidence is not None for item in items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, draw: Draw) -> dict[str, Any]:
        rng = np.random.default_rng(draw.seed)
        image, labels, ignored = self._cut(draw.image, rng)
        # An option that is off draws no number, so that the patches are those of a run without it.
        if self._recipe.cell_intensity and rng.random() < self._recipe.cell_intensity:
            image = brighten_cells(image, labels, rng)
        varied, packed = self._recipe.augmentation(image, pack(labels, ignored), rng)
        labels, ignored = unpack(packed, ignored)
        if self._recipe.boundary_exclusion:
            labels = exclude_boundaries(labels)
        targets = self._targets(labels)
        if self._image_targets is not None:
            targets = {**targets, **self._image_targets[draw.image]}
        patch = {
            "image": torch.from_numpy(varied),
            "targets": {
                name: torch.from_numpy(np.asarray(each, order="C"))
                for name, each in targets.items()
            },
        }
        return patch if ignored is None else patch | {"ignored": torch.from_numpy(ignored)}

    def _cut(self, index: int, rng: np.random.Generator) -> Cut:
        size = self._recipe.crop_size
        if not self._recipe.mosaic or rng.random() >= self._recipe.mosaic:
            return self._window(index, (size, size), rng)
        parts = draw_parts(size, rng)
        cuts = [
            self._window(each, (rows.stop - rows.start, columns.stop - columns.start), rng)
            for each, (rows, columns) in zip(
                [index, *draw_others(index, self._weights, rng)], parts, strict=True
            )
        ]
        masks = [cut.ignored for cut in cuts if cut.ignored is not None]
        image, labels = join_windows([(cut.image, cut.labels) for cut in cuts], parts)
        return Cut(image, labels, join_masks(masks, parts) if masks else None)

    def _window(self, index: int, shape: tuple[int, int], rng: np.random.Generator) -> Cut:
        """Cut a window out of an image and its labels, resized to a part of a patch."""
        item = self.items[index]
        image, labels = self._store.load(item)
        recipe = self._recipe
        zoom = None
        if recipe.cell_sizes is not None:
            zoom = draw_cell_zoom(self._diameters[index], recipe.cell_sizes, rng)
        if zoom is None:
            side = draw_side(
                labels.shape, recipe.crop_size, recipe.smallest_zoom, recipe.largest_zoom, rng
            )
        else:
            side = max(1, round(recipe.crop_size / zoom))
        place = draw_place(labels.shape, (recipe.crop_size, side), shape, rng)
        ignored = None
        if self._ignores:
            mask = self._store.load_ignored(item)
            ignored = np.zeros(shape, bool) if mask is None else place.cut(mask) > 0
        return Cut(place.cut(image), place.cut(labels), ignored)


def patch_loader(
    dataset: Dataset[dict[str, Any]],
    draws: Sampler[Draw],
    batch_size: int,
    num_workers: int,
    collate: Callable[[Sequence[dict[str, Any]]], Any],
) -> DataLoader[dict[str, Any]]:
    """Return the loader of batches of patches.

    Args:
        dataset: the patches, indexed by draws.
        draws: which patches an epoch uses.
        batch_size: number of patches in a batch; the rest of an epoch is left out.
        num_workers: number of processes that prepare patches; 0 uses this process.
        collate: joins patches to a batch.
    """
    return DataLoader(
        dataset,
        batch_size=batch_size,
        sampler=draws,
        num_workers=num_workers,
        collate_fn=collate,
        worker_init_fn=_keep_to_one_thread,
        persistent_workers=num_workers > 0,
        pin_memory=torch.cuda.is_available(),
        drop_last=True,
    )


def _keep_to_one_thread(_worker: int) -> None:
    """Do for OpenCV what PyTorch does for itself in its workers."""
    cv2.setNumThreads(0)  # 1 would wait for threads that a fork leaves behind
