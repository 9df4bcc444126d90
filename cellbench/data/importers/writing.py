"""Write what an importer found as a dataset folder, so that an interrupted import can be continued."""

import filecmp
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
from cellbench.data.importers.base import ForeignDataset, SourceImage
from cellbench.errors import CellbenchError, DatasetError, ImageError, LabelMapError
from cellbench.files import remove_partial_files, written_whole
from cellbench.images import image_files, image_shape, image_stem
from cellbench.labels import LabelMap, cell_ids, label_path, read_labels, write_labels
from cellbench.labels.pieces import pieces_of_one_id
from cellbench.labels.pieces import split_components as split_into_components
from cellbench.locks import locked_folder

_MOST_SHOWN = 20
_TIFF_SUFFIXES = (".tif", ".tiff")


@dataclass
class ImportReport:
    """The result of an import; its text is the counts and the first warnings.

    Attributes:
        images: number of images with a label map that are now in the dataset folder.
        cells: number of cells in their label maps.
        unlabeled: number of images in ``unlabeled/images``.
        warnings: images that were skipped and overlaps in drawn label maps; one line each.
        problems: images that could not be imported, and what to do; one line each.
        splits: number of images in each split.
    """

    images: int = 0
    cells: int = 0
    unlabeled: int = 0
    warnings: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    splits: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        unlabeled = f", and {self.unlabeled} unlabelled images" if self.unlabeled else ""
        splits = ", ".join(f"{split} {count}" for split, count in self.splits.items() if count)
        counts = f" ({splits})" if splits else ""
        images = "1 image" if self.images == 1 else f"{self.images} images"
        cells = "1 cell" if self.cells == 1 else f"{self.cells} cells"
        lines = [f"{images} with {cells}{counts}{unlabeled}"]
        lines += self.problems
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


def write_dataset(
    found: Mapping[str, Sequence[SourceImage]],
    foreign: ForeignDataset,
    root: Path,
    columns: Mapping[str, str],
    *,
    split_components: bool = False,
) -> ImportReport:
    """Write images, label maps and the manifest to ``root``.

    The label map is written first, so that every image in the folder has one. Files that are already
    complete and rows of the manifest about other images are kept, so the same command continues an import
    that was killed. Another process cannot import into the same folder at the same time. An image that
    cannot be imported, because it or its label map is damaged, does not stop the others.

    Args:
        found: the images of each split.
        foreign: unlabelled images, warnings and problems of the importer.
        root: the dataset folder; it is created.
        columns: values of the manifest's columns ``modality`` and ``source``, for all images.
        split_components: whether each connected piece of a cell becomes a cell of its own.

    Returns:
        Counts, warnings and problems.

    Raises:
        CellbenchError: if two images of a split share a stem, an image is already in another split, a
            file cannot be written, or no image at all can be imported.
    """
    read_modalities(root / MANIFEST)  # fail before any work if the manifest cannot be read
    report = ImportReport(warnings=list(foreign.warnings), problems=list(foreign.problems))
    report.splits = dict.fromkeys(SPLITS, 0)
    rows: list[dict[str, object]] = []
    errors: list[CellbenchError] = []
    with locked_folder(root, DatasetError):
        _remove_partial_files(root)
        for split, images in found.items():
            _refuse_doubles(images, split, root)
        for split in sorted(found, key=SPLITS.index):
            for image in found[split]:
                try:
                    report.cells += _place_labels(image, root / split, report, split_components)
                    place(image.image, root / split / "images" / image.new_name)
                except (ImageError, LabelMapError, DatasetError) as error:
                    errors.append(error)
                    continue
                report.splits[split] += 1
                rows.append({"image": image.new_name, "split": split, **columns})
        if errors and not rows:
            raise errors[0]
        report.problems += map(str, errors)
        for path in foreign.unlabeled:
            place(path, root / "unlabeled" / "images" / path.name)
        _merge_manifest(root, rows)
    report.images, report.unlabeled = len(rows), len(foreign.unlabeled)
    return report


def earlier_splits(root: Path, images: Sequence[SourceImage]) -> dict[Path, str]:
    """Return the splits in which images of a source already are.

    Args:
        root: the dataset folder; need not exist.
        images: the images of the source.

    Returns:
        Split by the path of the image, for images of which the same file is in ``root``.
    """
    folders = {split: root / split / "images" for split in SPLITS}
    present = {split: image_files(path) for split, path in folders.items() if path.is_dir()}
    return {
        image.image: split
        for split, files in present.items()
        for image in images
        if (twin := files.get(image.stem)) and _same_content(image.image, twin)
    }


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
    for image in images:
        path = image.image
        if image.stem in seen:
            raise DatasetError(
                f"{path}: has the same stem as {seen[image.stem]}; rename one of them"
            )
        seen[image.stem] = path
        for other, files in present.items():
            twin = files.get(image.stem, path)
            same = twin.name == image.new_name and _same_content(path, twin)
            if twin is not path and same != (other == split):
                what = "is already" if same else "another image of this stem is"
                raise DatasetError(
                    f"{path}: {what} in {folders[other]}; remove it there or import into a new folder"
                )


def _place_labels(
    image: SourceImage, folder: Path, report: ImportReport, split_components: bool
) -> int:
    """Write the label map of one image, and count its cells."""
    target = label_path(folder / "labels", image.stem)
    shape = image_shape(image.image)
    if isinstance(image.labels, Path):
        labels = _checked(read_labels(image.labels), shape, image.labels, image.image)
    else:
        drawing = image.labels(shape)
        labels = drawing.labels
        report.warnings += [f"{image.image}: {warning}" for warning in drawing.warnings]
    if split_components:
        _write_changed(target, labels := split_into_components(labels))
    elif isinstance(image.labels, Path) and image.labels.suffix.lower() in _TIFF_SUFFIXES:
        place(image.labels, target)
    else:
        _write_changed(target, labels)
    if (pieces := pieces_of_one_id(labels)) > 1:
        path = image.labels if isinstance(image.labels, Path) else image.image
        report.warnings.append(
            f"{path}: one id in {pieces} pieces; if it is a binary mask, import it with --split-components"
        )
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
