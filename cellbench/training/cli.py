"""Training from the command line: LightningCLI over the models and the one datamodule."""

import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import yaml
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI
from pytorch_lightning.loggers import CSVLogger, Logger, TensorBoardLogger
from pytorch_lightning.utilities import rank_zero_info

from cellbench.data.folder import read_dataset
from cellbench.errors import CellbenchError
from cellbench.files import written_whole
from cellbench.inference.tuning import (
    describe_tuning,
    progress_bar,
    tune_checkpoint,
    why_not_tunable,
)
from cellbench.models.base import InstanceSegmentationModel
from cellbench.models.registry import check_loadable, model_class_words, resolve_model_words
from cellbench.networks.precision import half_precision
from cellbench.training.callbacks import LabelMapWriter
from cellbench.training.datamodule import CellDataModule
from cellbench.training.memory import keep_freed_memory

CHECKPOINTS = "checkpoints"
BEST = "best.ckpt"
LAST = "last.ckpt"


class TrainingCLI(LightningCLI):
    """LightningCLI that keeps all of a run below ``trainer.default_root_dir``, and fits its decoding."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Declare what is neither the trainer's nor the model's nor the data's."""
        parser.add_argument(
            "--tune",
            type=bool,
            default=True,
            help="after training, fit how the best checkpoint decodes to the tune split",
        )

    def instantiate_classes(self) -> None:
        """Make trainer, data and model; what they find wrong with an option is said as they say it.

        Of an error in a model, jsonargparse says that it fits no type, and all that it was given.
        """
        try:
            super().instantiate_classes()
        except ValueError as error:
            cause: BaseException | None = error
            while cause is not None and not isinstance(cause, CellbenchError):
                cause = cause.__cause__
            if cause is None:
                raise
            raise cause from None

    def before_fit(self) -> None:
        """Place logs and checkpoints, so that ``--ckpt_path last`` finds them."""
        check_loadable(type(self.model))
        root = Path(self.trainer.default_root_dir)
        self.trainer.loggers = _loggers(root)
        for callback in self.trainer.checkpoint_callbacks:
            if isinstance(callback, ModelCheckpoint):
                callback.dirpath = str(root / CHECKPOINTS)

    def after_fit(self) -> None:
        """Describe the trained model as an entrant, beside its checkpoints, and fit its decoding."""
        root = Path(self.trainer.default_root_dir)
        kept = [name for name in (BEST, LAST) if (root / CHECKPOINTS / name).is_file()]
        if not self.trainer.is_global_zero or not kept:
            return
        trained_on = Path(self.datamodule.root).resolve().name
        write_entry(root, self.model, trained_on, f"{CHECKPOINTS}/{kept[0]}")
        if self.config["fit"]["tune"] and (reason := why_not_tunable(self.model)):
            rank_zero_info(reason)
        elif self.config["fit"]["tune"]:
            checkpoint = root / CHECKPOINTS / kept[0]
            items = read_dataset(self.datamodule.root, ["tune"])
            streams = tune_checkpoint(
                checkpoint,
                items,
                self.trainer.strategy.root_device,
                progress_bar,
                model_class=type(self.model),
            )
            rank_zero_info("\n".join(describe_tuning(checkpoint, streams)))

    def predict(self, **options: Any) -> None:
        """Write label maps, where the trainer would gather them."""
        self.trainer.callbacks.append(LabelMapWriter())  # type: ignore[attr-defined]
        self.trainer.predict(**options | {"return_predictions": False})


def train(words: Sequence[str]) -> None:
    """Run one of Lightning's verbs.

    Args:
        words: the verb and its options.
    """
    keep_freed_memory()
    # Both speak of Lightning's own insides, not of the user's run.
    warnings.filterwarnings("ignore", "LightningCLI's args parameter")
    warnings.filterwarnings("ignore", ".*LeafSpec.*is deprecated")
    TrainingCLI(
        InstanceSegmentationModel,
        CellDataModule,
        subclass_mode_model=True,
        seed_everything_default=2022,
        trainer_defaults={"precision": _default_precision(), "logger": False},
        save_config_kwargs={"overwrite": True},
        args=resolve_model_words(words),
    )


def write_entry(
    root: Path, model: InstanceSegmentationModel, trained_on: str, checkpoint: str
) -> None:
    """Write ``entry.yaml``, with which ``cellbench run`` times the trained model."""
    entry = {
        "name": root.resolve().name,
        "title": f"{type(model).__name__} trained on {trained_on}",
        "trained_on": [trained_on],
        "command": [
            *("cellbench", "segment", "{inputs}", "{outputs}"),
            *("--checkpoint", checkpoint),
            *model_class_words(type(model)),
        ],
    }
    with written_whole(root / "entry.yaml") as temporary:
        temporary.write_text(yaml.safe_dump(entry, sort_keys=False), encoding="utf-8")


def _loggers(root: Path) -> list[Logger]:
    loggers: list[Logger] = [CSVLogger(root, name="logs")]
    if find_spec("tensorboard") is not None:
        loggers.append(TensorBoardLogger(root, name="tensorboard"))
    return loggers


def _default_precision() -> str:
    """Mixed where the hardware multiplies in half precision, in the wider bfloat16 where it can."""
    half = half_precision("cuda" if torch.cuda.is_available() else "cpu")
    return {torch.bfloat16: "bf16-mixed", torch.float16: "16-mixed", None: "32-true"}[half]
