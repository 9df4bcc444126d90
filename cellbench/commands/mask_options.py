"""Options of `cellbench evaluate` for files that hold the predictions of all images."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cellbench.evaluation.mask_files import MaskOptions


def configure_mask_files(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Args:
        parser: the parser of the command.
    """
    parser.add_argument(
        "--order",
        choices=("rows", "columns"),
        help="direction in which the codes of a run-length table count the pixels (default: columns if the "
        "table has the column EncodedPixels, as in the Data Science Bowl 2018; rows if it has the column "
        "predicted or annotation, as in Sartorius Cell Instance Segmentation)",
    )
    parser.add_argument(
        "--score-threshold",
        type=float,
        metavar="SCORE",
        help="lowest score of the detections that are used of COCO results; where detections overlap, the "
        "one with the higher score keeps the pixels (default: 0.5)",
    )
    parser.add_argument(
        "--coco-images",
        type=Path,
        metavar="FILE",
        help="COCO file (.json) that lists the file names of the image ids in COCO results; not needed if "
        "the results list the images themselves, or use file names as ids",
    )


def mask_options(arguments: argparse.Namespace) -> "MaskOptions":
    """Return the options, after a check that they fit the predictions.

    Args:
        arguments: the arguments of the command.

    Raises:
        UsageError: if an option has no effect on such predictions.
    """
    from cellbench.evaluation.mask_files import MaskOptions

    options = MaskOptions(arguments.order, arguments.score_threshold, arguments.coco_images)
    options.check(arguments.predictions)
    return options
