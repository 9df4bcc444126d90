"""Folders of images and of label maps in the source of an import, whatever tool made them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cellbench.data.folder import SPLITS
from cellbench.data.importers.base import visible_folders
from cellbench.data.split_names import SPLIT_WORDS
from cellbench.files import is_junk

# In the order of preference, where a folder contains several of them.
IMAGE_WORDS = (
    "images",
    "image",
    "imgs",
    "img",
    "tissue images",
    "raw",
    "raws",
    "rawimages",
    "inputs",
    "input",
)
LABEL_WORDS = (
    "labels",
    "label",
    "label masks",
    "masks",
    "mask",
    "instances",
    "inst",
    "ground truth",
    "groundtruth",
    "gt",
    "truth",
    "annotations",
    "annotation",
    "segmentations",
    "segmentation",
    "rois",
    "geojson",
)


@dataclass(frozen=True)
class Place:
    """A folder of images and the folder of their label maps.

    Attributes:
        images: the folder of images.
        labels: the folder of label maps; the same if both are in one folder.
    """

    images: Path
    labels: Path

    @property
    def shared(self) -> bool:
        """Whether images and label maps are in one folder."""
        return self.images.samefile(self.labels)


def find_places(source: Path) -> list[Place]:
    """Find the pairs of folders such as ``images`` and ``labels`` or ``train_images`` and ``train_masks``.

    Args:
        source: the folder to search, with its subfolders.

    Returns:
        The pairs; if there is none, the source itself as the folder of both.
    """
    places: list[Place] = []
    for folder in visible_folders(source):
        if not any(folder.is_relative_to(end) for p in places for end in (p.images, p.labels)):
            places += _places_in(folder)
    return places or [Place(source, source)]


def _places_in(folder: Path) -> Iterator[Place]:
    images: dict[str, list[tuple[int, Path]]] = {}
    labels: dict[str, list[tuple[int, Path]]] = {}
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not is_junk(path.name):
            word, split = _parts(path.name)
            for words, found in ((IMAGE_WORDS, images), (LABEL_WORDS, labels)):
                if word in words:
                    found.setdefault(split, []).append((words.index(word), path))
    for split in images.keys() & labels.keys():
        yield Place(min(images[split])[1], min(labels[split])[1])


def _parts(name: str) -> tuple[str, str]:
    """Return the name of a folder without words for a split, and the split (empty if there is none)."""
    words = re.findall(r"[^\W_\d]+|\d+", name.casefold())
    split = next((SPLIT_WORDS[word] for word in words if word in SPLIT_WORDS), "")
    return " ".join(word for word in words if word not in SPLIT_WORDS), split


def named_folder(source: Path, words: tuple[str, ...]) -> Path | None:
    """Return the folder in ``source`` that has the first of some names; None if there is none.

    Args:
        source: the folder to look into.
        words: `IMAGE_WORDS` or `LABEL_WORDS`.
    """
    found = [
        (words.index(_parts(path.name)[0]), path)
        for path in sorted(source.iterdir())
        if path.is_dir() and _parts(path.name)[0] in words
    ]
    return min(found)[1] if found else None


def split_of(parts: tuple[str, ...]) -> str:
    """Return the split that the path of an image stands for; empty if its folders do not say it.

    Args:
        parts: the names of the folders from the source to the image.

    Examples:
        >>> split_of(("plate 3", "Validation", "images"))
        'tune'
    """
    return next((split for split in (_parts(part)[1] for part in parts) if split), "")


def prefix_of(parts: tuple[str, ...]) -> str:
    """Return what distinguishes images of the same name in several folders, for their new names.

    Args:
        parts: the names of the folders from the source to the image; words for a split and for images
            are left out.

    Examples:
        >>> prefix_of(("train", "images", "A", "day 1")), prefix_of(("images",))
        ('A_day 1_', '')
    """
    kept = [part for part in parts if _parts(part)[0] not in ("", *IMAGE_WORDS)]
    return "".join(f"{part}_" for part in kept)


def allowed_splits(split: str, *, with_tune: bool) -> tuple[str, ...]:
    """Return the splits that an image of the source may be put into.

    Args:
        split: the split of the source; empty if it has none.
        with_tune: whether the source has a split for validation; otherwise some training images become it.
    """
    if not split:
        return SPLITS
    return ("train", "tune") if split == "train" and not with_tune else (split,)
