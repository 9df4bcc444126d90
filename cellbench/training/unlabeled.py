"""Training patches of images without label maps, beside the labelled ones of each batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from pytorch_lightning import Trainer
from torch.utils.data import Dataset, default_collate

from cellbench.errors import UsageError
from cellbench.training.augmentation import Augmentation
from cellbench.training.balance import Balancing
from cellbench.training.dataset_folders import unlabelled_images
from cellbench.training.draws import Draw
from cellbench.training.recipe import PatchRecipe
from cellbench.training.sampling import sampling_weights
from cellbench.training.store import DecodedStore
from cellbench.training.windows import cut_window, draw_side

UNLABELED = "unlabeled"
"""Key of the unlabelled patches in a batch: ``weak`` and ``strong``, both (B, 3, H, W) in [0, 1]."""

_STREAM = (
    1  # random numbers of their own, so that labelled patches are those of a run without others
)


@dataclass(frozen=True)
class UnlabeledOptions:
    """Which unlabelled patches a batch has.

    Attributes:
        share: number of unlabelled patches for each labelled one, at least 0; it can be a fraction.
        strength: factor on the probability of each change of intensity and colour in the strong view.
    """

    share: float
    strength: float


def unlabeled_options(trainer: Trainer | None) -> UnlabeledOptions | None:
    """Return the options of the callback of a trainer that needs unlabelled patches; None without one.

    Args:
        trainer: the trainer of the run; None where there is none.
    """
    callbacks = getattr(trainer, "callbacks", [])
    found = [getattr(each, "unlabeled_options", None) for each in callbacks]
    return next((each for each in found if each is not None and each.share > 0), None)


class UnlabeledPatches:
    """Random patches of images without label maps, each in a weak and in a strong view.

    Both views have the same window, flips and turns. The weak view has the image's own intensities; in
    the strong view they are changed as in training, but more often.

    Args:
        roots: dataset folders; see
            [`unlabelled_images`][cellbench.training.dataset_folders.unlabelled_images].
        store: keeps decoded images.
        recipe: size and zoom of a patch.
        balancing: groups of images that are balanced; groups by appearance are not.
        options: how many patches, and how strong the changes are.

    Raises:
        CellbenchError: if there is no image without a label map, or a file cannot be read.
    """

    def __init__(
        self,
        roots: Sequence[str],
        store: DecodedStore,
        recipe: PatchRecipe,
        balancing: Balancing,
        options: UnlabeledOptions,
    ) -> None:
        self.items = unlabelled_images(roots)
        if not self.items:
            raise UsageError(
                f"unlabeled.share {options.share:g}: no images without label maps in {' or '.join(roots)}; "
                "put some into the folder unlabeled/images there, or set the option to 0"
            )
        self.share = options.share
        self._store = store
        self._recipe = recipe
        self._augmentation = Augmentation(options.strength)
        shapes = [store.load_image(item).shape for item in self.items]
        is_listed = balancing.balance in ("modality", "source")
        groups = [getattr(item, balancing.balance) if is_listed else "" for item in self.items]
        areas = [height * width for height, width, _ in shapes]
        self._weights = sampling_weights(areas, groups, recipe.crop_size).numpy()

    def draw(self, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Draw one patch.

        Args:
            rng: random generator of this patch.

        Returns:
            Its views ``weak`` and ``strong``, both (3, H, W) in [0, 1].
        """
        size = self._recipe.crop_size
        index = int(rng.choice(len(self.items), p=self._weights))
        image = self._store.load_image(self.items[index])
        no_labels = np.broadcast_to(np.int32(0), image.shape[:2])
        side = draw_side(
            no_labels.shape, size, self._recipe.smallest_zoom, self._recipe.largest_zoom, rng
        )
        pixels, _ = cut_window(image, no_labels, (size, side), (size, size), rng)
        # The augmentation moves the number of each pixel as it would move the id of a cell.
        numbers = np.arange(size * size, dtype=np.int32).reshape(size, size)
        strong, places = self._augmentation(pixels, numbers, rng)
        weak = pixels.reshape(-1, 3)[places].transpose(2, 0, 1)
        planes = np.divide(weak, 255, dtype=np.float32, order="C")
        return {"weak": torch.from_numpy(planes), "strong": torch.from_numpy(strong)}


class WithUnlabeled(Dataset[dict[str, Any]]):
    """Labelled patches, to each of which a list of unlabelled patches is added.

    The unlabelled patches are a function of the draw, like the labelled one, so that resumed runs and any
    number of workers see the same.

    Args:
        labelled: the labelled patches, indexed by draws.
        unlabelled: the other patches.
    """

    def __init__(self, labelled: Dataset[dict[str, Any]], unlabelled: UnlabeledPatches) -> None:
        self._labelled = labelled
        self._unlabelled = unlabelled

    def __getitem__(self, draw: Draw) -> dict[str, Any]:
        rng = np.random.default_rng([draw.seed, _STREAM])
        count = int(self._unlabelled.share + rng.random())  # a fraction is a probability
        patches = [self._unlabelled.draw(rng) for _ in range(count)]
        return {**self._labelled[draw], UNLABELED: patches}


def collate_both(
    collate: Callable[[Sequence[dict[str, Any]]], Any], samples: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Join labelled patches to a batch, and the unlabelled ones to a part of it.

    Args:
        collate: joins labelled patches, see the method of the model with that name.
        samples: what [`WithUnlabeled`][] returns for each draw.
    """
    patches = [patch for sample in samples for patch in sample[UNLABELED]]
    labelled = [
        {name: each for name, each in sample.items() if name != UNLABELED} for sample in samples
    ]
    return {**collate(labelled), **({UNLABELED: default_collate(patches)} if patches else {})}
