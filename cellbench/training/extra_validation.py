"""Validations that the trainer's schedule does not foresee: in the first minutes, and at the end."""

import time
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer


class ExtraValidations(Callback):
    """Validate within the first minutes, and when training ends, whatever the length of an epoch.

    With a schedule in epochs (``trainer.check_val_every_n_epoch``), the first validation of a large
    dataset can be hours away. So one validation is added after ``minutes``, the next one after twice as
    long without any, then after four times as long, and so on. They become rare, so that they cost
    little time and hardly count for early stopping. A schedule in minutes
    (``trainer.val_check_interval``) is left as it is.

    The last step of a training is always validated, so that its weights can become the best checkpoint.

    Args:
        minutes: time from the start of training to the first added validation.
    """

    def __init__(self, minutes: float = 2.0) -> None:
        self.minutes = minutes
        self._wait = self._last = 0.0
        self._schedule: tuple[int | None, int | float | None] | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        self._wait = 60 * self.minutes
        self._last = time.monotonic()
        # A timer must have decided whether training ends before this callback looks.
        others = [each for each in trainer.callbacks if each is not self]  # type: ignore[attr-defined]
        trainer.callbacks = [*others, self]  # type: ignore[attr-defined]

    def on_train_batch_start(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        batch: Any,  # noqa: ANN401  (what Lightning declares)
        batch_idx: int,
    ) -> None:
        """Return to the trainer's schedule after an added validation."""
        if self._schedule is not None:
            trainer.check_val_every_n_epoch, trainer.val_check_batch = self._schedule
            self._schedule = None

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,  # noqa: ANN401
        batch: Any,  # noqa: ANN401
        batch_idx: int,
    ) -> None:
        """Let the trainer validate after this step if a validation is due or the training ends."""
        if trainer.should_stop or _is_last_step(trainer):
            trainer.check_val_every_n_epoch = None
            trainer.should_stop = True  # before it stops, Lightning validates
        elif self._is_due(trainer) and not trainer.is_last_batch and not _is_timed(trainer):
            self._schedule = (trainer.check_val_every_n_epoch, trainer.val_check_batch)
            trainer.check_val_every_n_epoch, trainer.val_check_batch = None, 1
            self._wait *= 2

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start to wait for the next validation."""
        self._last = time.monotonic()

    def _is_due(self, trainer: Trainer) -> bool:
        # All processes use the first one's clock, because they must validate together.
        due: bool = trainer.strategy.broadcast(time.monotonic() - self._last >= self._wait)
        return due


def _is_last_step(trainer: Trainer) -> bool:
    if 0 <= trainer.max_steps <= trainer.global_step:
        return True
    is_last_epoch = (
        trainer.max_epochs is not None and 0 < trainer.max_epochs <= trainer.current_epoch + 1
    )
    return is_last_epoch and trainer.is_last_batch


def _is_timed(trainer: Trainer) -> bool:
    """Return whether the trainer validates after an amount of time; Lightning then counts no batches."""
    return trainer.val_check_batch is None
