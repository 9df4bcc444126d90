"""The dataset folder: ``ROOT/{train,tune,test}/{images,labels}``, optionally ``manifest.csv``."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cellbench.errors import DatasetError
from cellbench.files import written_whole
from cellbench.images import image_files
from cellbench.labels import label_files

SPLITS = ("train", "tune", "test")
MODALITIES = ("brightfield", "fluorescence", "phase-contrast", "DIC")
MANIFEST = "manifest.csv"

_COLUMNS = ("image", "split", "modality", "source")
_BY_CASE = {name.casefold(): name for name in MODALITIES}


@dataclass(frozen=True)
class DatasetImage:
    """One image of a dataset folder.

    Attributes:
        stem: file name without its last extension.
        split: train, tune or test.
        image: the image file.
        labels: its label map, or None where there is none.
        modality: one of :data:`MODALITIES` or whatever the manifest says; empty where unknown.
    """

    stem: str
    split: str
    image: Path
    labels: Path | None
    modality: str


def read_dataset(root: str | Path, splits: Sequence[str] = SPLITS) -> list[DatasetImage]:
    """List the images of a dataset folder, by split and stem.

    Splits whose folder is absent are passed over, so that a test-only dataset is a dataset.

    Args:
        root: the dataset folder.
        splits: which splits to list.

    Raises:
        CellbenchError: if the folder is absent, holds no images in ``splits``, or has two images (or
            label maps) with one stem; or if the manifest cannot be read.
    """
    root = Path(root)
    if not root.is_dir():
        raise DatasetError(f"{root}: no such dataset folder; see `cellbench data --help`")
    found: list[DatasetImage] = []
    for split in splits:
        if (root / split / "images").is_dir():
            found += _read_split(root, split)
    if not found:
        wanted = " or ".join(f"{split}/images" for split in splits)
        raise DatasetError(f"{root}: no images in {wanted}; `cellbench data import` makes them")
    return found


def _read_split(root: Path, split: str) -> list[DatasetImage]:
    modalities = read_modalities(root / MANIFEST, split)
    images = image_files(root / split / "images")
    labels_folder = root / split / "labels"
    labels = match_stems(images, label_files(labels_folder) if labels_folder.is_dir() else {})
    return [
        DatasetImage(stem, split, path, labels.get(stem), modalities.get(stem, ""))
        for stem, path in images.items()
    ]


def match_stems(stems: Iterable[str], files: Mapping[str, Path]) -> dict[str, Path]:
    """Find the file of each image stem.

    The challenge's scripts cut names at the first dot (``a.b.png`` gives ``a_label.tiff``): such a
    file counts where only one of the images can be meant.

    Example:
        >>> match_stems(["a.b", "c"], {"a": Path("a_label.tiff"), "c": Path("c_label.tiff")})
        {'a.b': PosixPath('a_label.tiff'), 'c': PosixPath('c_label.tiff')}
    """
    stems = list(stems)
    short: dict[str, list[str]] = {}
    for stem in stems:
        short.setdefault(stem.split(".")[0], []).append(stem)
    matched = {stem: files[stem] for stem in stems if stem in files}
    for beginning, candidates in short.items():
        if beginning in files and len(candidates) == 1:
            matched.setdefault(candidates[0], files[beginning])
    return matched


def read_modalities(manifest: Path, split: str | None = None) -> dict[str, str]:
    """Read the modality of each image from a manifest; empty where there is no manifest.

    A manifest names images by file name or by stem; known modalities are recognised in any case.

    Args:
        manifest: the CSV.
        split: where it is one of :data:`SPLITS`, rows of the other splits are passed over, since
            splits may share stems.

    Returns:
        Modality by file name and by stem.

    Raises:
        DatasetError: if the manifest lacks the column ``image`` or is no CSV in UTF-8.
    """
    if not manifest.is_file():
        return {}
    try:
        with manifest.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{manifest}: not a CSV in UTF-8 ({error}); save it as one") from error
    if rows and "image" not in rows[0]:
        raise DatasetError(f"{manifest}: has no column `image`; the header must name it")
    modalities: dict[str, str] = {}
    for row in rows:
        if split in SPLITS and (row.get("split") or split) != split:
            continue
        name = (row.get("modality") or "").strip()
        modality = _BY_CASE.get(name.casefold(), name)
        modalities[row["image"]] = modality
        modalities.setdefault(Path(row["image"]).stem, modality)
    return modalities


def write_manifest(root: str | Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write ``ROOT/manifest.csv``: image, split, modality, source, then the rows' other columns."""
    others = dict.fromkeys(key for row in rows for key in row if key not in _COLUMNS)
    with (
        written_whole(Path(root) / MANIFEST) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, [*_COLUMNS, *others], restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
