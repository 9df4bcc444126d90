"""Callbacks of training: averaged weights, a guard against NaN, pictures and label maps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import BasePredictionWriter, WeightAveraging
from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.utilities import rank_zero_only, rank_zero_warn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from cellbench.errors import CellbenchError
from cellbench.inference.tiles import middle
from cellbench.labels import label_path, write_labels
from cellbench.training.pictures import draw_result, with_legend, write_picture
from cellbench.training.run_folder import OVERLAYS, PREDICTIONS

PLAIN_WEIGHTS_KEY = "current_model_state"
"""Key of the weights that are not averaged, in a checkpoint whose ``state_dict`` has the average."""

_LARGEST_SIDE = 1024


class AveragedWeights(WeightAveraging):
    """Validate and save an exponential moving average of the weights.

    At first the average follows the weights quickly, so that short runs gain too: after n steps the
    decay is (1 + n) / (10 + n), at most ``decay`` (the rule of TensorFlow's ExponentialMovingAverage).

    Args:
        decay: largest share of the old average that is kept at each step.
    """

    def __init__(self, decay: float = 0.999) -> None:
        self.decay = decay

        def average(
            old: list[torch.Tensor], new: list[torch.Tensor], steps: torch.Tensor | int
        ) -> None:
            if old[0].is_floating_point():
                count = int(steps)  # waits for the GPU, therefore once for all weights
                update = get_ema_multi_avg_fn(min(self.decay, (1 + count) / (10 + count)))  # type: ignore[no-untyped-call]
                # The average was made before the trainer changed the precision of the weights.
                update(old, [now.to(each.dtype) for each, now in zip(old, new, strict=True)], steps)
                return
            for each, now in zip(old, new, strict=True):  # counts and indices
                each.copy_(now)

        super().__init__(multi_avg_fn=average)

    @property
    def averaged(self) -> torch.nn.Module | None:
        """The model with the averaged weights during training, otherwise None."""
        return None if self._average_model is None else self._average_model.module


class NonFiniteGuard(Callback):
    """Skip optimiser steps whose gradients are not finite, and stop training if that continues.

    Args:
        patience: number of consecutive skipped steps after which training stops with an error.
    """

    def __init__(self, patience: int = 20) -> None:
        self.patience = patience
        self._skipped = 0

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        """Remove all gradients if one is not finite."""
        gradients = [each.grad for each in pl_module.parameters() if each.grad is not None]
        if not gradients or bool(torch.isfinite(torch.nn.utils.get_total_norm(gradients))):
            self._skipped = 0
            return
        self._skipped += 1
        optimizer.zero_grad(set_to_none=True)
        rank_zero_warn(f"step {trainer.global_step}: gradients are not finite, step skipped")
        if self._skipped >= self.patience:
            raise CellbenchError(
                f"training: gradients were not finite in {self.patience} steps in a row; lower "
                "model.learning_rate, or set trainer.precision to 32-true"
            )


class LabelMapWriter(BasePredictionWriter):
    """Write the label map of each predicted image to ``predictions/`` in the run's folder."""

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
        """Write the label map of one image; Lightning calls this after each batch.

        Args:
            trainer: the trainer, whose ``default_root_dir`` is the run's folder.
            pl_module: the model.
            prediction: (H, W) label map of the image.
            batch_indices: not used.
            batch: the image with its stem.
            batch_idx: not used.
            dataloader_idx: not used.
        """
        folder = Path(trainer.default_root_dir) / PREDICTIONS
        write_labels(label_path(folder, batch["stem"]), prediction)


class Overlays(Callback):
    """Draw true and predicted outlines on a few tune images after each validation.

    The pictures, with a legend, are written to ``overlays/`` in the run's folder and to TensorBoard.
    Only the middle of large images is drawn.

    Args:
        images: number of images, spread evenly over the tune split.
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
        """Draw one image if it is among the chosen ones."""
        if trainer.sanity_checking or batch_idx not in self._chosen(trainer):
            return
        folder = Path(trainer.default_root_dir) / OVERLAYS
        image = batch["image"].permute(1, 2, 0).float().cpu().numpy()
        truth = batch["labels"].cpu().numpy()
        shown = (middle(each, _LARGEST_SIDE) for each in (image, truth, outputs["labels"]))
        picture = with_legend(draw_result(*shown))
        stem = batch["stem"][:60]
        write_picture(folder / f"epoch{trainer.current_epoch:04d}_{stem}.jpg", picture)
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image(
                    f"{OVERLAYS}/{stem}", picture, trainer.global_step, dataformats="HWC"
                )

    def _chosen(self, trainer: Trainer) -> set[int]:
        total = int(sum(trainer.num_val_batches))
        return {index * total // self.images for index in range(self.images)}
