"""Write perturbed copies of a dataset: what a worse or another microscope would have recorded.

Each kind and severity becomes a dataset folder OUT/KIND-SEVERITY with the same label maps; where the size
of the images changes, the label maps follow. docs/robustness.md defines the kinds. `cellbench robustness`
runs algorithms on such copies without keeping them. A run that was stopped continues when the same command
is run again.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cellbench.commands.help_format import example
from cellbench.commands.whole_numbers import whole_number

if TYPE_CHECKING:
    from cellbench.data.folder import DatasetImage
    from cellbench.data.perturb.severities import Kind

_JOURNAL = ".perturb.journal"

SPLITS = ("train", "tune", "test", "unlabeled")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("root", type=Path, metavar="DATA", help="the dataset folder; not changed")
    parser.add_argument(
        "out", type=Path, metavar="OUT", help="folder in which the dataset folders are written"
    )
    add_perturbations(parser)
    parser.add_argument(
        "--split", choices=SPLITS, help="write this split only (default: all splits of DATA)"
    )
    parser.epilog = f"{list_kinds()}\n\n" + example(
        "perturb data/sample data/noisy --kind gaussian-noise defocus --severity 1 3 5 --split test"
    )


def add_perturbations(parser: argparse.ArgumentParser) -> None:
    """Declare the options that choose kinds, severities and the seed.

    Args:
        parser: the parser of a verb.
    """
    from cellbench.data.perturb.severities import ALL, KINDS, STEPS

    parser.add_argument(
        "--kind",
        nargs="+",
        default=[ALL],
        choices=(*KINDS, ALL),
        metavar="KIND",
        help="one or more kinds of perturbation, see below, or all (default: all)",
    )
    parser.add_argument(
        "--severity",
        nargs="+",
        type=int,
        default=list(range(1, STEPS + 1)),
        choices=range(1, STEPS + 1),
        metavar="N",
        help="one or more severities from 1 (mild) to 5 (severe); inversion and channel-swap have "
        "only 1, and are left out if it is not asked for (default: 1 2 3 4 5)",
    )
    parser.add_argument(
        "--seed",
        type=whole_number(0),
        default=0,
        metavar="N",
        help="random seed; each image has random numbers of its own, so that neither the order nor the "
        "choice of images matters (default: 0)",
    )


def list_kinds() -> str:
    """Return the kinds with their strengths, one line each, for the end of a help text."""
    from cellbench.data.perturb.severities import KINDS

    lines = []
    for kind in KINDS.values():
        strengths = " ".join(f"{value:g}" for value in kind.strengths)
        steps = f": {strengths}" if len(kind.strengths) > 1 else ""
        lines.append(f"  {kind.name:15} {kind.measure}{steps}")
    return "kinds, and what increases or falls with the severity:\n" + "\n".join(lines)


def choose_steps(
    arguments: argparse.Namespace, images: Sequence["DatasetImage"]
) -> list[tuple["Kind", int]]:
    """Return the kinds and severities that are asked for and exist; say which do not.

    Args:
        arguments: the command line.
        images: the images that are perturbed.

    Returns:
        Pairs of kind and severity.

    Raises:
        CellbenchError: if none exists, or an image cannot be read.
    """
    from cellbench.data.perturb.dataset import missing_kinds
    from cellbench.data.perturb.severities import combinations
    from cellbench.errors import DatasetError

    chosen = combinations(arguments.kind, arguments.severity)
    kinds = {kind for kind, _ in chosen}
    for kind, _ in combinations(arguments.kind, [1]):
        if kind not in kinds:
            print(f"{kind.name} has severity 1 only and is left out", file=sys.stderr)
    missing = missing_kinds((kind for kind, _ in chosen), images)
    for kind in missing:
        print(f"{kind.name} exists for none of the images and is left out", file=sys.stderr)
    left = [(kind, severity) for kind, severity in chosen if kind not in missing]
    if not left:
        raise DatasetError(f"{missing[0].name} exists for none of the images; choose another kind")
    return left


def run(arguments: argparse.Namespace) -> None:
    """Write one dataset folder for each kind and severity; a run that was stopped continues."""
    from cellbench.data.folder import SPLITS as LABELLED
    from cellbench.data.folder import UNLABELED, read_dataset
    from cellbench.data.new_folder import check_free
    from cellbench.data.perturb.dataset import check_images, folder_name, perturb_dataset
    from cellbench.evaluation.journal import Journal

    splits = [arguments.split] if arguments.split else [*LABELLED, UNLABELED]
    images = read_dataset(arguments.root, splits)
    chosen = choose_steps(arguments, images)
    journal_file = arguments.out / _JOURNAL
    journal = Journal(journal_file)
    todo = {}
    for kind, severity in chosen:
        folder = arguments.out / folder_name(kind, severity)
        key = _key(arguments, images, folder.name)
        # A folder is written whole or not at all: if it exists and was begun, it is finished.
        if journal.get(key) == folder.name and folder.is_dir():
            print(f"kept {folder}: an earlier run has finished it")
            continue
        check_free(arguments.root, folder)
        todo[key] = (kind, severity, folder)
    if todo:
        check_images(images, [(kind, severity) for kind, severity, _ in todo.values()])
    for key, (kind, severity, folder) in todo.items():
        journal.add(key, folder.name)
        report = perturb_dataset(
            arguments.root, folder, kind, severity, seed=arguments.seed, splits=splits
        )
        print(f"wrote {report}")
    if set(journal.values()) <= {folder_name(*step) for step in chosen}:
        journal_file.unlink(missing_ok=True)


def _key(arguments: argparse.Namespace, images: "Sequence[DatasetImage]", name: str) -> str:
    """Return a key that changes with everything that the content of a folder depends on."""
    from cellbench.data import perturb
    from cellbench.data.folder import MANIFEST
    from cellbench.files import fingerprint

    files = [path for each in images for path in (each.image, each.labels)]
    code = sorted(Path(perturb.__file__).parent.glob("*.py"))
    return fingerprint([*files, arguments.root / MANIFEST, *code], name, arguments.seed)
