"""`cellbench data leaks`: test images that are also among the training images."""

import argparse
import csv
import sys
from pathlib import Path

_DESCRIPTION = """Print the test images that are also among the training images.

The exit status is 1 if there are any. Copies are found whatever their format, number of bits, compression,
size and contrast, also if they were turned by 90, 180 or 270 degrees or mirrored. Crops are found at the
same magnification, from about 128 pixels per side. Neighbouring planes of a stack, frames of a time series
and overlapping fields of view are also reported if they are as similar as a copy or a crop.

The table on standard output has the columns image, other (the training image), kind (same, re-encoded,
turned or crop) and distance (0 for equal images; copies are below 0.2, crops below 0.3)."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.description = _DESCRIPTION
    parser.add_argument(
        "training",
        type=Path,
        metavar="TRAINING",
        help="dataset folder that a model was trained on; its splits train, tune and unlabeled are used",
    )
    parser.add_argument(
        "tested",
        type=Path,
        nargs="?",
        metavar="TESTED",
        help="dataset folder whose split test is checked (default: TRAINING)",
    )
    parser.set_defaults(function=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the table and return the exit status."""
    from cellbench.data.leaks import find_leaks

    leaks = find_leaks(arguments.training, arguments.tested)
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(["image", "other", "kind", "distance"])
    for leak in leaks:
        table.writerow([leak.image, leak.other, leak.kind, f"{leak.distance:.4f}"])
    count = f"{len(leaks)} test image{'s are' if len(leaks) != 1 else ' is'}"
    print(f"{count} also among the training images", file=sys.stderr)
    return int(bool(leaks))
