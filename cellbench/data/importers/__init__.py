"""Importers: convert other datasets to dataset folders, with one reader per layout and one writer."""

import inspect
from collections.abc import Callable
from pathlib import Path

from cellbench.data.folder import MODALITIES, SPLITS
from cellbench.data.importers.base import ForeignDataset, SourceImage
from cellbench.data.importers.coco import read_coco
from cellbench.data.importers.dsb2018 import read_dsb2018
from cellbench.data.importers.folder import read_folder
from cellbench.data.importers.kaggle_rle import read_kaggle_rle
from cellbench.data.importers.neurips22 import read_neurips22
from cellbench.data.importers.splits import assign_splits, parse_fractions
from cellbench.data.importers.writing import ImportReport, earlier_splits, write_dataset
from cellbench.errors import DatasetError, UsageError

__all__ = ["IMPORTERS", "ImportReport", "import_dataset"]

IMPORTERS: dict[str, Callable[..., ForeignDataset]] = {
    "coco": read_coco,
    "dsb2018": read_dsb2018,
    "folder": read_folder,
    "kaggle-rle": read_kaggle_rle,
    "neurips22": read_neurips22,
}
"""The reader of each layout: a function of the source folder and options of its own."""


def import_dataset(
    name: str,
    source: str | Path,
    root: str | Path,
    *,
    split: str | None = None,
    fractions: str = "80/10/10",
    modality: str = "",
    source_name: str = "",
    split_components: bool = False,
    **options: str | bool,
) -> ImportReport:
    """Convert another dataset to a dataset folder; an interrupted import continues when run again.

    Images, and label maps that already are TIFF files, become hard links if the file system allows.

    Args:
        name: one of [`IMPORTERS`][].
        source: the folder of the other dataset; nothing in it is changed.
        root: the dataset folder to write.
        split: the split of all images; unless given, that of the source, or one drawn at random.
        fractions: shares of train, tune and test for images without a split in the source. The split
            is computed from the stems, so it is always the same; images that are already in ``root`` stay
            in their split.
        modality: modality of all images; empty if unknown or mixed.
        source_name: value of the manifest's column ``source``; the importer's name unless given.
        split_components: whether each connected piece of a cell becomes a cell of its own, as binary masks
            need it.
        **options: options of the importer itself, such as ``annotations`` and ``images``.

    Returns:
        Counts, and warnings to show to the user.

    Raises:
        CellbenchError: if a name or option is unknown, or the source does not have the expected layout.
    """
    if name not in IMPORTERS:
        raise DatasetError(f"{name}: no such importer; choose one of {', '.join(IMPORTERS)}")
    if split not in (None, *SPLITS):
        raise DatasetError(f"split {split!r}: choose one of {', '.join(SPLITS)}")
    if modality not in ("", *MODALITIES):
        raise DatasetError(f"modality {modality!r}: choose one of {', '.join(MODALITIES)}")
    shares = parse_fractions(fractions)
    if Path(root).resolve() == Path(source).resolve():
        raise DatasetError(f"{root}: is the source itself; choose another folder for the dataset")
    foreign = _read(name, Path(source), options)
    chosen = _splits_of(foreign.images, split, shares, Path(root))
    found: dict[str, list[SourceImage]] = {}
    for image, one in zip(foreign.images, chosen, strict=True):
        found.setdefault(one, []).append(image)
    columns = {"modality": modality, "source": source_name or name}
    report = write_dataset(found, foreign, Path(root), columns, split_components=split_components)
    if split is None:
        report.warnings += _empty_splits(Path(root))
    return report


def _splits_of(
    images: list[SourceImage], split: str | None, shares: dict[str, float], root: Path
) -> list[str]:
    """Return the split of each image."""
    if split is not None:
        return [_checked_split(image, split) for image in images]
    return assign_splits(images, shares, earlier_splits(root, images))


def _empty_splits(root: Path) -> list[str]:
    """Return a warning if the dataset folder cannot be trained on as it is."""
    present = [split for split in SPLITS if (root / split / "images").is_dir()]
    empty = [split for split in ("train", "tune") if split not in present]
    if not empty:
        return []
    return [
        f"{root}: no images in {' and '.join(empty)}; training needs images in train and in tune "
        "(--fractions and --split choose the split)"
    ]


def _read(name: str, source: Path, options: dict[str, str | bool]) -> ForeignDataset:
    if not source.is_dir():
        what = "is not a folder" if source.exists() else "no such file or folder"
        raise DatasetError(f"{source}: {what}; name the folder of the unpacked dataset")
    known = list(inspect.signature(IMPORTERS[name]).parameters)[1:]
    for option in options:
        if option not in known:
            takes = ", ".join(map(_option, known)) or "no options of its own"
            raise UsageError(
                f"{_option(option)}: not an option of the importer {name}, which has {takes}"
            )
    foreign = IMPORTERS[name](source, **options)
    if not foreign.images and not foreign.unlabeled:
        reasons = [*foreign.problems, *foreign.warnings]
        why = f" ({reasons[0]})" if reasons else ""
        raise DatasetError(
            f"{source}: no images with label maps in the layout of {name}{why}; check the importer, or "
            "name the folder above"
        )
    return foreign


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _checked_split(image: SourceImage, split: str) -> str:
    if split not in image.splits:
        allowed = " or ".join(image.splits)
        raise DatasetError(f"{image.image}: the source puts it into {allowed}; leave --split out")
    return split
