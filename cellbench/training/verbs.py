"""What each training verb does: LightningCLI with the checkpoints, limits and messages of cellbench."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import ModelCheckpoint, ProgressBar
from pytorch_lightning.cli import ArgsType, LightningArgumentParser
from pytorch_lightning.utilities import rank_zero_info, rank_zero_warn
from pytorch_lightning.utilities.exceptions import (  # type: ignore[attr-defined]
    MisconfigurationException,
)

from cellbench.errors import CellbenchError, CheckpointError, UsageError
from cellbench.models.class_paths import check_loadable
from cellbench.models.names import class_path
from cellbench.training.callbacks import LabelMapWriter
from cellbench.training.datamodule import CellDataModule
from cellbench.training.dataset_folders import DatasetFolders
from cellbench.training.mean_teacher import MeanTeacher
from cellbench.training.progress import ProgressLines, shows_bar
from cellbench.training.resume import (
    BEST,
    CHECKPOINTS,
    LAST,
    WORDS,
    check_checkpoint,
    checkpoint_file,
    describe_missing,
    ignored_options,
    used_up_limit,
)
from cellbench.training.run_folder import (
    PREDICTIONS,
    describe_start,
    remove_entry,
    run_loggers,
    what_next,
    why_stopped_early,
    write_entry,
)
from cellbench.training.schedule import cpu_timer
from cellbench.training.split_checks import CheckedSplitsCLI
from cellbench.training.trainer_errors import check_trainer, explain
from cellbench.training.tuning import tune_after_training

_LARGEST_SEED = 2**32 - 1
_OPTION_ERRORS = (ValueError, TypeError, MisconfigurationException)


class TrainingCLI(CheckedSplitsCLI):
    """LightningCLI that keeps a run's files in ``trainer.default_root_dir`` and tunes its decoding."""

    _continues = False
    """Whether an earlier training is continued, whose checkpoints are then those of this one."""

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
        parser.add_lightning_class_args(MeanTeacher, "unlabeled")
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
        verb = self.config["subcommand"]
        config = self.config[verb]
        _check_seed(config.seed_everything)
        named = config.get("ckpt_path")
        if verb != "fit":
            config.ckpt_path = self._trained(verb, named, args)
        elif named is not None and named not in WORDS:
            check_checkpoint(Path(named), config.model.class_path, resume=True)

    def _trained(self, verb: str, named: str | Path | None, args: ArgsType) -> str | None:
        """Return the checkpoint that a verb uses, checked; None if none is named and none exists."""
        config = self.config[verb]
        file = checkpoint_file(
            "best" if named is None else named, Path(config.trainer.default_root_dir or ".")
        )
        if not file.is_file():
            if named is None:
                return None
            if named in WORDS:
                raise CheckpointError(describe_missing(file, verb))
        content = check_checkpoint(file, config.model.class_path)
        words = args if isinstance(args, list) else []
        for name in ignored_options(words, config.model.get("init_args") or {}, content):
            rank_zero_warn(f"{name} is not used; {file} stores the options of its model")
        if named is None:
            rank_zero_info(f"{verb}: uses the checkpoint {file} (choose another with --ckpt_path)")
        return str(file)

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        """Create the trainer, with lines instead of a progress bar where the output is no terminal.

        Args:
            **kwargs: options that replace those of the command line.

        Raises:
            UsageError: if the options of the trainer are not valid on this machine.
        """
        options = self.config_init[self.config["subcommand"]].trainer
        check_trainer(options)
        if options.overfit_batches and isinstance(self.datamodule, CellDataModule):
            raise UsageError(
                "trainer.overfit_batches: cannot be used, because each epoch has new random patches; for "
                "a short training, set trainer.limit_train_batches"
            )
        callbacks = options.callbacks or []
        has_bar = any(isinstance(each, ProgressBar) for each in callbacks)
        if not has_bar and options.enable_progress_bar is not False and not shows_bar():
            kwargs["callbacks"] = [*callbacks, ProgressLines()]
        try:
            return super().instantiate_trainer(**kwargs)
        except Exception as error:  # a wrong option can raise anything
            raise UsageError(explain(options, error)) from error

    def before_fit(self) -> None:
        """Set the folders of logs and checkpoints, so that ``--ckpt_path last`` finds them."""
        check_loadable(type(self.model))
        if (limit := self.config["fit"].max_cpu_time) is not None:
            self.trainer.callbacks.append(cpu_timer(limit))  # type: ignore[attr-defined]
        root = self._root()
        self.trainer.loggers = run_loggers(root)
        for callback in self.trainer.checkpoint_callbacks:
            if isinstance(callback, ModelCheckpoint):
                callback.dirpath = str(root / CHECKPOINTS)

    def fit(self, **options: Any) -> None:
        """Train, unless the training that is continued has already used up its limits.

        Args:
            **options: options of ``Trainer.fit``.

        Raises:
            CheckpointError: if training cannot continue from ``--ckpt_path``.
        """
        named = options.get("ckpt_path")
        folder = self._root() / CHECKPOINTS
        file = None if named is None else checkpoint_file(named, self._root())
        if file is None and any(folder.glob("*.ckpt")):
            rank_zero_info(
                f"{folder}: the checkpoints of an earlier training will be replaced; to continue that "
                "training instead, stop this one and add --ckpt_path last"
            )
        elif file is not None and named in WORDS and not file.is_file():
            rank_zero_info(f"{file}: does not exist, so training starts from the beginning")
            file = None
        elif file is not None:
            self._continues = True
            content = check_checkpoint(file, class_path(type(self.model)), resume=True)
            if limit := used_up_limit(content, self.trainer):
                rank_zero_info(
                    f"{file}: nothing is left to train, because {limit}; allow more to continue"
                )
                return
        rank_zero_info(describe_start(self.model, self.trainer))
        if self.trainer.is_global_zero:
            remove_entry(self._root())
        try:
            self.trainer.fit(**options | {"ckpt_path": file})
        except SystemExit as stop:
            if self.trainer.interrupted:
                raise KeyboardInterrupt from stop
            raise
        if reason := why_stopped_early(self.trainer):
            rank_zero_info(reason)

    def before_validate(self) -> None:
        """Refuse to use a model that was never trained."""
        verb = str(self.subcommand)
        if self.config[verb].ckpt_path is None and any(True for _ in self.model.parameters()):
            raise UsageError(describe_missing(checkpoint_file("best", self._root()), verb))

    before_test = before_predict = before_validate

    def after_fit(self) -> None:
        """Tune the decoding of the trained model, and then write its ``entry.yaml``."""
        if not self.trainer.is_global_zero:
            return
        root = self._root()
        folder = root / CHECKPOINTS
        kept = [name for name in (BEST, LAST) if self._is_of_this_training(folder / name)]
        if not kept:
            rank_zero_info(f"{folder}: no checkpoint was written, so there is no model")
            return
        data = self.datamodule
        trained_on = data.dataset_names() if isinstance(data, DatasetFolders) else []
        if self.config["fit"]["tune"]:
            device = self.trainer.strategy.root_device
            tune_after_training(folder / kept[0], self.model, data, device)
        # Last, because a run with this file counts as finished.
        write_entry(root, self.model, trained_on, f"{CHECKPOINTS}/{kept[0]}")
        dataset = Path(data.root) if isinstance(data, CellDataModule) else None
        rank_zero_info("\n".join(what_next(root, self.model, kept[0], dataset)))

    def _is_of_this_training(self, checkpoint: Path) -> bool:
        """Return whether a checkpoint exists, and is not left over from an earlier training."""
        return checkpoint.is_file() and (
            self._continues
            or any(
                isinstance(callback, ModelCheckpoint)
                and Path(callback.best_model_path).absolute() == checkpoint.absolute()
                for callback in self.trainer.checkpoint_callbacks
            )
        )

    def _root(self) -> Path:
        """Return the folder of the run."""
        return Path(self.trainer.default_root_dir)

    def predict(self, **options: Any) -> None:
        """Write each label map to a file, instead of collecting all of them in memory.

        Args:
            **options: options of ``Trainer.predict``.
        """
        self.trainer.callbacks.append(LabelMapWriter())  # type: ignore[attr-defined]
        self.trainer.predict(**options | {"return_predictions": False})
        rank_zero_info(
            f"predict: wrote the label maps of the test images to {self._root() / PREDICTIONS}"
        )


def _check_seed(seed: bool | int) -> None:
    if not 0 <= seed <= _LARGEST_SEED:
        raise UsageError(f"seed_everything {seed}: must be from 0 to {_LARGEST_SEED}")


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__
