"""Training from the command line: LightningCLI over models and datamodules of any class path."""

import warnings
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import yaml
from pytorch_lightning import LightningDataModule
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.cli import ArgsType, LightningArgumentParser
from pytorch_lightning.loggers import CSVLogger, Logger, TensorBoardLogger
from pytorch_lightning.utilities import rank_zero_info
from pytorch_lightning.utilities.exceptions import (  # type: ignore[attr-defined]
    MisconfigurationException,
)

from cellbench.errors import CellbenchError, UsageError
from cellbench.files import written_whole
from cellbench.inference.tuning import (
    describe_tuning,
    progress_bar,
    tune_checkpoint,
    why_not_tunable,
)
from cellbench.models.base import InstanceSegmentationModel
from cellbench.models.class_paths import check_loadable
from cellbench.models.names import class_path
from cellbench.models.registry import model_class_words, resolve_model_words
from cellbench.networks.precision import half_precision
from cellbench.training.callbacks import LabelMapWriter
from cellbench.training.config_files import PARSER_MODE, add_loader, check_configs
from cellbench.training.datamodule import CellDataModule
from cellbench.training.dataset_folders import DatasetFolders
from cellbench.training.help_texts import HELP, PlainHelpFormatter
from cellbench.training.memory import keep_freed_memory
from cellbench.training.option_errors import OneLineParser, locate
from cellbench.training.resume import EXAMPLE, check_checkpoint
from cellbench.training.schedule import CpuTimer
from cellbench.training.split_checks import CheckedSplitsCLI

CHECKPOINTS = "checkpoints"
BEST = "best.ckpt"
LAST = "last.ckpt"

_CHECKPOINT_WORDS = ("last", "hpc")
"""Values of ``--ckpt_path`` that are not files."""

_OPTION_ERRORS = (ValueError, TypeError, MisconfigurationException)


class TrainingCLI(CheckedSplitsCLI):
    """LightningCLI that keeps a run's files in ``trainer.default_root_dir`` and tunes its decoding."""

    def add_default_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Declare the seed, with a description that can be understood without Lightning's manual.

        Args:
            parser: the parser of one verb.
        """
        parser.add_argument(
            "--seed_everything",
            type=bool | int,
            default=self.seed_everything_default,
            help="seed of all random numbers of the run; true chooses one at random",
        )

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Declare options of cellbench itself, and the datamodule that is used unless one is named.

        Args:
            parser: the parser of one verb.
        """
        parser.add_argument(
            "--tune",
            type=bool,
            default=True,
            help="after training, choose the decoding options of the best checkpoint (such as its "
            "thresholds) that give the highest mean F1 on the tune split, and store them in it",
        )
        parser.add_argument(
            "--max_cpu_time",
            type=str | None,
            default=None,
            help="stop training after this CPU time of the training process (days:hours:minutes:seconds). "
            "Unlike trainer.max_time, it does not count the time that other programs use",
        )
        default = f"{CellDataModule.__module__}.{CellDataModule.__qualname__}"
        parser.set_defaults({"data": {"class_path": default}})

    def instantiate_classes(self) -> None:
        """Create trainer, datamodule and model; an error that one of them raises is kept unchanged.

        Otherwise jsonargparse would wrap the error of a model in a list of types that do not fit.
        """
        try:
            super().instantiate_classes()
        except (ValueError, TypeError) as error:
            causes = list(_causes(error))
            for cause in causes:
                if isinstance(cause, CellbenchError):
                    raise cause from None
            cause = causes[-1]
            kind = "" if isinstance(cause, _OPTION_ERRORS) else f"{type(cause).__name__}: "
            raise UsageError(f"these options do not fit together: {kind}{cause}") from error

    def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
        """Parse the command line, and check the checkpoint that it names.

        Args:
            parser: the parser of all verbs.
            args: the words of the command line.

        Raises:
            CheckpointError: if ``--ckpt_path`` is not a checkpoint of the model.
            UsageError: if a module of a class that an option names ends the program.
        """
        try:
            super().parse_arguments(parser, args)
        except SystemExit as stop:
            if stop.code:
                raise UsageError(
                    f"the module of a class that the options name ends the program (exit status "
                    f"{stop.code}); correct the module"
                ) from stop
            raise
        config = self.config[self.config["subcommand"]]
        path = config.get("ckpt_path")
        if path is not None and (path not in _CHECKPOINT_WORDS or Path(path).is_file()):
            check_checkpoint(Path(path), config.model.class_path)

    def before_fit(self) -> None:
        """Set the folders of logs and checkpoints, so that ``--ckpt_path last`` finds them."""
        check_loadable(type(self.model))
        if (limit := self.config["fit"].max_cpu_time) is not None:
            self.trainer.callbacks.append(_cpu_timer(limit))  # type: ignore[attr-defined]
        root = Path(self.trainer.default_root_dir)
        last = root / CHECKPOINTS / LAST
        if self.config["fit"].ckpt_path == "last" and last.is_file():
            check_checkpoint(last, class_path(type(self.model)))
        self.trainer.loggers = _loggers(root)
        for callback in self.trainer.checkpoint_callbacks:
            if isinstance(callback, ModelCheckpoint):
                callback.dirpath = str(root / CHECKPOINTS)

    def before_validate(self) -> None:
        """Refuse to use a model that was never trained."""
        verb = str(self.subcommand)
        if self.config[verb].ckpt_path is None and any(True for _ in self.model.parameters()):
            raise UsageError(
                f"ckpt_path: missing; name the checkpoint to {verb} with, such as "
                f"--ckpt_path {EXAMPLE}"
            )

    before_test = before_predict = before_validate

    def after_fit(self) -> None:
        """Write the trained model's ``entry.yaml`` and tune its decoding."""
        root = Path(self.trainer.default_root_dir)
        kept = [name for name in (BEST, LAST) if (root / CHECKPOINTS / name).is_file()]
        if not self.trainer.is_global_zero or not kept:
            return
        data = self.datamodule
        trained_on = data.dataset_names() if isinstance(data, DatasetFolders) else []
        write_entry(root, self.model, trained_on, f"{CHECKPOINTS}/{kept[0]}")
        if self.config["fit"]["tune"]:
            self._tune(root / CHECKPOINTS / kept[0])

    def _tune(self, checkpoint: Path) -> None:
        if reason := why_not_tunable(self.model):
            rank_zero_info(reason)
        elif isinstance(self.datamodule, DatasetFolders):
            streams = tune_checkpoint(
                checkpoint,
                self.datamodule.items("tune"),
                self.trainer.strategy.root_device,
                progress_bar,
                model_class=type(self.model),
            )
            rank_zero_info("\n".join(describe_tuning(checkpoint, streams)))
        else:
            rank_zero_info(
                f"{checkpoint}: decoding is not tuned, because {type(self.datamodule).__name__} does "
                "not list images (items, dataset_names); `cellbench tune` can do it for a dataset folder"
            )

    def predict(self, **options: Any) -> None:
        """Write each label map to a file, instead of collecting all of them in memory.

        Args:
            **options: options of ``Trainer.predict``.
        """
        self.trainer.callbacks.append(LabelMapWriter())  # type: ignore[attr-defined]
        self.trainer.predict(**options | {"return_predictions": False})


