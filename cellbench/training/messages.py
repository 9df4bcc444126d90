"""Which of Lightning's messages are shown: not its advertisements and what no user can act on."""

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_LOGGERS = ("pytorch_lightning.utilities.rank_zero", "lightning_fabric.utilities.rank_zero")

_NOT_SHOWN = (
    "💡 Tip:",  # litlogger and litmodels
    "TPU available:",
    "HPU available:",
    "Loading `train_dataloader` to estimate number of stepping batches",
    "You are using a CUDA device .* that has Tensor Cores",
    r"`Trainer\(\w+=1(\.0)?\)` was configured so",
    "`weights_only` was not set",
    "Restoring states from the checkpoint path",  # another line follows when it is restored
    "Found current_model_state in the checkpoint",  # the weights that are not averaged
    "Using .* Automatic Mixed Precision",  # the first line of a training says it
)
"""How the messages begin that are not shown."""

_HARMLESS = (
    "LightningCLI's args parameter",
    ".*LeafSpec.*is deprecated",
    # The learning rate of a step whose gradients are not finite, which is skipped on purpose.
    "Detected call of `lr_scheduler.step",
    # Steps are counted over the whole training, so values are logged nevertheless.
    "The number of training batches .* is smaller than the logging interval",
    ".*is not supported by the model summary",
    # cellbench reads whole images in one process on purpose, and training patches as the user says.
    "The '(train|val|test|predict)_dataloader' does not have many workers",
    # The draws of an epoch follow from the number of steps, so nothing is drawn twice.
    "You're resuming from a checkpoint that ended before the epoch ended",
    # `fit` says it in its own words.
    "Checkpoint directory .* exists and is not empty",
    "Experiment logs directory .* exists and is not empty",
    # Several checkpoints are kept on purpose, and the file is always named.
    ".*is called with Trainer configured with multiple `ModelCheckpoint`",
)
"""How the warnings begin that are about Lightning's own code or about a choice of cellbench."""

_HARMLESS_AFTER_TRAINING = (
    # Only training needs the state of its callbacks; the averaged weights are in the checkpoint.
    "You're using the WeightAveraging callback, but loading a checkpoint outside the 'fit' stage",
    "Be aware that when using `ckpt_path`, callbacks used to create the checkpoint need to be",
    "The dirpath has changed from",
)
"""The same for verbs that use a trained model."""


@contextmanager
def only_useful_messages(verb: str) -> Iterator[None]:
    """Hide Lightning's advertisements and harmless warnings, and show other warnings as one line each.

    No warning about the user's data, options or machine is hidden.

    Args:
        verb: ``fit``, or a verb that uses a trained model.
    """
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addFilter(_is_shown)
    shown_before = warnings.formatwarning
    with warnings.catch_warnings():
        for begin in _HARMLESS + (() if verb == "fit" else _HARMLESS_AFTER_TRAINING):
            warnings.filterwarnings("ignore", begin)
        warnings.formatwarning = _one_line  # type: ignore[assignment]
        try:
            yield
        finally:
            warnings.formatwarning = shown_before
            for logger in loggers:
                logger.removeFilter(_is_shown)


def _is_shown(record: logging.LogRecord) -> bool:
    text = record.getMessage()
    return not any(re.match(begin, text) for begin in _NOT_SHOWN)


def _one_line(message: Warning | str, *_: object) -> str:
    return f"warning: {' '.join(str(message).split())}\n"
