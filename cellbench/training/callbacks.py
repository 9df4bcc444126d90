"""What happens around training: averaged weights, a guard against NaN, pictures and label maps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import BasePredictionWriter, WeightAveraging
from pytorch_lightning.utilities import rank_zero_only, rank_zero_warn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from cellbench.errors import CellbenchError
from cellbench.files import written_whole
from cellbench.inference.tiles import middle
from cellbench.labels import LabelMap, label_path, write_labels

PLAIN_WEIGHTS_KEY = "current_model_state"
"""Where Lightning keeps the weights themselves in a checkpoint whose ``state_dict`` has their average."""

_LARGEST_SIDE = 1024
_TRUE_COLOUR = (0.0, 0.62, 0.45)
_PREDICTED_COLOUR = (0.84, 0.37, 0.0)


class AveragedWeights(WeightAveraging):
    """Validate and save an exponential moving average of the weights.

    The average follows fast at first, so that short runs gain too: after n steps the decay is
    (1 + n) / (10 + n), at most ``decay`` (the rule of TensorFlow's ExponentialMovingAverage).

    Args:
        decay: share of the old average that is kept at each step, late in training.
    """

    def __init__(self, decay: float = 0.999) -> None:
        def average(
            old: list[torch.Tensor], new: list[torch.Tensor], steps: torch.Tensor | int
        ) -> None:
            if old[0].is_floating_point():
                count = int(steps)  # waits for a GPU, so once for all weights
                update = get_ema_multi_avg_fn(min(decay, (1 + count) / (10 + count)))  # type: ignore[no-untyped-call]
                update(old, new, steps)
                return
            for each, now in zip(old, new, strict=True):  # counts and indices
                each.copy_(now)

        super().__init__(multi_avg_fn=average)

    @property
    def averaged(self) -> torch.nn.Module | None:
        """The model with the averaged weights, while one is trained."""
        return None if self._average_model is None else self._average_model.module


class NonFiniteGuard(Callback):
    """Leave out optimiser steps whose gradients are not finite; give up where they stay so.

    Args:
        patience: consecutive steps left out before training stops with an error.
    """

    def __init__(self, patience: int = 20) -> None:
        self.patience = patience
        self._left_out = 0

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        """Drop all gradients if one is not finite."""
        gradients = [each.grad for each in pl_module.parameters() if each.grad is not None]
        if not gradients or bool(torch.isfinite(torch.nn.utils.get_total_norm(gradients))):
            self._left_out = 0
            return
        self._left_out += 1
        optimizer.zero_grad(set_to_none=True)
        rank_zero_warn(f"step {trainer.global_step}: gradients are not finite, step left out")
        if self._left_out >= self.patience:
            raise CellbenchError(
                f"training: gradients were not finite in {self.patience} steps in a row; lower "
                "model.learning_rate, or set trainer.precision to 32-true"
            )


class LabelMapWriter(BasePredictionWriter):
    """Write the label map of each image as it is predicted, to ``predictions/`` below the run's folder."""

    def __init__(self) -> None:
        super().__init__(write_interval="batch")

    def write_on_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        prediction: Any,  # noqa: ANN401  (what Lightning declares)
        batch_indices: Sequence[int] | None,
        batch: Any,  # noqa: ANN401
        batch_idx: int,
        dataloader_idx: int,
    ) -> None:
        """Write one image's."""
        folder = Path(trainer.default_root_dir) / "predictions"
        write_labels(label_path(folder, batch["stem"]), prediction)


class Overlays(Callback):
    """Draw true and predicted outlines on a few tune images after each validation.

    Pictures go to ``overlays/`` below the run's folder: truth green, prediction orange. Of large
    images the middle is drawn.

    Args:
        images: how many images, spread over the tune split.
    """

    def __init__(self, images: int = 4) -> None:
        self.images = images

    @rank_zero_only
    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,  # noqa: ANN401  (what Lightning declares)
        batch: Any,  # noqa: ANN401
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Draw one image where it is among the chosen."""
        if trainer.sanity_checking or batch_idx not in self._chosen(trainer):
            return
        folder = Path(trainer.default_root_dir) / "overlays"
        image = batch["image"].permute(1, 2, 0).float().cpu().numpy()
        truth = batch["labels"].cpu().numpy()
        shown = (middle(each, _LARGEST_SIDE) for each in (image, truth, outputs["labels"]))
        picture = draw_outlines(*shown)
        name = f"epoch{trainer.current_epoch:04d}_{batch['stem'][:60]}.jpg"
        _write_picture(folder / name, picture)

    def _chosen(self, trainer: Trainer) -> set[int]:
        total = int(sum(trainer.num_val_batches))
        return {index * total // self.images for index in range(self.images)}


def draw_outlines(
    image: npt.NDArray[np.floating], truth: LabelMap, prediction: LabelMap
) -> npt.NDArray[np.uint8]:
    """Draw outlines of true and predicted cells.

    Args:
        image: (H, W, 3) in [0, 1].
        truth: (H, W) label map, drawn green.
        prediction: (H, W) label map, drawn orange.

    Returns:
        (H, W, 3) uint8.
    """
    from skimage.segmentation import mark_boundaries

    picture = mark_boundaries(image, truth, color=_TRUE_COLOUR, mode="inner")
    picture = mark_boundaries(picture, prediction, color=_PREDICTED_COLOUR, mode="inner")
    drawn: npt.NDArray[np.uint8] = (picture.clip(0, 1) * 255).astype(np.uint8)
    return drawn


def _write_picture(path: Path, picture: npt.NDArray[np.uint8]) -> None:
    from PIL import Image

    with written_whole(path) as temporary:
        Image.fromarray(picture).save(temporary, quality=92)
