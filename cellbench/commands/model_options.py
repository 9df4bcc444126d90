"""The options of the verbs that segment with a trained model: which model, where it runs, and how."""

import argparse
from pathlib import Path
from typing import Any


def add_models(parser: argparse.ArgumentParser) -> None:
    """Declare ``--checkpoint``, which can be repeated, and ``--model``."""
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


def add_segmentation(parser: argparse.ArgumentParser) -> None:
    """Declare ``--tta``, ``--precision``, ``--diameter`` and ``--overlap``."""
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
        "resized back. Of several checkpoints the first one decides (default: auto for ready models and "
        "other weights files, none for checkpoints)",
    )
    parser.add_argument(
        "--overlap",
        type=float,
        metavar="SHARE",
        help="share of each window that the next one covers too, from 0 to below 1; more takes longer "
        "(default: that of the model, usually 0.25)",
    )


def _diameter(text: str) -> float | str:
    """Read the value of ``--diameter``."""
    if text == "auto" or text == "none":
        return text
    try:
        return float(text)
    except ValueError as error:
        message = f"{text!r} is neither a number of pixels, nor auto or none"
        raise argparse.ArgumentTypeError(message) from error


def chosen_checkpoints(arguments: argparse.Namespace) -> list[Path]:
    """Return the checkpoints to segment with, or else the weights file of the ready model.

    Args:
        arguments: the parsed options of `add_models`.

    Raises:
        CellbenchError: if the ready model is not installed.
    """
    if arguments.checkpoint:
        return list(arguments.checkpoint)
    from cellbench.models.shipped import DEFAULT, shipped_weights

    return [shipped_weights(DEFAULT if arguments.model is None else arguments.model)]


def segmentation_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the values of the options of `add_segmentation`, as segmenting functions call them.

    Args:
        arguments: the parsed options of `add_models` and `add_segmentation`.

    Raises:
        CheckpointError: if a ready model is named that is not installed.
    """
    from cellbench.models.shipped import checkpoint_or_shipped
    from cellbench.models.weights_metadata import is_weights_file

    diameter = arguments.diameter
    if diameter is None:
        first = next(iter(arguments.checkpoint or ()), None)
        sized = first is None or is_weights_file(checkpoint_or_shipped(first))
        diameter = "auto" if sized else "none"
    return {
        "precision": arguments.precision,
        "augment": arguments.tta,
        "overlap": arguments.overlap,
        "diameter": None if diameter == "none" else diameter,
    }
