"""Label maps and runtime.csv for a file or folder of images of any size."""

import argparse
import sys
from pathlib import Path

_VIEWS = 8


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("inputs", type=Path, help="an image, or a folder of images")
    parser.add_argument("outputs", type=Path, help="folder for <stem>_label.tiff and runtime.csv")
    parser.add_argument(
        "--checkpoint",
        type=Path,
        required=True,
        action="append",
        help="a trained model; given several times, the models' maps are averaged, and each image "
        "takes as many times longer",
    )
    parser.add_argument(
        "--tta",
        action="store_true",
        help="average over all flips and quarter turns of the image; takes 8 times as long",
    )
    parser.add_argument(
        "--precision",
        choices=("auto", "bf16", "32"),
        default="auto",
        help="auto [default]: half precision where the hardware is fast in it; 32: nowhere",
    )
    parser.add_argument("--device", help="cpu, cuda, cuda:1, …; a GPU where there is one")


def run(arguments: argparse.Namespace) -> int:
    """Segment all images; status 1 if one failed."""
    from tqdm import tqdm

    from cellbench.inference import load_models, segment_files
    from cellbench.inference.segment import find_images

    files = find_images(arguments.inputs)
    models = load_models(arguments.checkpoint, arguments.device)
    passes = len(models) * (_VIEWS if arguments.tta else 1)
    if passes > 1:
        print(f"each image is predicted {passes} times and takes as long", file=sys.stderr)
    failed = segment_files(
        models,
        files,
        arguments.outputs,
        lambda stems: tqdm(stems, unit="image", disable=None),
        precision=arguments.precision,
        augment=arguments.tta,
    )
    return 1 if failed else 0
