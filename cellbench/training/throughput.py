"""How fast training runs, and how long it waits for data."""

import time
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer


class Throughput(Callback):
    """Log ``train/images_per_s`` and ``train/waiting``, the share of time spent waiting for data.

    Both are measured over the batches since the last time they were logged, and the first over all
    processes; validation is excluded. If the share is above 0.1 to 0.2, the data loader limits the
    speed: raise data.num_workers.
    """

    def __init__(self) -> None:
        self._images = 0
        self._waiting = self._busy = self._mark = 0.0

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        self._mark = time.perf_counter()

    def on_train_batch_start(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        batch: Any,  # noqa: ANN401  (what Lightning declares)
        batch_idx: int,
    ) -> None:
        """Count the time since the last batch as waiting."""
        self._waiting += self._lap()

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,  # noqa: ANN401
        batch: Any,  # noqa: ANN401
        batch_idx: int,
    ) -> None:
        """Count the batch, and log every ``log_every_n_steps`` batches."""
        self._busy += self._lap()
        self._images += len(batch["image"]) * trainer.world_size
        if (batch_idx + 1) % trainer.log_every_n_steps:  # type: ignore[attr-defined]
            return
        total = max(self._waiting + self._busy, 1e-9)
        pl_module.log("train/images_per_s", self._images / total)
        pl_module.log("train/waiting", self._waiting / total)
        self._images, self._waiting, self._busy = 0, 0.0, 0.0

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Exclude the time that validation took."""
        self._mark = time.perf_counter()

    def _lap(self) -> float:
        """Return the seconds since the last call, and start again."""
        last, self._mark = self._mark, time.perf_counter()
        return self._mark - last
