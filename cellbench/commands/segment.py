"""Segment images with a trained model: writes a label map per image, runtime.csv and segmentation.json.

Without --checkpoint, the ready model generalist is used; `pip install "cellbench[weights]"` installs it.

A run that was interrupted continues when the same command is run again: finished label maps and their times
are kept, and images that failed are tried again. If an image or its label map has changed, this image is
segmented again. If a checkpoint, an option, the device or the software has changed, all images are. To
segment all images again in any case, delete the folder OUTPUTS first.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cellbench.commands.help_format import example
from cellbench.commands.model_options import (
    add_device,
    add_model_class,
    add_models,
    add_segmentation,
    chosen_checkpoints,
    segmentation_options,
)

if TYPE_CHECKING:
    from cellbench.inference.products import Product
    from cellbench.inference.run_files import Segmented

_ORIENTATIONS = 8


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = example(
        "segment images/ predictions/ --checkpoint best.ckpt --overlays --table"
    )
    parser.add_argument(
        "inputs",
        type=Path,
        metavar="INPUTS",
        help="an image file of any size, a folder of image files (TIFF, PNG, JPEG, BMP, GIF, WebP, JPEG "
        "2000, LSM and the slide formats SVS, NDPI and SCN; CZI, ND2 and LIF with `pip install "
        "cellbench[formats]`; label maps of other images are left out), or - to read the path of one "
        "image per line from standard input, and to answer each with a line on standard output (`done` "
        "and the path of the label map, or `failed` and the reason); runtime.csv is then not written",
    )
    parser.add_argument(
        "outputs",
        type=Path,
        metavar="OUTPUTS",
        help="folder for the label maps, runtime.csv and segmentation.json, which records the options; "
        "the label map of cells.png is cells_label.tiff. The size of the pixels is kept in it",
    )
    add_models(parser)
    add_model_class(parser)
    _add_products(parser)
    add_segmentation(parser)
    add_device(parser)


def _add_products(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--overlays",
        action="store_true",
        help="also write IMAGE_overlay.png for each image: the image with the outlines of the cells, "
        "scaled down if a side is above 4096 pixels (default: off)",
    )
    parser.add_argument(
        "--table",
        action="store_true",
        help="also write IMAGE_cells.csv for each image: a row per cell with id, centroid, area, "
        "equivalent diameter, eccentricity, and mean and largest intensity of each channel, in pixels "
        "(_px) and, if the file states the size of its pixels, in micrometres (_um, _um2); and how sure "
        "the model is of the cell (score, uncertainty), if it measures that (default: off)",
    )
    parser.add_argument(
        "--recursive",
        action="store_true",
        help="also segment the images in the subfolders of INPUTS; OUTPUTS gets the same subfolders "
        "(default: only the images in INPUTS itself)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Segment all images; return status 1 if one failed."""
    from cellbench.errors import UsageError
    from cellbench.inference import load_models, segment_files
    from cellbench.inference.ensemble import with_dense_maps
    from cellbench.inference.settings import file_checksum
    from cellbench.progress import progress_bar

    serves = str(arguments.inputs) == "-"
    if serves and (arguments.overlays or arguments.table or arguments.recursive):
        raise UsageError(
            "--overlays, --table and --recursive: cannot be used with INPUTS -; name an image or a folder"
        )
    checkpoints = chosen_checkpoints(arguments)
    options = segmentation_options(arguments)
    files, unread = ({}, 0) if serves else _find_images(arguments)
    # Before they are loaded: training may replace a file at any time.
    checksums = [] if serves else [file_checksum(path) for path in checkpoints]
    models = load_models(checkpoints, arguments.device, model_class=arguments.model_class)
    if arguments.tta:
        with_dense_maps(models[0])
    passes = len(models) * (_ORIENTATIONS if arguments.tta else 1)
    if passes > 1:
        estimates = options["diameter"] == "auto"
        cost = "its diameter is estimated" if estimates else f"takes {passes} times as long"
        print(f"each image is predicted {passes} times and {cost}", file=sys.stderr)
    if serves:
        from cellbench.inference.serve import serve_images

        serve_images(models, arguments.outputs, **options)
        return 0
    done = segment_files(
        models,
        files,
        arguments.outputs,
        lambda stems: progress_bar(stems, "segment"),
        products=_products(arguments),
        checkpoints=checkpoints,
        checksums=checksums,
        report=lambda line: print(line, file=sys.stderr),
        **options,
    )
    print(_summary(done, len(files), arguments.outputs))
    return 1 if done.failed or unread else 0


def _find_images(arguments: argparse.Namespace) -> tuple[dict[str, Path], int]:
    """Return the images by stem, and the number of images that are not read; print what is left out."""
    from cellbench.images import unread_message
    from cellbench.inference.inputs import find_inputs

    found = find_inputs(arguments.inputs, arguments.outputs, recursive=arguments.recursive)
    for note in [*map(unread_message, found.unread), *found.notes]:
        print(note, file=sys.stderr)
    return found.files, len(found.unread)


def _products(arguments: argparse.Namespace) -> "list[Product]":
    wanted: dict[Product, bool] = {"overlay": arguments.overlays, "table": arguments.table}
    return [name for name, chosen in wanted.items() if chosen]


def _summary(done: "Segmented", total: int, outputs: Path) -> str:
    images = f"{done.images} image{'s' * (done.images != 1)}"
    if done.images < total:
        images = f"{done.images} of {total} images"
    cells = f"{done.cells} cell{'s' * (done.cells != 1)}"
    failed = f"; {len(done.failed)} failed, see above" if done.failed else ""
    return f"{images}, {cells} in {outputs}{os.sep}{failed}"
