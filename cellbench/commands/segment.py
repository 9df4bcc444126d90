"""Segment images with a trained model: writes one label map per image, and runtime.csv."""

import argparse
import sys
from pathlib import Path

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
        help="an image file of any size, a folder of image files, or - to read the path of one image per "
        "line from standard input, and to answer each with a line on standard output (`done` and the path "
        "of the label map, or `failed` and the reason); runtime.csv is then not written",
    )
    parser.add_argument(
        "outputs",
        type=Path,
        metavar="OUTPUTS",
        help="folder for the label maps and runtime.csv; the label map of cells.png is "
        "cells_label.tiff",
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
    add_device(parser)


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
    from cellbench.inference.segment import find_images

    serves = str(arguments.inputs) == "-"
    files = {} if serves else find_images(arguments.inputs)
    models = load_models(arguments.checkpoint, arguments.device, model_class=arguments.model_class)
    if arguments.tta:
        with_dense_maps(models[0])
    passes = len(models) * (_ORIENTATIONS if arguments.tta else 1)
    if passes > 1:
        print(
            f"each image is predicted {passes} times and takes {passes} times as long",
            file=sys.stderr,
        )
    if serves:
        from cellbench.inference.serve import serve_images

        serve_images(
            models, arguments.outputs, precision=arguments.precision, augment=arguments.tta
        )
        return 0
    failed = segment_files(
        models,
        files,
        arguments.outputs,
        lambda stems: tqdm(stems, unit="image", disable=None),
        precision=arguments.precision,
        augment=arguments.tta,
    )
    written = len(files) - len(failed)
    print(f"{written} label map{'s' * (written != 1)} written to {arguments.outputs}")
    return 1 if failed else 0
