"""`cellbench data export`: write label maps in the format of another tool."""

import argparse
import sys
from pathlib import Path

from cellbench.commands.data_import import SPLITS

# The rooms that know these names import more than --help may; a test compares them.
EXPORTERS = ("coco", "kaggle-rle", "geojson", "imagej-roi", "cellpose")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.add_argument(
        "source",
        type=Path,
        metavar="SOURCE",
        help="a label map, or a folder of them, named <image>_label.tiff or as another tool names them; or "
        "a dataset folder, with --split",
    )
    parser.add_argument(
        "out",
        type=Path,
        metavar="OUT",
        help="the file to write (coco, kaggle-rle), or the folder for one file per image "
        "(geojson, imagej-roi, cellpose); files of these names are replaced",
    )
    parser.add_argument(
        "--to",
        required=True,
        choices=EXPORTERS,
        help="format: coco: COCO annotations, one JSON file; kaggle-rle: a table with the columns id and "
        "predicted; geojson: <image>.geojson for QuPath; imagej-roi: <image>_rois.zip for the ROI Manager "
        "of ImageJ and Fiji; cellpose: <image>_seg.npy for Cellpose (required)",
    )
    parser.add_argument(
        "--images",
        type=Path,
        metavar="FOLDER",
        help="folder of the images, from which coco and cellpose take the file names (default: the images "
        "of the dataset folder; for a folder of label maps, names without an extension)",
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

    maps = export_labels(
        arguments.source,
        arguments.out,
        arguments.to,
        arguments.split,
        arguments.images,
        lambda line: print(line, file=sys.stderr),
    )
    print(f"{maps} label map{'s' * (maps != 1)} written to {arguments.out}")
