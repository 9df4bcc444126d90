"""Label the unlabelled images of a dataset with a trained model, and write a dataset to train on.

The images in ROOT/unlabeled/images are segmented as `cellbench segment` does. In the new dataset folder
they are training images. train/confidence says how sure the model is of each pixel. Pixels with the value 0
are ignored in training, also those of cells that the model is not sure of. An image in which it is sure of
no cell stays in unlabeled/images. All other images of ROOT are in the new dataset folder too.

A run that was interrupted continues when the same command is run again. A finished dataset folder is never
changed: to label the images again, delete it or choose another one.
"""

import argparse
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
    from cellbench.inference.pseudo_labels import PseudoLabelled


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = example(
        "pseudo-label data/mycells --checkpoint runs/mycells/unet/checkpoints/best.ckpt"
    )
    parser.add_argument(
        "root",
        type=Path,
        metavar="ROOT",
        help="dataset folder with unlabelled images in unlabeled/images; it is not changed",
    )
    add_models(parser)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="dataset folder to write: a new or an empty folder (default: ROOT with -pseudo at its end)",
    )
    add_gates(parser)
    add_model_class(parser)
    add_segmentation(parser)
    add_device(parser)


def add_gates(parser: argparse.ArgumentParser) -> None:
    """Declare the options that decide of which cells and pixels a model is sure; training has the same."""
    parser.add_argument(
        "--foreground",
        type=_probability,
        default=0.9,
        metavar="SHARE",
        help="smallest mean probability of a cell over the pixels of a cell that counts, from 0 to 1, for "
        "models whose cells have no score of their own (default: 0.9)",
    )
    parser.add_argument(
        "--cell-score",
        type=_probability,
        default=0.7,
        metavar="SCORE",
        help="smallest score of a cell that counts, from 0 to 1, for models with star-convex polygons, "
        "outlines or embeddings (default: 0.7)",
    )
    parser.add_argument(
        "--background",
        type=_probability,
        default=0.1,
        metavar="SHARE",
        help="largest probability of a cell at a pixel that counts as background, from 0 to 1; other "
        "pixels outside of the cells are ignored (default: 0.1)",
    )


def _probability(text: str) -> float:
    try:
        if 0 <= (value := float(text)) <= 1:
            return value
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r}: must be a number from 0 to 1")


def run(arguments: argparse.Namespace) -> int:
    """Write the dataset folder; return status 1 if an image failed."""
    from cellbench.inference import load_models
    from cellbench.inference.pseudo_labels import Teacher, pseudo_label
    from cellbench.inference.settings import file_checksum
    from cellbench.progress import progress_bar

    root = arguments.root
    out = arguments.out or root.resolve().with_name(f"{root.resolve().name}-pseudo")
    # Before they are loaded: training may replace a file at any time.
    checkpoints = chosen_checkpoints(arguments)
    checksums = [file_checksum(path) for path in checkpoints]
    models = load_models(checkpoints, arguments.device, model_class=arguments.model_class)
    gates = {name: getattr(arguments, name) for name in ("foreground", "background", "cell_score")}
    options = segmentation_options(arguments)
    done = pseudo_label(
        root,
        out,
        Teacher(models, checkpoints, checksums, gates, options),
        lambda stems: progress_bar(stems, "pseudo-label"),
        lambda line: print(line, file=sys.stderr),
    )
    print(_summary(out, done))
    return int(bool(done.failed))


def _summary(out: Path, done: "PseudoLabelled") -> str:
    splits = ", ".join(f"{split}: {count}" for split, count in done.splits.items())
    lines = [
        f"wrote {out}: {sum(done.splits.values())} images ({splits})",
        f"{_images(done.images)} with pseudo-labels: {done.cells} cells, {done.used:.1%} of the pixels "
        "are used",
    ]
    if done.unsure:
        lines.append(
            f"{_images(len(done.unsure))} without a cell that the model is sure of, not used"
        )
    if done.failed:
        lines.append(f"{_images(len(done.failed))} failed, see above")
    return "\n".join(lines)


def _images(count: int) -> str:
    return f"{count} image{'s' * (count != 1)}"
