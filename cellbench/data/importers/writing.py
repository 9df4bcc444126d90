"""Turn what an importer found into a dataset folder, file by whole file, so that a second run goes on."""

import csv
import filecmp
import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

import numpy as np

from cellbench.data.folder import MANIFEST, SPLITS, read_modalities, write_manifest
from cellbench.data.importers.base import TIFF_SUFFIXES, ForeignDataset, SourceImage
from cellbench.errors import DatasetError, LabelMapError
from cellbench.files import written_whole
from cellbench.images import image_files, image_shape
from cellbench.labels import LabelMap, cell_ids, label_path, read_labels, write_labels

_MOST_SHOWN = 20


@dataclass
class ImportReport:
    """What an import did; as text, the counts and the first warnings.

    Attributes:
        images: images with truth that are now in the dataset folder.
        cells: cells in their label maps.
        unlabeled: images in ``unlabeled/images``.
        warnings: images passed over, overlaps in drawn label maps; one line each.
    """

    images: int = 0
    cells: int = 0
    unlabeled: int = 0
    warnings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        unlabeled = f", and {self.unlabeled} without truth" if self.unlabeled else ""
        lines = [f"{self.images} images with {self.cells} cells{unlabeled}"]
        lines += self.warnings[:_MOST_SHOWN]
        if (more := len(self.warnings) - _MOST_SHOWN) > 0:
            lines.append(f"… and {more} more warnings")
        return "\n".join(lines)


def place(source: Path, target: Path) -> None:
    """Put a file of the source into the dataset: a hard link on one file system, else a copy.

    A hard link costs no space; editing the placed file in place would edit the source.
    A target with the same content stays, any other is replaced.
    """
    if target.exists() and _same_content(source, target):
        return
    with written_whole(target) as temporary:
        try:
            temporary.hardlink_to(source.resolve())
        except OSError:  # another file system, or one without links
            shutil.copy2(source, temporary)


def _same_content(first: Path, second: Path) -> bool:
    return first.samefile(second) or filecmp.cmp(first, second, shallow=False)


def parse_fractions(text: str) -> dict[str, float]:
    """Read shares of train, tune and test.

    Raises:
        DatasetError: if ``text`` is not three numbers from 0 on, not all 0.

    Example:
        >>> parse_fractions("80/10/10")
        {'train': 80.0, 'tune': 10.0, 'test': 10.0}
    """
    try:
        shares = [float(word) for word in text.split("/")]
    except ValueError:
        shares = []
    if len(shares) != len(SPLITS) or min(shares) < 0 or not 0 < sum(shares) < float("inf"):
        raise DatasetError(
            f"fractions {text!r}: give the shares of train, tune and test, such as 80/10/10"
        )
    return dict(zip(SPLITS, shares, strict=True))


def assign_split(stem: str, fractions: Mapping[str, float], splits: Sequence[str] = SPLITS) -> str:
    """Draw a split for an image from its stem alone, so that it is the same on every machine and run.

    Args:
        stem: the image's stem.
        fractions: share of each split.
        splits: the splits to choose among.

    Example:
        >>> assign_split("a01", {"train": 1, "tune": 0, "test": 0})
        'train'
    """
    limits = list(accumulate(fractions[split] for split in splits))
    draw = int.from_bytes(hashlib.sha256(os.fsencode(stem)).digest()[:8]) / 2**64 * limits[-1]
    return next(
        (split for split, limit in zip(splits, limits, strict=True) if draw < limit), splits[0]
    )


def write_dataset(
    found: Mapping[str, Sequence[SourceImage]],
    foreign: ForeignDataset,
    root: Path,
    columns: Mapping[str, str],
) -> ImportReport:
    """Write images, label maps and the manifest below ``root``.

    The label map goes first, so that an image in the folder always has its truth. Files that are
    finished stay; rows of the manifest about other images stay too.

    Args:
        found: the images of each split.
        foreign: what else the importer found.
        root: the dataset folder; it is made.
        columns: the manifest's ``modality`` and ``source``, the same for all images.

    Raises:
        CellbenchError: if two images of a split share a stem, an image is already in another split, or a
            file is unreadable or has another shape than its image.
    """
    read_modalities(root / MANIFEST)  # a manifest that cannot be kept is better known at once
    for split, images in found.items():
        _refuse_doubles(images, split, root)
    report = ImportReport(warnings=list(foreign.warnings))
    rows: list[dict[str, object]] = []
    for split, images in found.items():
        for image in images:
            report.cells += _place_labels(image, root / split, report)
            place(image.image, root / split / "images" / image.image.name)
            rows.append({"image": image.image.name, "split": split, **columns})
    for path in foreign.unlabeled:
        place(path, root / "unlabeled" / "images" / path.name)
    report.images, report.unlabeled = len(rows), len(foreign.unlabeled)
    _merge_manifest(root, rows)
    return report


def _refuse_doubles(images: Sequence[SourceImage], split: str, root: Path) -> None:
    """Refuse two images of one stem in a split, and one image in two splits."""
    folders = {other: root / other / "images" for other in SPLITS}
    present = {other: image_files(path) for other, path in folders.items() if path.is_dir()}
    seen: dict[str, Path] = {}
    for path in (image.image for image in images):
        if path.stem in seen:
            raise DatasetError(
                f"{path}: has the same stem as {seen[path.stem]}; rename one of them"
            )
        seen[path.stem] = path
        for other, files in present.items():
            twin = files.get(path.stem, path)
            same = twin.name == path.name and _same_content(path, twin)
            if twin is not path and same != (other == split):
                what = "is already" if same else "another image of this stem is"
                raise DatasetError(
                    f"{path}: {what} in {folders[other]}; remove it there or import into a new folder"
                )


def _place_labels(image: SourceImage, folder: Path, report: ImportReport) -> int:
    """Bring the label map of one image, and count its cells."""
    target = label_path(folder / "labels", image.image.stem)
    shape = image_shape(image.image)
    if isinstance(image.labels, Path):
        labels = _checked(read_labels(image.labels), shape, image.labels, image.image)
    else:
        drawing = image.labels(shape)
        labels = drawing.labels
        report.warnings += [f"{image.image}: {warning}" for warning in drawing.warnings]
    if isinstance(image.labels, Path) and image.labels.suffix.lower() in TIFF_SUFFIXES:
        place(image.labels, target)
    else:
        _write_changed(target, labels)
    return len(cell_ids(labels))


def _write_changed(target: Path, labels: LabelMap) -> None:
    """Write a label map unless it is there: a file of another time may be of another truth."""
    try:
        same = target.exists() and np.array_equal(read_labels(target), labels)
    except LabelMapError:  # damaged
        same = False
    if not same:
        write_labels(target, labels)


def _checked(labels: LabelMap, shape: tuple[int, int], path: Path, image: Path) -> LabelMap:
    if labels.shape != shape:
        raise DatasetError(f"{path}: is {labels.shape}, {image.name} is {shape}; give its own map")
    return labels


def _merge_manifest(root: Path, rows: Sequence[dict[str, object]]) -> None:
    merged: dict[tuple[object, object], dict[str, object]] = {}
    if (root / MANIFEST).exists():
        with (root / MANIFEST).open(newline="", encoding="utf-8-sig") as file:
            for old in csv.DictReader(file):
                merged[old.get("split"), old.get("image")] = {
                    column: value for column, value in old.items() if column is not None
                }
    for row in rows:
        key = row["split"], row["image"]
        told = {name: value for name, value in row.items() if value}
        # Where the source says nothing, what was added by hand stays.
        merged[key] = row | merged.get(key, {}) | told
    write_manifest(root, list(merged.values()))
