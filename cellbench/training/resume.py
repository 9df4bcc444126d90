"""The checkpoint that a training verb starts from: found in the run's folder, and checked before use."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import Timer

from cellbench.errors import CheckpointError
from cellbench.inference.checkpoint import stored_class
from cellbench.models.class_paths import import_model
from cellbench.models.names import class_path
from cellbench.training.schedule import CpuTimer

CHECKPOINTS = "checkpoints"
"""Folder of the checkpoints in the folder of a run."""

BEST = "best.ckpt"
LAST = "last.ckpt"
WORDS = {"best": BEST, "last": LAST}
"""Values of ``--ckpt_path`` that name a checkpoint of the run, and their files."""

_STATE_OF_TRAINING = ("optimizer_states", "lr_schedulers", "loops")


def checkpoint_file(named: str | Path, run: Path) -> Path:
    """Return the file that a value of ``--ckpt_path`` means; it need not exist.

    Args:
        named: a file, or ``best`` or ``last`` for a checkpoint of the run.
        run: folder of the run, ``--trainer.default_root_dir``.
    """
    word = WORDS.get(str(named))
    return Path(named) if word is None else run / CHECKPOINTS / word


def describe_missing(file: Path, verb: str) -> str:
    """Return why a verb cannot start, where it needs a checkpoint of the run that does not exist.

    Args:
        file: the checkpoint that was looked for.
        verb: ``validate``, ``test`` or ``predict``.

    Returns:
        One line that names other checkpoints in the same folder, if there are any.
    """
    others = sorted(path.name for path in file.parent.glob("*.ckpt"))
    found = f" (found there: {', '.join(others)})" if others else ""
    return (
        f"ckpt_path: {file} does not exist{found}, and `{verb}` does not use an untrained model; name a "
        "checkpoint with --ckpt_path FILE, or the folder of its training with --trainer.default_root_dir"
    )


def check_checkpoint(checkpoint: Path, model: str, resume: bool = False) -> dict[str, Any]:
    """Check that a file is a checkpoint of a model.

    LightningCLI takes the class and the options of a model from the checkpoint. So the class must be the
    one that the user names, because code of another one must not be run.

    Args:
        checkpoint: the file.
        model: class path of the model that the user names.
        resume: whether training shall continue from it, which needs more than the weights.

    Returns:
        The content of the file.

    Raises:
        CheckpointError: if the file does not exist, is damaged, contains code, is not a checkpoint
            of the model, or training cannot continue from it.
    """
    content = _read(checkpoint)
    try:
        stored = stored_class(checkpoint, content)
    except CheckpointError as error:
        raise CheckpointError(f"ckpt_path: {error}") from error
    options = content["hyper_parameters"]
    # Without `_class_path`, LightningCLI takes the class from an option named `class_path`.
    named = options.get("_class_path", options.get("class_path", stored))
    for each in (stored, named):
        if each not in (model, class_path(import_model(model))):
            raise CheckpointError(
                f"ckpt_path: {checkpoint} is a checkpoint of {each}, not of {model}; name its model "
                "with --model, or start from its weights alone with --model.init_args.weights"
            )
    if resume and not content.keys() >= {*_STATE_OF_TRAINING}:
        raise CheckpointError(
            f"ckpt_path: {checkpoint} has weights but not the state of a training, so training cannot "
            f"continue from it; start from its weights with --model.init_args.weights {checkpoint}"
        )
    return content


def _read(checkpoint: Path) -> dict[str, Any]:
    if checkpoint.is_dir():
        inside = sorted([*checkpoint.glob("*.ckpt"), *checkpoint.glob(f"{CHECKPOINTS}/*.ckpt")])
        hint = f", such as {inside[0]}" if inside else ""
        raise CheckpointError(
            f"ckpt_path: {str(checkpoint)!r} is not a file but a folder; name a checkpoint{hint}"
        )
    if not checkpoint.is_file():
        raise CheckpointError(
            f"ckpt_path: {str(checkpoint)!r} is not a file; name a checkpoint that `cellbench fit` "
            "wrote, or write `best` or `last` for those in --trainer.default_root_dir"
        )
    if not checkpoint.stat().st_size:
        raise CheckpointError(f"ckpt_path: {checkpoint} is an empty file; copy it again")
    try:
        content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file can raise anything
        raise CheckpointError(
            f"ckpt_path: {checkpoint} is not a readable checkpoint; name a file that `cellbench fit` "
            "wrote, such as best.ckpt, and if it is one, copy it again"
        ) from error
    return content if isinstance(content, dict) else {}


def ignored_options(
    words: Sequence[str], options: Mapping[str, Any], content: Mapping[str, Any]
) -> list[str]:
    """Return the options of the model on a command line that a checkpoint overrides with other values.

    Args:
        words: the words of the command line.
        options: the options of the model that they and the configuration files set.
        content: the checkpoint.

    Returns:
        Names such as ``model.window``.
    """
    named = {word.partition("=")[0].replace("init_args.", "") for word in words}
    stored = content["hyper_parameters"]
    return [
        f"model.{name}"
        for name, value in options.items()
        if f"--model.{name}" in named and name in stored and stored[name] != value
    ]


def used_up_limit(content: Mapping[str, Any], trainer: Trainer) -> str:
    """Return which limit of a training an earlier part of it has already used up.

    Args:
        content: the checkpoint that training continues from.
        trainer: the trainer, which has the limits.

    Returns:
        A line such as "trainer.max_epochs is 2, and 2 epochs are done"; empty if there is something
        left to train.

    Raises:
        CheckpointError: if the checkpoint does not say how far training has come.
    """
    try:
        epochs = int(content["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"])
        steps = int(content["global_step"])
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            "ckpt_path: the checkpoint does not say how many epochs and steps are done; it is damaged, or "
            "another program wrote it; name another one"
        ) from error
    if trainer.max_epochs is not None and 0 <= trainer.max_epochs <= epochs:
        return f"trainer.max_epochs is {trainer.max_epochs}, and {epochs} epochs are done"
    if 0 <= trainer.max_steps <= steps:
        return f"trainer.max_steps is {trainer.max_steps}, and {steps} steps are done"
    for timer in trainer.callbacks:  # type: ignore[attr-defined]
        if not isinstance(timer, Timer) or (limit := timer.time_remaining()) is None:
            continue
        state = (content.get("callbacks") or {}).get(timer.state_key, {})
        used = state.get("time_elapsed", {}).get("train", 0)
        if used >= limit:
            option = "max_cpu_time" if isinstance(timer, CpuTimer) else "trainer.max_time"
            whole = [timedelta(seconds=round(each)) for each in (limit, used)]
            return f"{option} is {whole[0]}, and {whole[1]} are used (hours:minutes:seconds)"
    return ""
