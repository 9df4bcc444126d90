"""Check the folders of a dataset: its splits, and files in them that nothing uses."""

from collections.abc import Sequence
from pathlib import Path

from cellbench.data.folder import LABEL_FOLDERS, SPLITS, DatasetImage, labels_folder
from cellbench.data.label_pairs import (
    label_map_files,
    missing_labels,
    pair_labels,
    visible_files,
)
from cellbench.data.split_names import misnamed_splits, split_folders
from cellbench.images import image_files
from cellbench.labels.names import SUFFIXES

_PARTNERS = {"train": "tune", "tune": "train"}


def split_problems(root: Path) -> list[str]:
    """Find folders that are not called as their split is, splits without images, and unread label maps.

    A dataset that has only a test split is complete. One that has a train split needs a tune split.

    Args:
        root: the dataset folder, which exists.

    Returns:
        One line for each problem: what is wrong and what to do.
    """
    problems = misnamed_splits(root)
    misnamed = set(split_folders(root).values())
    counts = {split: _count(root / split / "images") for split in SPLITS}
    for split, count in counts.items():
        folder = root / split
        if count:
            problems += _second_labels(folder)
        elif folder.is_dir():
            problems.append(f"{folder}: no images in {split}/images; add some or remove the folder")
        elif split not in misnamed and counts.get(_PARTNERS.get(split, "")):
            problems.append(
                f"{folder}: is missing, and training needs it; move some images and label maps there"
            )
    return problems


def _count(folder: Path) -> int:
    return len(image_files(folder)) if folder.is_dir() else 0


def _second_labels(folder: Path) -> list[str]:
    """Return a line if a split has both ``labels`` and ``masks``."""
    first, second = (folder / name for name in LABEL_FOLDERS)
    if not (first.is_dir() and second.is_dir() and visible_files(second)):
        return []
    return [f"{second}: is not read, because {first.name} is; keep only one of the two folders"]


def unused_labels(root: Path, split: str, images: Sequence[DatasetImage]) -> list[Path]:
    """Find label maps that belong to no image.

    Args:
        root: the dataset folder.
        split: train, tune or test.
        images: the images of the dataset.

    Returns:
        The files, sorted.
    """
    folder = labels_folder(root, split)
    stems = [image.stem for image in images if image.split == split]
    return pair_labels(stems, label_map_files(folder)).unused if folder else []


def missing_label_problem(image: DatasetImage, unused: Sequence[Path]) -> str:
    """Return one line about an image without a label map: what was wanted, and what was found.

    Args:
        image: the image.
        unused: the result of [`unused_labels`][] for its split.
    """
    folder = labels_folder(image.root, image.split)
    files = visible_files(folder) if folder else []
    found = {p.name: p for p in files if p in unused or p.suffix.lower() not in SUFFIXES}
    return missing_labels(image.image, image.stem, folder, found)
