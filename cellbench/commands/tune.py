"""Fit how a trained model decodes its maps to the tune split, and store that in its checkpoint."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellbench.inference.tuning import Trial


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("checkpoint", type=Path, help="a trained model; it is rewritten")
    parser.add_argument(
        "--data", type=Path, required=True, metavar="ROOT", help="dataset folder with a tune split"
    )
    parser.add_argument("--device", help="cpu, cuda, cuda:1, …; a GPU where there is one")


def run(arguments: argparse.Namespace) -> None:
    """Search, print every trial, store the best."""
    from cellbench.data.folder import read_dataset
    from cellbench.inference.tuning import describe_tuning, progress_bar, tune_checkpoint

    streams = tune_checkpoint(
        arguments.checkpoint,
        read_dataset(arguments.data, ["tune"]),
        arguments.device,
        progress_bar,
    )
    for index, trials in streams.items():
        if [*streams] != [0]:
            print(f"stream {index}")
        _print_trials(trials)
    for line in describe_tuning(arguments.checkpoint, streams):
        print(line)


def _print_trials(trials: "Sequence[Trial]") -> None:
    from cellbench.inference.tuning import best_trial

    best = best_trial(trials)
    names = list(best.decoding)
    print("  ".join([*names, "mean_f1"]))
    for trial in trials:
        values = [f"{trial.decoding[name]:g}".rjust(len(name)) for name in names]
        print("  ".join([*values, f"{trial.f1:.4f}"]) + ("  best" if trial is best else ""))
