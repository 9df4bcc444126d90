"""Create, import, download, describe and export datasets.

A dataset folder contains ROOT/train, ROOT/tune and ROOT/test, each with images/ and labels/. The label map
of image.png is labels/image_label.tiff. ROOT/manifest.csv (optional) lists modality and source of each
image, ROOT/unlabeled/images (optional) contains images without label maps.
"""

import argparse
from pathlib import Path

# The rooms that know these names import more than --help may; a test compares them.
DOWNLOADS = ("neurips22", "dsb2018", "dsb2018-stardist")
IMPORTERS = ("coco", "dsb2018", "folder", "kaggle-rle", "neurips22")
EXPORTERS = ("coco", "kaggle-rle")
SPLITS = ("train", "tune", "test")
MODALITIES = ("brightfield", "fluorescence", "phase-contrast", "DIC")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommands."""
    verbs = parser.add_subparsers(metavar="WHAT", required=True, dest="what")
    parser.epilog = "example: cellbench data sample data/sample"
    sample = _add(verbs, "sample", "write the built-in sample dataset", "data/sample")
    sample.add_argument(
        "root",
        type=Path,
        nargs="?",
        default=Path("data/sample"),
        help="dataset folder to write (default: data/sample)",
    )
    sample.set_defaults(function=_sample)
    download = _add(
        verbs, "download", "download an open dataset and unpack it", "dsb2018-stardist downloads"
    )
    download.add_argument("name", choices=DOWNLOADS, help="the dataset")
    download.add_argument(
        "folder", type=Path, help="folder for the archives and what they contain; import from there"
    )
    download.set_defaults(function=_download)
    describe = _add(
        verbs, "describe", "print images, cells, sizes and problems of a dataset", "data/sample"
    )
    describe.add_argument("root", type=Path, help="the dataset folder")
    describe.set_defaults(function=_describe)
    _configure_import(
        _add(
            verbs,
            "import",
            "convert another dataset to a dataset folder",
            "coco downloads/livecell data/livecell --modality phase-contrast",
        )
    )
    _configure_export(
        _add(
            verbs,
            "export",
            "write label maps as one file of run-length codes",
            "data/sample sample.json --to coco --split test",
        )
    )


def _add(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str, example: str
) -> argparse.ArgumentParser:
    description = f"{text[0].upper()}{text[1:]}."
    epilog = f"example: cellbench data {name} {example}"
    return verbs.add_parser(name, help=text, description=description, epilog=epilog)


def _configure_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("importer", choices=IMPORTERS, help="layout of the other dataset")
    parser.add_argument("source", type=Path, help="folder of the unpacked dataset")
    parser.add_argument("root", type=Path, help="dataset folder to write")
    parser.add_argument(
        "--split",
        choices=SPLITS,
        help="split of all images (default: that of the source, or one by --fractions)",
    )
    parser.add_argument(
        "--fractions",
        default="80/10/10",
        metavar="TRAIN/TUNE/TEST",
        help="shares of the splits for images whose split the source does not decide "
        "(default: 80/10/10)",
    )
    parser.add_argument(
        "--modality",
        choices=MODALITIES,
        default="",
        help="modality of all images (default: unknown)",
    )
    parser.add_argument(
        "--source-name",
        default="",
        metavar="NAME",
        help="value of the column `source` in manifest.csv (default: the importer's name)",
    )
    parser.add_argument(
        "--annotations",
        metavar="FILE",
        help="for coco and kaggle-rle: the annotation file, relative to SOURCE (default: the only "
        "JSON file there, or train.csv)",
    )
    parser.add_argument(
        "--images",
        metavar="FOLDER",
        help="for coco, kaggle-rle and folder: the folder of images, relative to SOURCE (default: "
        "images, or train for kaggle-rle)",
    )
    parser.add_argument(
        "--labels",
        metavar="FOLDER",
        help="for folder: the folder of label maps, relative to SOURCE (default: labels)",
    )
    parser.set_defaults(function=_import)


def _configure_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source",
        type=Path,
        help="a folder of <stem>_label.tiff files, or a dataset folder if --split is given",
    )
    parser.add_argument("out", type=Path, help="the file to write")
    parser.add_argument(
        "--to",
        required=True,
        choices=EXPORTERS,
        help="format: COCO annotations, or a Kaggle table with the columns id and predicted "
        "(required)",
    )
    parser.add_argument("--split", choices=SPLITS, help="split of the dataset folder to export")
    parser.set_defaults(function=_export)


def run(arguments: argparse.Namespace) -> None:
    """Run the chosen subcommand."""
    arguments.function(arguments)


def _sample(arguments: argparse.Namespace) -> None:
    from cellbench.data.sample import make_sample

    make_sample(arguments.root)
    print(arguments.root)


def _import(arguments: argparse.Namespace) -> None:
    from cellbench.data.importers import import_dataset

    own = {name: getattr(arguments, name) for name in ("annotations", "images", "labels")}
    report = import_dataset(
        arguments.importer,
        arguments.source,
        arguments.root,
        split=arguments.split,
        fractions=arguments.fractions,
        modality=arguments.modality,
        source_name=arguments.source_name,
        **{name: value for name, value in own.items() if value is not None},
    )
    print(report)


def _export(arguments: argparse.Namespace) -> None:
    from cellbench.data.exporters import export_labels

    maps = export_labels(arguments.source, arguments.out, arguments.to, arguments.split)
    print(f"{maps} label maps written to {arguments.out}")


def _download(arguments: argparse.Namespace) -> None:
    from cellbench.data.download import download

    for folder in download(arguments.name, arguments.folder):
        print(folder)


def _describe(arguments: argparse.Namespace) -> None:
    from cellbench.data.describe import describe, format_description

    print(format_description(describe(arguments.root)))
