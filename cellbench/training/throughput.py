"""How fast training goes, and how long it waits for data."""

import time
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer


class Throughput(Callback):
    """Log ``train/images_per_s`` and ``train/waiting``, the share of the time spent waiting for data.

    Both are of the batches since they were last logged, over all processes; validation counts in
    neither. A share above a tenth or two says that the loader sets the pace: raise data.num_workers.
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
        """The batch is here: the wait is over."""
        self._waiting += self._lap()

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,  # noqa: ANN401
        batch: Any,  # noqa: ANN401
        batch_idx: int,
    ) -> None:
        """Count the batch, and log now and then."""
        self._busy += self._lap()
        self._images += len(batch["image"]) * trainer.world_size
        if (batch_idx + 1) % trainer.log_every_n_steps:  # type: ignore[attr-defined]
            return
        total = max(self._waiting + self._busy, 1e-9)
        pl_module.log("train/images_per_s", self._images / total)
        pl_module.log("train/waiting", self._waiting / total)
        self._images, self._waiting, self._busy = 0, 0.0, 0.0

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Leave the time of validation out."""
        self._mark = time.perf_counter()

    def _lap(self) -> float:
        """Give the seconds since the last mark, and set a new one."""
        last, self._mark = self._mark, time.perf_counter()
        return self._mark - last
