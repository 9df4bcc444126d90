"""`cellbench data export`: write label maps in the format of another tool."""

import argparse
from pathlib import Path

from cellbench.commands.data_import import SPLITS

# The rooms that know these names import more than --help may; a test compares them.
EXPORTERS = ("coco", "kaggle-rle")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.add_argument(
        "source",
        type=Path,
        metavar="SOURCE",
        help="a folder of label maps named <image>_label.tiff; or a dataset folder, with --split",
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="the file to write")
    parser.add_argument(
        "--to",
        required=True,
        choices=EXPORTERS,
        help="format: COCO annotations, or a Kaggle table with the columns id and predicted "
        "(required)",
    )
    parser.add_argument(
        "--split",
        choices=SPLITS,
        help="split of the dataset folder to export (default: SOURCE is a folder of label maps)",
    )
    parser.set_defaults(function=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the file and print how many label maps it contains."""
    from cellbench.data.exporters import export_labels

    maps = export_labels(arguments.source, arguments.out, arguments.to, arguments.split)
    print(f"{maps} label map{'s' * (maps != 1)} written to {arguments.out}")
