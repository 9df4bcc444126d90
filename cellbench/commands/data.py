"""Datasets: make the built-in sample, import, export, download, describe."""

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommands."""
    verbs = parser.add_subparsers(metavar="WHAT", required=True, dest="what")
    sample = verbs.add_parser("sample", help="make the built-in sample")
    sample.add_argument("root", type=Path, nargs="?", default=Path("data/sample"))
    sample.set_defaults(function=_sample)
    download = verbs.add_parser("download", help="fetch an open dataset and unpack it")
    download.add_argument("name", help="neurips22, dsb2018 or dsb2018-stardist")
    download.add_argument("folder", type=Path)
    download.set_defaults(function=_download)
    describe = verbs.add_parser("describe", help="count images, cells, sizes and modalities")
    describe.add_argument("root", type=Path)
    describe.set_defaults(function=_describe)
    _configure_import(
        verbs.add_parser("import", help="turn a foreign dataset into a dataset folder")
    )
    _configure_export(verbs.add_parser("export", help="label maps as one run-length coded file"))


def _configure_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("importer", help="neurips22, dsb2018, coco, kaggle-rle or folder")
    parser.add_argument("source", type=Path, help="folder of the unpacked dataset")
    parser.add_argument("root", type=Path, help="the dataset folder to write")
    parser.add_argument("--split", help="put every image into train, tune or test")
    parser.add_argument("--fractions", default="80/10/10", help="shares of the splits [80/10/10]")
    parser.add_argument("--modality", default="", help="modality of all images")
    parser.add_argument(
        "--source-name", default="", help="the manifest's source; the importer's name"
    )
    parser.add_argument("--annotations", help="coco, kaggle-rle: the file, from SOURCE")
    parser.add_argument(
        "--images", help="coco, kaggle-rle, folder: the images' folder, from SOURCE"
    )
    parser.add_argument("--labels", help="folder: the label maps' folder, from SOURCE")
    parser.set_defaults(function=_import)


def _configure_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source", type=Path, help="folder of <stem>_label.tiff, or with --split a dataset folder"
    )
    parser.add_argument("out", type=Path, help="the file to write")
    parser.add_argument("--to", required=True, help="kaggle-rle (a table id,predicted) or coco")
    parser.add_argument("--split", help="of a dataset folder: train, tune or test")
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
    print(f"{maps} label maps in {arguments.out}")


def _download(arguments: argparse.Namespace) -> None:
    from cellbench.data.download import download

    for folder in download(arguments.name, arguments.folder):
        print(folder)


def _describe(arguments: argparse.Namespace) -> None:
    from cellbench.data.describe import describe, format_description

    print(format_description(describe(arguments.root)))
