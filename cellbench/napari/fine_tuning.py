"""The command that trains a model further on a dataset to which corrected images were added."""

import shlex
import sys
from collections.abc import Sequence
from itertools import chain, count
from pathlib import Path
from typing import Any

import yaml

from cellbench.data.folder import read_dataset
from cellbench.errors import DatasetError, UsageError
from cellbench.files import written_whole

MODEL_CONFIG = "model.yaml"
"""File with the options of the model, in the folder of the new run."""

_OF_TRAINING = {"weights"}  # is given on the command line


def prepare_fine_tuning(checkpoint: Path, data: Path, out: Path, minutes: int) -> list[str]:
    """Write the options of a model into the folder of a new run, and return the command that trains it.

    The settings of training are those in ``configs/base.yaml`` and, for cellbench's own models,
    ``configs/model/NAME.yaml``. The options of the model are those of the checkpoint.

    Args:
        checkpoint: file of the trained model.
        data: the dataset folder.
        out: folder of the new run.
        minutes: the longest time to train, in minutes.

    Returns:
        The words after ``cellbench``, beginning with ``fit``.

    Raises:
        DatasetError: if the dataset has no images with label maps in train and tune.
        UsageError: if the folder of the run exists and is not empty, or the time is not positive.
        CheckpointError: if the file is not a checkpoint of a model.
    """
    from cellbench.models.names import model_name

    check_trainable(data)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out}: exists and is not an empty folder; choose another folder")
    if minutes < 1:
        raise UsageError(f"{minutes} minutes: too short; give at least 1")
    config = _model_config(checkpoint)
    name = model_name(config["model"]["class_path"])
    path = out / MODEL_CONFIG
    with written_whole(path) as temporary:
        temporary.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    configs = ["base.yaml", *([f"model/{name}.yaml"] if "." not in name else []), str(path)]
    return [
        "fit",
        *(word for each in configs for word in ("--config", each)),
        *("--model.weights", str(checkpoint)),
        *("--data.root", str(data)),
        *("--trainer.default_root_dir", str(out)),
        *(
            "--trainer.max_time",
            f"{minutes // 1440:02}:{minutes // 60 % 24:02}:{minutes % 60:02}:00",
        ),
    ]


def free_run(folder: Path) -> Path:
    """Return a folder for a new run that does not exist yet.

    Args:
        folder: the wanted folder.

    Returns:
        The folder itself, or the first that is free of ``NAME_2``, ``NAME_3`` and so on.
    """
    base, _, number = folder.name.rpartition("_")
    stem, first = (base, int(number)) if base and number.isdecimal() else (folder.name, 1)
    later = (folder.with_name(f"{stem}_{each}") for each in count(first + 1))
    return next(each for each in chain([folder], later) if not each.exists())


def check_trainable(data: Path) -> None:
    """Check that a dataset has what training needs.

    Args:
        data: the dataset folder.

    Raises:
        DatasetError: if it has no images with label maps in train and tune.
    """
    for split in ("train", "tune"):
        if not (data / split / "images").is_dir():
            raise DatasetError(
                f"{data}: has no images in {split}/images; training needs images in train, to learn "
                "from, and others in tune, to choose the best state of the model"
            )
        without = [each for each in read_dataset(data, [split]) if each.labels is None]
        if without:
            raise DatasetError(f"{without[0].image}: has no label map; add it, or remove the image")


def shown_command(words: Sequence[str]) -> str:
    """Return a command as a line for a terminal.

    Args:
        words: the words after ``cellbench``.

    Examples:
        >>> shown_command(["fit", "--data.root", "my data"])
        "cellbench fit --data.root 'my data'"
    """
    return shlex.join(["cellbench", *words])


def run_words(words: Sequence[str]) -> list[str]:
    """Return the program and arguments that run a command with the Python of this process.

    Args:
        words: the words after ``cellbench``.
    """
    return [sys.executable, "-m", "cellbench.cli", *words]


def _model_config(checkpoint: Path) -> dict[str, Any]:
    """Return the class and options of a checkpoint's model as a config of training."""
    from cellbench.inference.checkpoint import stored_class
    from cellbench.models.weights import read_checkpoint

    content = read_checkpoint(checkpoint)
    path = stored_class(checkpoint, content)
    options = {
        name: value
        for name, value in content["hyper_parameters"].items()
        if not name.startswith("_") and name not in _OF_TRAINING
    }
    if "pretrained" in options:
        options["pretrained"] = False  # the weights come from the checkpoint
    return {"model": {"class_path": path, "init_args": options}}
