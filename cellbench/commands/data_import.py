"""`cellbench data import`: convert another dataset to a dataset folder."""

import argparse
from pathlib import Path

# The rooms that know these names import more than --help may; a test compares them.
IMPORTERS = ("coco", "dsb2018", "folder", "kaggle-rle", "neurips22")
SPLITS = ("train", "tune", "test")
ORDERS = ("rows", "columns")
MODALITIES = ("brightfield", "fluorescence", "phase-contrast", "DIC")

_IN_ONE_FILE = ("coco", "kaggle-rle")
_OWN_OPTIONS = ("annotations", "images", "labels", "categories", "skip_missing", "order")
_DESCRIPTION = """Convert another dataset to a dataset folder.

The importer `folder` pairs images and label maps by their names. The label map of images/a.png is called
a_label, a_labels, a_cp_masks, a_masks, a_mask, a_instances, a_segmentation, a_seg or a, and is a TIFF, PNG,
NPY, NPZ or MAT file in a folder labels or masks, or in the folder of the images. Instead of a label map,
outlines can be drawn: a.geojson of QuPath, a_rois.zip or a.roi of ImageJ. Subfolders become part of the
name (images/B/a.png becomes B_a.png). Folders called train, val (imported as tune) or test decide the
split. Images without a label map are listed
and left out; if a file is damaged, the others are imported and the exit status is 1."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.description = _DESCRIPTION
    parser.add_argument(
        "importer",
        choices=IMPORTERS,
        help="layout of the other dataset: coco: images and COCO annotations; dsb2018: Data Science Bowl "
        "2018; folder: images and label maps (Cellpose, StarDist, Omnipose and others), or outlines of "
        "QuPath (GeoJSON) or ImageJ (ROIs); kaggle-rle: images and a table of run-length codes; "
        "neurips22: the challenge",
    )
    parser.add_argument(
        "source",
        type=Path,
        metavar="SOURCE",
        help="folder of the unpacked dataset; for coco and kaggle-rle, also the annotation file in it",
    )
    parser.add_argument("root", type=Path, metavar="ROOT", help="dataset folder to write")
    parser.add_argument(
        "--split",
        choices=SPLITS,
        help="split of all images (default: the split in the source; where it has none, the images are "
        "divided by --fractions, always in the same way)",
    )
    parser.add_argument(
        "--fractions",
        default="80/10/10",
        metavar="TRAIN/TUNE/TEST",
        help="per cent of the images without a split that go to each split; each split gets an image if "
        "there are three or more, and images that were imported earlier stay in their split (default: "
        "80/10/10)",
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
        help="value of the column `source` in manifest.csv (default: the layout, for example coco)",
    )
    _configure_annotations(parser)
    parser.add_argument(
        "--labels",
        metavar="FOLDER",
        help="for folder: the folder of label maps, relative to SOURCE; it may be that of the images "
        "(default: found by its name, such as labels or masks)",
    )
    parser.add_argument(
        "--split-components",
        action="store_true",
        help="make each connected piece of a cell a cell of its own, for binary masks (default: pieces "
        "with the same id are one cell)",
    )
    parser.set_defaults(function=run)


def _configure_annotations(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--annotations",
        metavar="FILE",
        help="for coco and kaggle-rle: the annotation file, relative to SOURCE (default: for coco, the "
        "only JSON file there, or one for each split, such as train/_annotations.coco.json; for "
        "kaggle-rle, train.csv, or the only CSV file)",
    )
    parser.add_argument(
        "--images",
        metavar="FOLDER",
        help="for coco, kaggle-rle and folder: the folder of images, relative to SOURCE (default: "
        "images, or train for kaggle-rle; folder finds it by its name; for coco, SOURCE itself if there is "
        "no folder images)",
    )
    parser.add_argument(
        "--categories",
        metavar="NAME,…",
        help="for coco: names or ids of the categories to import, separated by commas, for example "
        '"cell" (default: all)',
    )
    parser.add_argument(
        "--skip-missing",
        action="store_true",
        default=None,
        help="for coco and kaggle-rle: leave out images that the annotation file names but that do not "
        "exist; a warning says how many (default: an error)",
    )
    parser.add_argument(
        "--order",
        choices=ORDERS,
        help="for kaggle-rle: direction in which the run-length codes count the pixels (default: columns "
        "if the table has the column EncodedPixels, as in the Data Science Bowl 2018; rows if it has the "
        "column annotation or predicted, as in Sartorius Cell Instance Segmentation)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Convert the dataset and print what was written; images that could not be imported are an error."""
    from cellbench.data.importers import import_dataset
    from cellbench.errors import DatasetError

    if arguments.importer in _IN_ONE_FILE and arguments.source.is_file():
        file, folder = arguments.source, arguments.source.parent
        # COCO's own layout has the folder `annotations` beside those of the images.
        arguments.source = folder.parent if folder.name.lower() == "annotations" else folder
        arguments.annotations = arguments.annotations or str(file.relative_to(arguments.source))
    own = {name: getattr(arguments, name) for name in _OWN_OPTIONS}
    report = import_dataset(
        arguments.importer,
        arguments.source,
        arguments.root,
        split=arguments.split,
        fractions=arguments.fractions,
        modality=arguments.modality,
        source_name=arguments.source_name,
        split_components=arguments.split_components,
        **{name: value for name, value in own.items() if value is not None},
    )
    print(f"wrote {arguments.root}: {report}")
    if report.problems:
        count = len(report.problems)
        raise DatasetError(
            f"{arguments.source}: {count} image{'s' * (count > 1)} could not be imported, as listed above; "
            "correct the files and run the same command again"
        )
