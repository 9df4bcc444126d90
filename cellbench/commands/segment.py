"""Segment images with a trained model: writes a label map per image, runtime.csv and segmentation.json.

A run that was interrupted continues when the same command is run again: finished label maps and their times
are kept, and images that failed are tried again. If an image or its label map has changed, this image is
segmented again. If a checkpoint, an option, the device or the software has changed, all images are. To
segment all images again in any case, delete the folder OUTPUTS first.
"""

import argparse
import sys
from pathlib import Path
from typing import Literal

from cellbench.commands.help_format import example

_ORIENTATIONS = 8


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = example(
        "segment images/ predictions/ --checkpoint runs/sample/unet/checkpoints/best.ckpt"
    )
    parser.add_argument(
        "inputs",
        type=Path,
        metavar="INPUTS",
        help="an image file of any size, a folder of image files (TIFF, PNG, JPEG, BMP, GIF, WebP, "
        "JPEG 2000, LSM and the slide formats SVS, NDPI and SCN; CZI, ND2 and LIF with "
        "`pip install cellbench[formats]`), or - to read the path of one image per "
        "line from standard input, and to answer each with a line on standard output (`done` and the path "
        "of the label map, or `failed` and the reason); runtime.csv is then not written",
    )
    parser.add_argument(
        "outputs",
        type=Path,
        metavar="OUTPUTS",
        help="folder for the label maps, runtime.csv and segmentation.json, which records the options; "
        "the label map of cells.png is cells_label.tiff",
    )
    parser.add_argument(
        "--checkpoint",
        type=Path,
        required=True,
        action="append",
        metavar="FILE",
        help="checkpoint of a trained model (required). Repeat the option to average the predictions of "
        "several models; each image then takes as many times longer",
    )
    add_model_class(parser)
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
        help="diameter of the cells in the images, or auto to estimate it for each image, which takes "
        "several times as long. Images whose cells are smaller or larger than those that the model was "
        "trained with are resized for it, and the label maps are resized back. Of several checkpoints the "
        "first one decides (default: images keep their size)",
    )
    parser.add_argument(
        "--overlap",
        type=float,
        metavar="SHARE",
        help="share of each window that the next one covers too, from 0 to below 1; more takes longer "
        "(default: that of the model, usually 0.25)",
    )
    add_device(parser)


def _diameter(text: str) -> float | Literal["auto"]:
    """Read the value of ``--diameter``."""
    try:
        return "auto" if text == "auto" else float(text)
    except ValueError as error:
        message = f"{text!r} is neither a number of pixels nor auto"
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

    from cellbench.inference import load_models, segment_files
    from cellbench.inference.ensemble import with_dense_maps
    from cellbench.inference.settings import file_checksum

    serves = str(arguments.inputs) == "-"
    files = {} if serves else _find_images(arguments.inputs)
    # Before they are loaded: training may replace a file at any time.
    checksums = [] if serves else [file_checksum(path) for path in arguments.checkpoint]
    models = load_models(arguments.checkpoint, arguments.device, model_class=arguments.model_class)
    if arguments.tta:
        with_dense_maps(models[0])
    passes = len(models) * (_ORIENTATIONS if arguments.tta else 1)
    if passes > 1:
        estimates = arguments.diameter == "auto"
        cost = "its diameter is estimated" if estimates else f"takes {passes} times as long"
        print(f"each image is predicted {passes} times and {cost}", file=sys.stderr)
    options = {
        "precision": arguments.precision,
        "augment": arguments.tta,
        "overlap": arguments.overlap,
        "diameter": arguments.diameter,
    }
    if serves:
        from cellbench.inference.serve import serve_images

        serve_images(models, arguments.outputs, **options)
        return 0
    failed = segment_files(
        models,
        files,
        arguments.outputs,
        lambda stems: tqdm(stems, unit="image", disable=None),
        checkpoints=arguments.checkpoint,
        checksums=checksums,
        report=lambda line: print(line, file=sys.stderr),
        **options,
    )
    done = len(files) - len(failed)
    unread = _report_unread(arguments.inputs)
    print(f"{done} of {len(files)} images are segmented; label maps are in {arguments.outputs}")
    return 1 if failed or unread else 0


def _report_unread(inputs: Path) -> int:
    """Name the images of a folder whose kind is not read, and return their number."""
    from cellbench.images import unread_files, unread_message

    paths = unread_files(inputs) if inputs.is_dir() else []
    for path in paths:
        print(unread_message(path), file=sys.stderr)
    if paths:
        count = "1 image was" if len(paths) == 1 else f"{len(paths)} images were"
        print(f"{inputs}: {count} not segmented because the format is not read", file=sys.stderr)
    return len(paths)


def _find_images(inputs: Path) -> dict[str, Path]:
    """Return the image files of a folder, or the one file, by stem."""
    from cellbench.errors import ImageError
    from cellbench.images import image_files

    if inputs.is_dir():
        files = image_files(inputs)
        if not files:
            unread = _report_unread(inputs)
            raise ImageError(
                f"{inputs}: the folder contains no images{' that are read' * bool(unread)}"
            )
        return files
    if not inputs.is_file():
        raise ImageError(f"{inputs}: no such file or folder")
    return {inputs.stem: inputs}
