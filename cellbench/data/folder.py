"""The dataset folder: ``ROOT/{train,tune,test}/{images,labels}``, optionally ``manifest.csv``."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cellbench.errors import DatasetError
from cellbench.files import read_rows, write_rows
from cellbench.images import image_files, image_stem
from cellbench.labels import label_files

SPLITS = ("train", "tune", "test")
MODALITIES = ("brightfield", "fluorescence", "phase-contrast", "DIC")
MANIFEST = "manifest.csv"

_COLUMNS = ("image", "split", "modality", "source")
Value = TypeVar("Value")

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

    def check_sizes(self, image: Sequence[int], labels: Sequence[int]) -> None:
        """Compare the shape of the image (H, W, …) with that of its label map (H, W).

        Raises:
            DatasetError: if they differ.
        """
        if tuple(image[:2]) != tuple(labels):
            raise DatasetError(
                f"{self.labels}: is {tuple(labels)}, its image is {tuple(image[:2])}; mend it"
            )


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
    images = image_files(root / split / "images")
    modalities = match_stems(images, read_modalities(root / MANIFEST, split))
    labels_folder = root / split / "labels"
    found = label_files(labels_folder) if labels_folder.is_dir() else {}
    labels = match_stems(images, found)
    return [
        DatasetImage(stem, split, path, labels.get(stem), modalities.get(stem, ""))
        for stem, path in images.items()
    ]


def match_stems(stems: Iterable[str], named: Mapping[str, Value]) -> dict[str, Value]:
    """Find what belongs to each image stem: its file, time, modality or status.

    The challenge's scripts cut names at the first dot (``a.b.png`` gives ``a_label.tiff``): such a
    name counts, on either side, where only one can be meant.

    Example:
        >>> match_stems(["a.b", "c"], {"a": Path("a_label.tiff"), "c": Path("c_label.tiff")})
        {'a.b': PosixPath('a_label.tiff'), 'c': PosixPath('c_label.tiff')}
    """
    stems = list(stems)
    matched = {stem: named[stem] for stem in stems if stem in named}
    open_stems = _by_first_dot(stem for stem in stems if stem not in matched)
    open_names = _by_first_dot(name for name in named if name not in matched)
    for beginning, candidates in open_stems.items():
        names = open_names.get(beginning, [])
        if len(candidates) == len(names) == 1 and beginning in (candidates[0], names[0]):
            matched[candidates[0]] = named[names[0]]
    return {stem: matched[stem] for stem in stems if stem in matched}


def _by_first_dot(names: Iterable[str]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name in names:
        grouped.setdefault(name.split(".")[0], []).append(name)
    return grouped


def read_modalities(manifest: Path, split: str | None = None) -> dict[str, str]:
    """Read the modality of each image from a manifest; empty where there is no manifest.

    A manifest names images by file name or by stem; known modalities are recognised in any case.

    Args:
        manifest: the CSV.
        split: where it is one of :data:`SPLITS`, rows of the other splits are passed over, since
            splits may share stems.

    Returns:
        Modality by stem.

    Raises:
        DatasetError: if the manifest lacks the column ``image`` or is no CSV in UTF-8.
    """
    if not manifest.is_file():
        return {}
    modalities: dict[str, str] = {}
    for row in read_rows(manifest, ["image"], DatasetError):
        if split in SPLITS and (row.get("split") or split) != split:
            continue
        name = (row.get("modality") or "").strip()
        modality = _BY_CASE.get(name.casefold(), name)
        modalities[image_stem(row["image"])] = modality
    return modalities


def write_manifest(root: str | Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write ``ROOT/manifest.csv``: image, split, modality, source, then the rows' other columns."""
    others = dict.fromkeys(key for row in rows for key in row if key not in _COLUMNS)
    write_rows(Path(root) / MANIFEST, [*_COLUMNS, *others], rows)
