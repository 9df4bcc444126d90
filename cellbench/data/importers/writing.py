"""Write what an importer found as a dataset folder, so that an interrupted import can be continued."""

import filecmp
import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

import numpy as np

from cellbench.data.folder import (
    MANIFEST,
    SPLITS,
    UNLABELED,
    read_manifest_rows,
    read_modalities,
    write_manifest,
)
from cellbench.data.importers.base import TIFF_SUFFIXES, ForeignDataset, SourceImage
from cellbench.errors import DatasetError, LabelMapError
from cellbench.files import remove_partial_files, written_whole
from cellbench.images import image_files, image_shape, image_stem
from cellbench.labels import LabelMap, cell_ids, label_path, read_labels, write_labels
from cellbench.locks import locked_folder

_MOST_SHOWN = 20


@dataclass
class ImportReport:
    """The result of an import; its text is the counts and the first warnings.

    Attributes:
        images: number of images with a label map that are now in the dataset folder.
        cells: number of cells in their label maps.
        unlabeled: number of images in ``unlabeled/images``.
        warnings: images that were skipped and overlaps in drawn label maps; one line each.
    """

    images: int = 0
    cells: int = 0
    unlabeled: int = 0
    warnings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        unlabeled = f", and {self.unlabeled} unlabelled images" if self.unlabeled else ""
        lines = [f"{self.images} images with {self.cells} cells{unlabeled}"]
        lines += self.warnings[:_MOST_SHOWN]
        if (more := len(self.warnings) - _MOST_SHOWN) > 0:
            lines.append(f"… and {more} more warnings")
        return "\n".join(lines)


def place(source: Path, target: Path) -> None:
    """Put a file of the source into the dataset: as a hard link, or as a copy on another file system.

    A hard link needs no space, but editing such a file also edits the source. A target with the same
    content is kept, any other is replaced.

    Args:
        source: the file in the source.
        target: its path in the dataset folder.
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
    """Parse the shares of train, tune and test.

    Args:
        text: three numbers separated by slashes.

    Returns:
        The share of each split.

    Raises:
        DatasetError: if ``text`` is not three numbers of at least 0, or all are 0.

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
    """Return the split of an image, computed from its stem so that it is always the same.

    Args:
        stem: the image's stem.
        fractions: share of each split.
        splits: the splits to choose from.

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
    """Write images, label maps and the manifest to ``root``.

    The label map is written first, so that every image in the folder has one. Files that are already
    complete and rows of the manifest about other images are kept, so the same command continues an import
    that was killed. Another process cannot import into the same folder at the same time.

    Args:
        found: the images of each split.
        foreign: unlabelled images and warnings of the importer.
        root: the dataset folder; it is created.
        columns: values of the manifest's columns ``modality`` and ``source``, for all images.

    Returns:
        Counts and warnings.

    Raises:
        CellbenchError: if two images of a split share a stem, an image is already in another split, or a
            file is unreadable or has another shape than its image, or cannot be written.
    """
    read_modalities(root / MANIFEST)  # fail before any work if the manifest cannot be read
    report = ImportReport(warnings=list(foreign.warnings))
    rows: list[dict[str, object]] = []
    with locked_folder(root, DatasetError):
        _remove_partial_files(root)
        for split, images in found.items():
            _refuse_doubles(images, split, root)
        for split, images in found.items():
            for image in images:
                report.cells += _place_labels(image, root / split, report)
                place(image.image, root / split / "images" / image.image.name)
                rows.append({"image": image.image.name, "split": split, **columns})
        for path in foreign.unlabeled:
            place(path, root / "unlabeled" / "images" / path.name)
        _merge_manifest(root, rows)
    report.images, report.unlabeled = len(rows), len(foreign.unlabeled)
    return report


def _remove_partial_files(root: Path) -> None:
    """Remove what an import that was killed has begun to write."""
    for name in (*SPLITS, UNLABELED):
        for part in ("images", "labels"):
            remove_partial_files(root / name / part)
    remove_partial_files(root)


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
    """Write the label map of one image, and count its cells."""
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
    """Write a label map unless the same one exists: an earlier import may have had another."""
    try:
        same = target.exists() and np.array_equal(read_labels(target), labels)
    except LabelMapError:  # damaged
        same = False
    if not same:
        write_labels(target, labels)


def _checked(labels: LabelMap, shape: tuple[int, int], path: Path, image: Path) -> LabelMap:
    if labels.shape != shape:
        raise DatasetError(
            f"{path}: the label map is {labels.shape}, but {image.name} is {shape}; replace one of the two"
        )
    return labels


def _merge_manifest(root: Path, rows: Sequence[dict[str, object]]) -> None:
    merged: dict[tuple[object, object], dict[str, object]] = {}
    if (root / MANIFEST).exists():
        for old in read_manifest_rows(root / MANIFEST):
            merged[old.get("split", ""), image_stem(old["image"])] = dict(old)
    for row in rows:
        key = row["split"], image_stem(str(row["image"]))
        known = {name: value for name, value in row.items() if value}
        # Values that were added by hand are kept if the source has none.
        by_hand = merged.pop(("", key[1]), {}) | merged.get(key, {})
        merged[key] = row | by_hand | known
    write_manifest(root, list(merged.values()))
