"""Make a dataset folder in which only a part of the training images has label maps.

With it one can measure how many labels a method needs. The images whose labels are hidden become unlabelled
images, from which methods can learn that use those.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from cellbench.data.folder import SPLITS, UNLABELED, DatasetImage
from cellbench.data.new_folder import new_dataset_folder
from cellbench.data.split import ORIGINAL_SPLIT
from cellbench.data.subset import Row, listed_images, renamed, write_images
from cellbench.errors import DatasetError, UsageError

_TRAIN = SPLITS[0]


def hide_labels(root: str | Path, out: str | Path, keep: float, seed: int = 2022) -> Counter[str]:
    """Write a dataset folder in which a part of the training images has label maps.

    The other training images are in ``unlabeled/images``, without label maps. All other splits are those of
    ``root``. See [`labelled_part`][] for the choice. Images become hard links, or copies on another file
    system. The column ``original_split`` of the manifest says where each image was.

    Args:
        root: the dataset folder; it needs a manifest.
        out: the dataset folder to write: a new or an empty folder. It is never left incomplete.
        keep: part of the training images of each source whose label maps are kept, above 0, at most 1.
        seed: another number chooses other images.

    Returns:
        Number of images in each split.

    Raises:
        UsageError: if ``keep`` is not above 0 and at most 1.
        DatasetError: if there is no manifest, no training image has a label map, or ``out`` is not empty or
            in ``root``.
        CellbenchError: if the dataset folder cannot be read.
    """
    root = Path(root)
    if not 0 < keep <= 1:
        raise UsageError(f"keep {keep:g}: must be above 0 and at most 1 (100%)")
    with new_dataset_folder(root, out) as temporary:
        listed = listed_images(root)
        train = [image for image, _ in listed if image.split == _TRAIN and image.labels is not None]
        if not train:
            raise DatasetError(f"{root}: no training image in the manifest has a label map")
        kept = labelled_part(train, keep, seed)
        chosen = renamed([_row(image, row, kept) for image, row in listed], UNLABELED)
        write_images(chosen, temporary)
    counts = Counter(row["split"] for _, row in chosen)
    return Counter({split: counts[split] for split in (*SPLITS, UNLABELED) if counts[split]})


def labelled_part(images: Iterable[DatasetImage], keep: float, seed: int) -> set[DatasetImage]:
    """Choose images whose label maps are kept: a part of each group, at least one image.

    A group has the images of one source and modality. The order of the images in a group depends only on
    the seed and the stems, and its first images are chosen. So a smaller part is always in a larger one,
    and the choice is the same on every machine.

    Args:
        images: the images to choose from.
        keep: part of each group, above 0, at most 1; numbers of images are rounded.
        seed: another number gives another order.
    """
    groups: dict[tuple[str, str], list[DatasetImage]] = {}
    for image in images:
        groups.setdefault((image.source, image.modality), []).append(image)
    return {
        image
        for group in groups.values()
        for image in sorted(group, key=lambda each: _order(each.stem, seed))[: _count(group, keep)]
    }


def _count(group: Sequence[DatasetImage], keep: float) -> int:
    return max(1, int(keep * len(group) + 0.5))  # round() would round 2.5 down and 3.5 up


def _order(stem: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}/{stem}".encode()).hexdigest()


def _row(image: DatasetImage, row: Row, kept: set[DatasetImage]) -> tuple[DatasetImage, Row]:
    """Return an image as it is in the new dataset folder, and its row there."""
    row = row | {ORIGINAL_SPLIT: image.split}
    if image.split != _TRAIN or image in kept:
        return image, row
    return replace(image, labels=None, confidence=None), row | {"split": UNLABELED}
