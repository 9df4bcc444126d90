"""Label maps and runtime.csv for a file or folder of images of any size."""

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("inputs", type=Path, help="an image, or a folder of images")
    parser.add_argument("outputs", type=Path, help="folder for <stem>_label.tiff and runtime.csv")
    parser.add_argument("--checkpoint", type=Path, required=True, help="a trained model")
    parser.add_argument("--device", help="cpu, cuda, cuda:1, …; a GPU where there is one")


def run(arguments: argparse.Namespace) -> int:
    """Segment all images; status 1 if one failed."""
    from tqdm import tqdm

    from cellbench.inference import load_model, segment_files
    from cellbench.inference.segment import find_images

    files = find_images(arguments.inputs)
    model = load_model(arguments.checkpoint, arguments.device)
    failed = segment_files(
        model, files, arguments.outputs, lambda stems: tqdm(stems, unit="image", disable=None)
    )
    return 1 if failed else 0
