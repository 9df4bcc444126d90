"""The learning rate: linear warm-up, then half a cosine until the end of training."""

import math

from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import Timer


def training_progress(trainer: Trainer) -> float:
    """Return the share of training that is done: by steps, or by time if that is further.

    A run with ``max_time`` ends before its last epoch, and its learning rate must fall to zero all the
    same. All processes use the first one's clock, because otherwise their weights would diverge.

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

    Example:
        >>> learning_rate_factor(0, 10, 0.0), learning_rate_factor(500, 10, 0.5)
        (0.1, 0.5)
    """
    rise = min(1.0, (step + 1) / max(1, warmup_steps))
    return round(rise * 0.5 * (1 + math.cos(math.pi * progress)), 12)
