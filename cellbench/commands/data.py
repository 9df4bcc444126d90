"""Create, import, download, describe, select from, split, rescale and export datasets.

A dataset folder contains ROOT/train, ROOT/tune and ROOT/test, each with images/ and labels/. The label map
of images/cells.png is labels/cells_label.tiff. ROOT/manifest.csv (optional) lists modality and source of
each image. ROOT/unlabeled/images (optional) contains images without label maps.
"""

import argparse
from pathlib import Path

from cellbench.commands import data_export, data_hide_labels, data_import, data_leaks, data_split
from cellbench.commands.conditions import by_column, condition
from cellbench.commands.data_import import SPLITS
from cellbench.commands.help_format import HelpFormatter, example

# The rooms that know these names import more than --help may; a test compares them.
DOWNLOADS = ("neurips22", "dsb2018", "dsb2018-stardist")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommands."""
    verbs = parser.add_subparsers(metavar="WHAT", required=True, dest="what")
    parser.epilog = "`cellbench data WHAT --help` describes each of them.\n\n" + example(
        "data sample data/sample"
    )
    sample = _add(verbs, "sample", "write the built-in sample dataset", "data/sample")
    sample.add_argument(
        "root",
        type=Path,
        nargs="?",
        metavar="ROOT",
        default=Path("data/sample"),
        help="dataset folder to write (default: data/sample)",
    )
    sample.set_defaults(function=_sample)
    download = _add(
        verbs, "download", "download an open dataset and unpack it", "dsb2018-stardist downloads"
    )
    download.add_argument(
        "name",
        choices=DOWNLOADS,
        help="the dataset: neurips22: the challenge; dsb2018: Data Science Bowl 2018; "
        "dsb2018-stardist: its fluorescence images, as used for StarDist",
    )
    download.add_argument(
        "folder",
        type=Path,
        metavar="FOLDER",
        help="folder for the archives and their contents; convert them with `cellbench data import`",
    )
    download.set_defaults(function=_download)
    describe = _add(
        verbs,
        "describe",
        "print images, cells, sizes and problems of a dataset; exit with status 1 if it has problems",
        "data/sample",
    )
    describe.add_argument("root", type=Path, metavar="ROOT", help="the dataset folder")
    describe.set_defaults(function=_describe)
    _configure_rescale(
        _add(
            verbs,
            "rescale",
            "enlarge or shrink all images and label maps of a dataset",
            "data/sample data/sample-2x --factor 2 --split test",
        )
    )
    data_import.configure(
        _add(
            verbs,
            "import",
            "convert another dataset to a dataset folder",
            "coco downloads/livecell data/livecell --modality phase-contrast",
        )
    )
    data_export.configure(
        _add(
            verbs,
            "export",
            "write label maps in the format of another tool: COCO, Kaggle, QuPath, ImageJ or Cellpose",
            "data/sample sample.json --to coco --split test",
        )
    )
    _configure_subset(
        _add(
            verbs,
            "subset",
            "write the images with certain values in manifest.csv to a new dataset folder",
            "data/sample data/fluorescence --where modality=fluorescence",
        )
    )
    split = _add(
        verbs,
        "split",
        "write a new dataset folder in which only the test split has images of certain sources",
        "data/sample data/unseen --leave-out modality=fluorescence",
    )
    _add_folders(split)
    data_split.configure(split)
    hide = _add(
        verbs,
        "hide-labels",
        "write a new dataset folder in which only a part of the training images has label maps",
        "data/sample data/sample-10 --keep 10%",
    )
    _add_folders(hide)
    data_hide_labels.configure(hide)
    data_leaks.configure(
        _add(
            verbs,
            "leaks",
            "print the test images that are also among the training images",
            "data/sample",
        )
    )


def _add(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str, words: str
) -> argparse.ArgumentParser:
    description = f"{text[0].upper()}{text[1:]}."
    return verbs.add_parser(
        name,
        help=text,
        description=description,
        epilog=example(f"data {name} {words}"),
        formatter_class=HelpFormatter,
    )


def _add_folders(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("root", type=Path, metavar="ROOT", help="the dataset folder; not changed")
    parser.add_argument(
        "out", type=Path, metavar="OUT", help="dataset folder to write: a new or an empty folder"
    )


def _configure_rescale(parser: argparse.ArgumentParser) -> None:
    _add_folders(parser)
    parser.add_argument(
        "--factor",
        type=float,
        required=True,
        metavar="NUMBER",
        help="factor on height and width: 2 doubles them, 0.5 halves them (required)",
    )
    parser.add_argument(
        "--split", choices=SPLITS, help="write this split only (default: all splits of ROOT)"
    )
    parser.set_defaults(function=_rescale)


def _configure_subset(parser: argparse.ArgumentParser) -> None:
    _add_folders(parser)
    parser.add_argument(
        "--where",
        type=condition,
        action="append",
        required=True,
        metavar="COLUMN=VALUE",
        help="column of manifest.csv and its value, in which * stands for any characters, such as "
        '"source=DSB*"; upper and lower case are the same. The option can be given several times; an '
        "image must then have one of the values of each column (required)",
    )
    parser.set_defaults(function=_subset)


def run(arguments: argparse.Namespace) -> int:
    """Run the chosen subcommand and return its exit status."""
    return int(arguments.function(arguments) or 0)


def _sample(arguments: argparse.Namespace) -> None:
    from cellbench.data.sample import make_sample

    make_sample(arguments.root)
    print(f"{arguments.root} contains the sample dataset")


def _rescale(arguments: argparse.Namespace) -> None:
    from cellbench.data.folder import UNLABELED
    from cellbench.data.rescale import rescale_dataset

    splits = [arguments.split] if arguments.split else [*SPLITS, UNLABELED]
    report = rescale_dataset(arguments.root, arguments.out, arguments.factor, splits)
    print(f"wrote {arguments.out}: {report}")


def _download(arguments: argparse.Namespace) -> None:
    from cellbench.data.download import download

    for folder in download(arguments.name, arguments.folder):
        print(f"{folder} is ready for `cellbench data import`")


def _describe(arguments: argparse.Namespace) -> int:
    from cellbench.data.describe import describe, format_description

    table = describe(arguments.root)
    print(format_description(table))
    return int(bool(table.attrs["problems"]))


def _subset(arguments: argparse.Namespace) -> None:
    from cellbench.data.subset import make_subset

    counts = make_subset(arguments.root, arguments.out, by_column(arguments.where))
    images = ", ".join(f"{split}: {count}" for split, count in counts.items())
    print(f"wrote {arguments.out}: {counts.total()} image{'s' * (counts.total() != 1)} ({images})")
