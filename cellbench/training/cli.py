"""Training from the command line: LightningCLI over models and datamodules of any class path."""

from collections.abc import Sequence

import torch
from pytorch_lightning import LightningDataModule

from cellbench.errors import UsageError
from cellbench.models.base import InstanceSegmentationModel
from cellbench.models.registry import resolve_model_words
from cellbench.networks.precision import half_precision
from cellbench.training.config_files import PARSER_MODE, add_loader, check_configs
from cellbench.training.help_texts import HELP, PlainHelpFormatter
from cellbench.training.memory import keep_freed_memory
from cellbench.training.messages import only_useful_messages
from cellbench.training.option_errors import OneLineParser, locate
from cellbench.training.run_errors import in_one_line
from cellbench.training.verbs import TrainingCLI


def train(words: Sequence[str]) -> None:
    """Run one of Lightning's verbs.

    Args:
        words: the verb and its options.
    """
    keep_freed_memory()
    add_loader()
    words = check_configs(resolve_model_words(words))
    try:
        with only_useful_messages(words[0]):
            _run(words)
    except UsageError as error:
        raise UsageError(locate(str(error), words)) from error
    except Exception as error:
        if plain := in_one_line(error):
            raise plain from error
        raise


def _run(words: Sequence[str]) -> None:
    TrainingCLI(
        InstanceSegmentationModel,
        LightningDataModule,
        subclass_mode_model=True,
        subclass_mode_data=True,
        seed_everything_default=2022,
        trainer_defaults={
            "precision": _default_precision(),
            "logger": False,
            "enable_model_summary": False,  # cellbench says what matters in one line
        },
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


def _default_precision() -> str:
    """Return mixed precision if the hardware is fast in it, in bfloat16 if possible; else 32 bits."""
    half = half_precision("cuda" if torch.cuda.is_available() else "cpu")
    return {torch.bfloat16: "bf16-mixed", torch.float16: "16-mixed", None: "32-true"}[half]
