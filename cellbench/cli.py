"""The command line: training verbs go to LightningCLI, each other verb to its module in commands/."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from cellbench import __version__
from cellbench.commands.help_format import HelpFormatter, OneLineArgumentParser
from cellbench.errors import CellbenchError, UsageError
from cellbench.extras import missing_train_packages
from cellbench.resources import find_configs

TRAINING_VERBS = {
    "fit": "train a model",
    "validate": "score a checkpoint on the tune split of a dataset",
    "test": "score a checkpoint on the test split of a dataset",
    "predict": "segment the test split of a dataset with a checkpoint",
}
VERBS = {
    "segment": "segment images of any size with a trained model",
    "pseudo-label": "label unlabelled images with a trained model, to train on them",
    "tune": "find the decoding options with which a trained model scores best on the tune split",
    "profile": "measure the latency, throughput, memory and operations of models",
    "models": "list the models that can be trained, show one and its options, or list ready models",
    "export": "write a trained model as ONNX, a BioImage.IO package or a weights file",
    "run": "run and time algorithms on the test images of a dataset, one image at a time",
    "evaluate": "score folders of label maps against the true label maps",
    "rank": "rank algorithms: leaderboard, confidence intervals and rank stability",
    "consensus": "combine the rankings of several boards into one",
    "report": "draw the figures of a board and write its page, report.html",
    "robustness": "measure how much of its F1 an algorithm keeps on perturbed images",
    "data": "make, import, export, download and describe datasets",
    "perturb": "write perturbed copies of a dataset: noise, blur, light, colour, scale",
}
_EPILOG = """\
`cellbench VERB --help` describes the options of a verb.
fit, validate, test, predict, segment, pseudo-label, tune, profile, models and export need packages that
only `pip install "cellbench[train]"` installs.

example, from the built-in sample to a leaderboard:
  cellbench data sample data/sample
  cellbench run otsu_watershed --data data/sample --out predictions
  cellbench evaluate data/sample/test/labels predictions --out scores.csv
  cellbench rank scores.csv --out board
  cellbench report board
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb.

    Args:
        argv: the words after ``cellbench``; by default those of the running process.

    Returns:
        0 on success, 1 for bad input or a missing package, 2 for wrong usage, 130 after an interrupt.

    Raises:
        BrokenPipeError: if the reader of the output has closed it.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    try:
        return _run(words)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BrokenPipeError:  # an OSError, but no fault of the input
        raise
    except (CellbenchError, OSError) as error:
        return _fail(_describe(error), 2 if isinstance(error, UsageError) else 1)
    except ModuleNotFoundError as error:
        if not (advice := missing_train_packages(error)):
            raise
        return _fail(f"{words[0]}: {advice}", 1)
    except KeyboardInterrupt:
        return _fail(
            "interrupted; `segment`, `pseudo-label`, `run`, `perturb`, `robustness`, `evaluate` and "
            "`data download` continue where they stopped when the same command is run again, and `fit` if "
            "--ckpt_path last is added",
            130,
        )


def _describe(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _fail(message: str, status: int) -> int:
    print(f"cellbench: {' '.join(message.split())}", file=sys.stderr)
    return status


def _run(words: list[str]) -> int:
    verb = words[0] if words else "--help"
    if verb in TRAINING_VERBS:
        from cellbench.training.cli import train

        train(find_configs(words))
        return 0
    if verb not in VERBS:
        _parser().parse_args(words or ["--help"])
    command = import_module(f"cellbench.commands.{verb.replace('-', '_')}")
    parser = OneLineArgumentParser(
        f"cellbench {verb}", description=command.__doc__, formatter_class=HelpFormatter
    )
    command.configure(parser)
    status = command.run(parser.parse_args(words[1:]))
    return int(status or 0)


def _parser() -> argparse.ArgumentParser:
    parser = OneLineArgumentParser(
        "cellbench",
        description="The NeurIPS 2022 cell segmentation challenge as a living benchmark suite.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"cellbench {__version__}")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    for verb, text in (TRAINING_VERBS | VERBS).items():
        verbs.add_parser(verb, help=text, add_help=False)
    return parser


def entry_point() -> None:
    """Run the command line of this process and exit; a closed output pipe causes no traceback."""
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    sys.exit(status)


if __name__ == "__main__":
    entry_point()
