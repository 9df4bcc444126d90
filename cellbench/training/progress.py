"""Progress of a training verb where the output is no terminal: a few lines instead of a moving bar."""

import sys
import time
from datetime import timedelta
from typing import Any

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import ProgressBar
from pytorch_lightning.utilities import rank_zero_info

from cellbench.training.mean_teacher import describe_teaching
from cellbench.training.schedule import training_progress

_PARTS = 10
_FIRST_LINE = 20.0
"""Seconds after which a long first epoch has its first line."""


def shows_bar() -> bool:
    """Return whether standard output is a terminal, where a progress bar can move."""
    return sys.stdout.isatty()


class ProgressLines(ProgressBar):
    """Write one line per epoch to standard error, and more in long epochs.

    They have a line per tenth of the run, and whenever it has lasted twice as long as at the last line. A
    file or the log of a job would keep each state of a moving bar, which are thousands of lines.
    """

    def __init__(self) -> None:
        super().__init__()
        self._shown = 0.0
        self._shown_after = 0.0
        self._validated = False
        self._start = time.monotonic()

    def disable(self) -> None:
        """Do nothing; only the first process of a distributed training writes lines anyway."""

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock; a resumed training continues at its part."""
        self._start = time.monotonic()
        self._shown_after = 0.0
        self._shown = training_progress(trainer)

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,  # noqa: ANN401  (what Lightning declares)
        batch: Any,  # noqa: ANN401
        batch_idx: int,
    ) -> None:
        """Write a line if it is time for one, unless the epoch ends."""
        progress = training_progress(trainer)  # by all processes, because they exchange it
        is_due = progress - self._shown >= 1 / _PARTS or (
            time.monotonic() - self._start >= max(_FIRST_LINE, 2 * self._shown_after)
        )
        if is_due and not trainer.is_last_batch:
            steps = f"step {batch_idx + 1} of {trainer.num_training_batches}"
            self._write(trainer, f"epoch {trainer.current_epoch + 1}, {steps}", progress)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Remember that the next line can show a new F1."""
        self._validated = not trainer.sanity_checking

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the line of the epoch."""
        self._write(trainer, f"epoch {trainer.current_epoch + 1}", training_progress(trainer))

    def _write(self, trainer: Trainer, what: str, progress: float) -> None:
        measured = trainer.callback_metrics
        values = [f"loss {float(measured['train/loss']):.3g}"] if "train/loss" in measured else []
        if self._validated and "val/f1" in measured:
            values.append(f"mean F1 {float(measured['val/f1']):.4f} on the tune split")
        values += describe_teaching(measured)
        self._validated = False
        self._shown = progress
        self._shown_after = time.monotonic() - self._start
        share = f"{progress:.0%} of the training"
        elapsed = timedelta(seconds=round(self._shown_after))
        rank_zero_info(f"{what}: {', '.join([*values, share])}, after {elapsed}")

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,  # noqa: ANN401
        batch: Any,  # noqa: ANN401
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Write a line per tenth of the images of `cellbench validate`, but not during training."""
        if trainer.state.fn == "validate":
            self._write_images("validate", batch_idx, trainer.num_val_batches)

    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,  # noqa: ANN401
        batch: Any,  # noqa: ANN401
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Write a line per tenth of the images of `cellbench test`."""
        self._write_images("test", batch_idx, trainer.num_test_batches)

    def on_predict_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,  # noqa: ANN401
        batch: Any,  # noqa: ANN401
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Write a line per tenth of the images of `cellbench predict`."""
        self._write_images("predict", batch_idx, trainer.num_predict_batches)

    @staticmethod
    def _write_images(verb: str, index: int, batches: list[int | float]) -> None:
        total = int(sum(batches))
        if _PARTS * (index + 1) // total > _PARTS * index // total:
            rank_zero_info(f"{verb}: {index + 1} of {total} images")
