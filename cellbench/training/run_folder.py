"""What a training leaves in its folder: loggers, ``entry.yaml``, and lines that say what to do next."""

import shlex
from importlib.util import find_spec
from pathlib import Path

import yaml
from pytorch_lightning import Trainer
from pytorch_lightning.loggers import CSVLogger, Logger, TensorBoardLogger

from cellbench.files import written_whole
from cellbench.models.base import InstanceSegmentationModel
from cellbench.models.registry import model_class_words
from cellbench.training.resume import CHECKPOINTS

OVERLAYS = "overlays"
PREDICTIONS = "predictions"
_CSV, _TENSORBOARD = "logs", "tensorboard"


def run_loggers(root: Path) -> list[Logger]:
    """Return the loggers of a training: a CSV file, and TensorBoard where it is installed.

    Args:
        root: folder of the run.
    """
    loggers: list[Logger] = [CSVLogger(root, name=_CSV)]
    if find_spec("tensorboard") is not None:
        loggers.append(TensorBoardLogger(root, name=_TENSORBOARD))
    return loggers


def describe_start(model: InstanceSegmentationModel, trainer: Trainer) -> str:
    """Return the first line of a training: what is trained, on which device, and where it is written.

    Args:
        model: the model.
        trainer: the trainer of the run.
    """
    size = sum(each.numel() for each in model.parameters())
    device = trainer.strategy.root_device
    return (
        f"training {type(model).__name__} ({size:,} parameters) on {device} with precision "
        f"{trainer.precision}; results are written to {trainer.default_root_dir}"
    )


def why_stopped_early(trainer: Trainer) -> str:
    """Return why a training ended before its limits; empty if it did not.

    Args:
        trainer: the trainer, after training.
    """
    for callback in trainer.early_stopping_callbacks:
        if callback.stopped_epoch:
            return (
                f"training ended in epoch {callback.stopped_epoch + 1}, because {callback.monitor} has "
                f"not improved in the last {callback.wait_count} validations"
            )
    return ""


def remove_entry(root: Path) -> None:
    """Remove the ``entry.yaml`` of an earlier training: a run that is training again is not finished.

    Args:
        root: folder of the run.
    """
    (root / "entry.yaml").unlink(missing_ok=True)


def write_entry(
    root: Path, model: InstanceSegmentationModel, trained_on: list[str], checkpoint: str
) -> None:
    """Write ``entry.yaml``, with which ``cellbench run`` runs the trained model.

    Args:
        root: folder of the run; its name becomes the algorithm's name.
        model: the trained model.
        trained_on: names of the datasets that it was trained on; empty if they are not known.
        checkpoint: the checkpoint to segment with, relative to ``root``.
    """
    name = type(model).__name__
    chosen = ["--checkpoint", checkpoint, *model_class_words(type(model))]
    entry = {
        "name": root.resolve().name,
        "title": f"{name} trained on {' and '.join(trained_on)}" if trained_on else name,
        "weights_licence": model.weights_licence,
        "trained_on": trained_on,
        "command": ["cellbench", "segment", "{inputs}", "{outputs}", *chosen],
        "serve": ["cellbench", "segment", "-", "{outputs}", *chosen],
    }
    with written_whole(root / "entry.yaml") as temporary:
        temporary.write_text(yaml.safe_dump(entry, sort_keys=False), encoding="utf-8")


def what_next(
    root: Path, model: InstanceSegmentationModel, checkpoint: str, data: Path | None
) -> list[str]:
    """Return the last lines of a training: where its results are, and the next commands.

    Args:
        root: folder of the run.
        model: the trained model.
        checkpoint: name of the checkpoint to use.
        data: dataset folder of the run; None if it is not known. Its test images are named if there are
            any.

    Returns:
        Lines, with the paths of this run.
    """
    file = root / CHECKPOINTS / checkpoint
    if data is not None and not (data / "test/images").is_dir():
        data = None
    images: str | Path = data / "test/images" if data else "IMAGES"
    predictions = root / PREDICTIONS
    segment: list[str | Path] = ["cellbench", "segment", images, predictions, "--checkpoint", file]
    lines = [f"trained model:   {file}", *_curves(root)]
    if (root / OVERLAYS).is_dir():
        lines.append(
            f"pictures:        {root / OVERLAYS} (outlines on tune images: truth green, prediction orange)"
        )
    lines.append(f"segment images:  {_command(*segment, *model_class_words(type(model)))}")
    if data:
        scores = root / "scores.csv"
        evaluate: list[str | Path] = [
            "cellbench",
            "evaluate",
            data / "test/labels",
            predictions,
            "--out",
            scores,
        ]
        lines.append(f"score them:      {_command(*evaluate)}")
    return lines


def _curves(root: Path) -> list[str]:
    versions = sorted(
        (root / _CSV).glob("version_*/metrics.csv"), key=lambda path: path.stat().st_mtime
    )
    if not versions:
        return []
    line = f"training curves: {versions[-1]}"
    if (root / _TENSORBOARD).is_dir():
        line += f", and with {_command('tensorboard', '--logdir', root / _TENSORBOARD)}"
    return [line]


def _command(*words: str | Path) -> str:
    return shlex.join(map(str, words))
