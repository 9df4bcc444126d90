"""How long training takes, and its learning rate: linear warm-up, then half a cosine until the end."""

import math
import time

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Timer
from pytorch_lightning.trainer.states import RunningStage
from pytorch_lightning.utilities.exceptions import (  # type: ignore[attr-defined]
    MisconfigurationException,
)

from cellbench.errors import UsageError


class CpuTimer(Timer):
    """Stop training after an amount of CPU time, which does not count the time of other programs.

    Runs that are compared need the same budget, but on a busy machine a run does less in an hour. All
    threads of the training process count, also during validation; processes that prepare patches do not.
    The duration has the form days:hours:minutes:seconds, such as 00:00:30:00.
    """

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        self._start_time[RunningStage.TRAINING] = time.process_time()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop the clock."""
        self._end_time[RunningStage.TRAINING] = time.process_time()

    def time_elapsed(self, stage: str = RunningStage.TRAINING) -> float:
        """Return the seconds of CPU time that training has used, those before it was resumed included.

        Args:
            stage: training; other stages have a clock of ordinary seconds.
        """
        if stage != RunningStage.TRAINING:
            return super().time_elapsed(stage)
        start, end = self.start_time(stage), self.end_time(stage)
        if start is None:
            return self._offset
        return (time.process_time() if end is None else end) - start + self._offset


def cpu_timer(limit: str) -> CpuTimer:
    """Make the timer of ``--max_cpu_time``.

    Args:
        limit: days:hours:minutes:seconds, such as 00:00:30:00.

    Raises:
        UsageError: if it is written otherwise.
    """
    try:
        return CpuTimer(limit)
    except MisconfigurationException:
        raise UsageError(
            f"max_cpu_time {limit}: write it as days:hours:minutes:seconds, such as 00:00:30:00"
        ) from None


def training_progress(trainer: Trainer) -> float:
    """Return the share of training that is done: by steps, or by time if that is further.

    A run with a limit on its time ends before its last epoch, and its learning rate must fall to zero all
    the same. All processes use the first one's clock, because otherwise their weights would diverge.

    Args:
        trainer: the trainer of the run.

    Returns:
        A number in [0, 1].
    """
    shares = [0.0]
    steps = trainer.estimated_stepping_batches
    if math.isfinite(steps) and steps > 0:
        shares.append(trainer.global_step / steps)
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, Timer) and (left := callback.time_remaining()) is not None:
            elapsed = callback.time_elapsed()
            share = elapsed / max(elapsed + left, 1e-9)
            shares.append(trainer.strategy.broadcast(share))
    return min(1.0, max(shares))


def learning_rate_factor(step: int, warmup_steps: int, progress: float) -> float:
    """Return the factor on the learning rate.

    Args:
        step: number of optimiser steps done.
        warmup_steps: number of steps over which the rate rises linearly from near 0.
        progress: share of training that is done, in [0, 1].

    Returns:
        A number in [0, 1].

    Examples:
        >>> learning_rate_factor(0, 10, 0.0), learning_rate_factor(500, 10, 0.5)
        (0.1, 0.5)
    """
    rise = min(1.0, (step + 1) / max(1, warmup_steps))
    return round(rise * 0.5 * (1 + math.cos(math.pi * progress)), 12)
