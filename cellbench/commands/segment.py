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
from typing import TYPE_CHECKING, Literal

from cellbench.commands.help_format import example

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
    _add_models(parser)
    add_model_class(parser)
    _add_products(parser)
    parser.add_argument(
        "--tta",
        action="store_true",
        help="test-time augmentation: average over the 8 flips and rotations of each image, which "
        "takes 8 times as long (default: off)",
    )
    parser.add_argument(
        "--precision",
        choices=("auto", "bf16", "32"),
        default="auto",
        help="precision of the network's numbers; auto: half precision where the hardware is fast in it; "
        "bf16: always half precision; 32: always single precision (default: auto)",
    )
    parser.add_argument(
        "--diameter",
        type=_diameter,
        metavar="PIXELS",
        help="diameter of the cells in the images; auto to estimate it for each image, which takes "
        "several times as long; or none, with which images keep their size. Images whose cells are smaller "
        "or larger than those that the model was trained with are resized for it, and the label maps are "
        "resized back. Of several checkpoints the first one decides (default: auto for ready models, none "
        "for checkpoints)",
    )
    parser.add_argument(
        "--overlap",
        type=float,
        metavar="SHARE",
        help="share of each window that the next one covers too, from 0 to below 1; more takes longer "
        "(default: that of the model, usually 0.25)",
    )
    add_device(parser)


def _add_models(parser: argparse.ArgumentParser) -> None:
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--checkpoint",
        type=Path,
        action="append",
        metavar="FILE",
        help="checkpoint of a trained model. Repeat the option to average the predictions of several "
        "models; each image then takes as many times longer (default: a ready model, see --model)",
    )
    choice.add_argument(
        "--model",
        metavar="NAME",
        help="name of a ready model; `cellbench models --weights` lists them (default: generalist)",
    )


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


def _diameter(text: str) -> float | Literal["auto", "none"]:
    """Read the value of ``--diameter``."""
    if text == "auto" or text == "none":
        return text
    try:
        return float(text)
    except ValueError as error:
        message = f"{text!r} is neither a number of pixels, nor auto or none"
        raise argparse.ArgumentTypeError(message) from error


def add_model_class(parser: argparse.ArgumentParser) -> None:
    """Declare ``--model-class``."""
    parser.add_argument(
        "--model-class",
        metavar="PATH",
        help="class of the model, as package.module.Class. Needed only if the model is not part of "
        "cellbench or of an installed package that registers it; its code will be run (default: "
        "the class that the checkpoint names)",
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Declare ``--device``."""
    parser.add_argument(
        "--device",
        metavar="DEVICE",
        help="device that runs the network: cpu, cuda, cuda:1, … (default: the first GPU, or cpu)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Segment all images; return status 1 if one failed."""
    from tqdm import tqdm

    from cellbench.errors import UsageError
    from cellbench.inference import load_models, segment_files
    from cellbench.inference.ensemble import with_dense_maps
    from cellbench.inference.settings import file_checksum

    serves = str(arguments.inputs) == "-"
    if serves and (arguments.overlays or arguments.table or arguments.recursive):
        raise UsageError(
            "--overlays, --table and --recursive: cannot be used with INPUTS -; name an image or a folder"
        )
    checkpoints = arguments.checkpoint or [_ready_model(arguments)]
    diameter = _chosen_diameter(arguments)
    files, unread = ({}, 0) if serves else _find_images(arguments)
    # Before they are loaded: training may replace a file at any time.
    checksums = [] if serves else [file_checksum(path) for path in checkpoints]
    models = load_models(checkpoints, arguments.device, model_class=arguments.model_class)
    if arguments.tta:
        with_dense_maps(models[0])
    passes = len(models) * (_ORIENTATIONS if arguments.tta else 1)
    if passes > 1:
        estimates = diameter == "auto"
        cost = "its diameter is estimated" if estimates else f"takes {passes} times as long"
        print(f"each image is predicted {passes} times and {cost}", file=sys.stderr)
    options = {
        "precision": arguments.precision,
        "augment": arguments.tta,
        "overlap": arguments.overlap,
        "diameter": diameter,
    }
    if serves:
        from cellbench.inference.serve import serve_images

        serve_images(models, arguments.outputs, **options)
        return 0
    done = segment_files(
        models,
        files,
        arguments.outputs,
        lambda stems: tqdm(stems, unit="image", disable=None),
        products=_products(arguments),
        checkpoints=checkpoints,
        checksums=checksums,
        report=lambda line: print(line, file=sys.stderr),
        **options,
    )
    print(_summary(done, len(files), arguments.outputs))
    return 1 if done.failed or unread else 0


def _ready_model(arguments: argparse.Namespace) -> Path:
    """Return the weights file of the ready model to segment with."""
    from cellbench.models.shipped import DEFAULT, shipped_weights

    return shipped_weights(arguments.model or DEFAULT)


def _chosen_diameter(arguments: argparse.Namespace) -> float | Literal["auto"] | None:
    if arguments.diameter is None:
        return None if arguments.checkpoint else "auto"
    return None if arguments.diameter == "none" else arguments.diameter


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
