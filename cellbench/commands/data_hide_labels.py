"""`cellbench data hide-labels`: keep the label maps of a part of the training images only."""

import argparse

from cellbench.commands.whole_numbers import whole_number

_DESCRIPTION = """Write a dataset folder in which only a part of the training images has label maps.

The other training images are in unlabeled/images, without label maps; all other splits are those of ROOT.
The part is taken from the images of each source and modality in manifest.csv, at least one of each. With
the same seed, the images of a smaller part are always among those of a larger one."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand, except for the folders."""
    parser.description = _DESCRIPTION
    parser.add_argument(
        "--keep",
        type=_share,
        required=True,
        metavar="PERCENT",
        help="part of the training images of each source and modality whose label maps are kept, for "
        "example 10%% (required)",
    )
    parser.add_argument(
        "--seed",
        type=whole_number(0),
        default=2022,
        metavar="N",
        help="another number chooses other images (default: 2022)",
    )
    parser.set_defaults(function=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the dataset folder and print the number of images in each split."""
    from cellbench.data.hidden_labels import hide_labels

    counts = hide_labels(arguments.root, arguments.out, arguments.keep, arguments.seed)
    images = ", ".join(f"{split}: {count}" for split, count in counts.items())
    print(f"wrote {arguments.out}: {counts.total()} images ({images})")


def _share(text: str) -> float:
    """Read a percentage as a number from 0 to 1."""
    number, sign, rest = text.partition("%")
    try:
        if sign and not rest and 0 < (percent := float(number)) <= 100:
            return percent / 100
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r}: write a percentage up to 100%, such as 10%")
