"""The command line: training verbs go to LightningCLI, the others to one module each in commands/."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from cellbench import __version__
from cellbench.errors import CellbenchError, UsageError

TRAINING_VERBS = {
    "fit": "train a model",
    "validate": "score a checkpoint on the tune split",
    "test": "score a checkpoint on the test split",
    "predict": "segment the test split with a checkpoint, into the run's predictions/",
}
VERBS = {
    "segment": "label maps for a file or folder of images of any size",
    "tune": "fit how a trained model decodes its maps to the tune split",
    "models": "list the models that can be trained, or show one model and its options",
    "run": "timed, one-image-at-a-time run of entrants",
    "evaluate": "score folders of label maps against the truth",
    "rank": "leaderboard, intervals and rank stability from scores or any table",
    "consensus": "one ranking from several boards",
    "report": "figures and report.html of a board",
    "data": "sample, import, download and describe datasets",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb.

    Args:
        argv: the words after ``cellbench``; those of the process unless given.

    Returns:
        0 when done, 1 where the input was bad, 2 for wrong usage.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    try:
        return _run(words)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BrokenPipeError:  # who read our output has left; the entry point ends quietly
        raise
    except (CellbenchError, OSError) as error:
        print(f"cellbench: {' '.join(str(error).split())}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt:
        print("cellbench: stopped; the same command goes on where it can", file=sys.stderr)
        return 130


def _run(words: list[str]) -> int:
    verb = words[0] if words else "--help"
    if verb in TRAINING_VERBS:
        from cellbench.training.cli import train

        train(words)
        return 0
    if verb not in VERBS:
        _parser().parse_args(words or ["--help"])
    command = import_module(f"cellbench.commands.{verb}")
    parser = argparse.ArgumentParser(f"cellbench {verb}", description=command.__doc__)
    command.configure(parser)
    status = command.run(parser.parse_args(words[1:]))
    return int(status or 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "cellbench",
        description="The NeurIPS 2022 cell segmentation challenge as a living benchmark suite.",
        epilog="`cellbench VERB --help` tells the rest.",
    )
    parser.add_argument("--version", action="version", version=f"cellbench {__version__}")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    for verb, text in (TRAINING_VERBS | VERBS).items():
        verbs.add_parser(verb, help=text, add_help=False)
    return parser


def entry_point() -> None:
    """Run the process's command line and exit; a closed pipe ends quietly."""
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    sys.exit(status)


if __name__ == "__main__":
    entry_point()