def train(words: Sequence[str]) -> None:
    """Run one of Lightning's verbs.

    Args:
        words: the verb and its options.
    """
    keep_freed_memory()
    # Both are about Lightning's own code, not about the user's run.
    warnings.filterwarnings("ignore", "LightningCLI's args parameter")
    warnings.filterwarnings("ignore", ".*LeafSpec.*is deprecated")
    add_loader()
    words = check_configs(resolve_model_words(words))
    try:
        TrainingCLI(
            InstanceSegmentationModel,
            LightningDataModule,
            subclass_mode_model=True,
            subclass_mode_data=True,
            seed_everything_default=2022,
            trainer_defaults={"precision": _default_precision(), "logger": False},
            save_config_kwargs={"overwrite": True},
            parser_class=OneLineParser,
            parser_kwargs={
                "formatter_class": PlainHelpFormatter,
                "parser_mode": PARSER_MODE,
                **HELP,
            },
            auto_configure_optimizers=False,  # it would ignore the model's own options in silence
            args=words,
        )
    except UsageError as error:
        raise UsageError(locate(str(error), words)) from error
    except MisconfigurationException as error:
        raise UsageError(f"trainer: {error}") from error


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


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__


def _cpu_timer(limit: str) -> CpuTimer:
    try:
        return CpuTimer(limit)
    except MisconfigurationException:
        raise UsageError(
            f"max_cpu_time {limit}: write it as days:hours:minutes:seconds, such as 00:00:30:00"
        ) from None


def _loggers(root: Path) -> list[Logger]:
    loggers: list[Logger] = [CSVLogger(root, name="logs")]
    if find_spec("tensorboard") is not None:
        loggers.append(TensorBoardLogger(root, name="tensorboard"))
    return loggers


def _default_precision() -> str:
    """Return mixed precision if the hardware is fast in it, in bfloat16 if possible; else 32 bits."""
    half = half_precision("cuda" if torch.cuda.is_available() else "cpu")
    return {torch.bfloat16: "bf16-mixed", torch.float16: "16-mixed", None: "32-true"}[half]
