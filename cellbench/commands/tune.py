"""Choose the decoding options of a trained model that give the highest F1 on the tune split."""

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cellbench.commands.help_format import example
from cellbench.commands.model_options import add_device, add_model_class

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellbench.inference.search import Trial


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = example("tune runs/sample/unet/checkpoints/best.ckpt --data data/sample")
    parser.add_argument(
        "checkpoint",
        type=Path,
        metavar="CHECKPOINT",
        help="checkpoint of a trained model; the best options are stored in this file. If training did not "
        "store the diameters of its cells in it, those of the tune split are stored too, for "
        "`cellbench segment --diameter`",
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="ROOT",
        help="dataset folder with label maps in tune/labels (required)",
    )
    add_model_class(parser)
    add_device(parser)


def run(arguments: argparse.Namespace) -> None:
    """Search, print every trial, store the best."""
    from cellbench.data.folder import read_dataset
    from cellbench.inference.tuning import describe_tuning, tune_checkpoint
    from cellbench.progress import progress_bar

    streams = tune_checkpoint(
        arguments.checkpoint,
        read_dataset(arguments.data, ["tune"]),
        arguments.device,
        partial(progress_bar, leave=False),
        model_class=arguments.model_class,
    )
    for index, trials in streams.items():
        if [*streams] != [0]:
            print(f"stream {index}")
        _print_trials(trials)
    for line in describe_tuning(arguments.checkpoint, streams):
        print(line)


def _print_trials(trials: "Sequence[Trial]") -> None:
    from cellbench.inference.search import best_trial

    best = best_trial(trials)
    names = list(best.decoding)
    print("  ".join([*names, "mean_f1"]))
    for trial in trials:
        values = [f"{trial.decoding[name]:g}".rjust(len(name)) for name in names]
        print("  ".join([*values, f"{trial.f1:.4f}"]) + ("  best" if trial is best else ""))
