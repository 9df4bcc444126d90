"""The NeurIPS 2022 cell segmentation challenge as published on Zenodo (record 10719375)."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from cellbench.data.importers.base import ForeignDataset, visible_folders
from cellbench.data.label_pairs import label_map_files
from cellbench.errors import DatasetError
from cellbench.images import image_files

_PARTS = {
    "traininglabeled": "train",
    "trainlabeled": "train",
    "tuning": "tune",
    "testing": "test",
    "trainunlabeledpart1": "unlabeled",
    "trainunlabeledpart2": "unlabeled",
    "trainunlabeled": "unlabeled",
    "releasepart1": "unlabeled",
}
_IMAGES = ("images", "wsi")
_LABELS = ("labels", "wsilabels")


def read_neurips22(source: Path) -> ForeignDataset:
    """Read the challenge's unpacked archives, all or some of them.

    Training-labeled goes to train, Tuning to tune, Testing/Public with its whole slides to test,
    train-unlabeled-part1 and 2 to unlabeled. Folders are found at any depth (the archives unpack
    as ``X/X/images``); upper and lower case, hyphens and underscores do not matter. Only folders
    called images, labels, WSI and WSI-labels are read: ``osilab_seg`` contains the winner's
    predictions, not the truth. The truth of Testing/Hidden is not public: its images are skipped.

    Args:
        source: the folder that contains the unpacked archives.

    Raises:
        CellbenchError: if two images of one part share a stem.
    """
    foreign = ForeignDataset()
    images: dict[str, dict[str, Path]] = {"train": {}, "tune": {}, "test": {}, "unlabeled": {}}
    labels: dict[str, list[Path]] = {part: [] for part in images}
    for part, kind, folder in _folders(source):
        if kind == "hidden":
            foreign.warnings.append(f"{folder}: the truth is not public, not imported")
        elif kind in _LABELS:
            labels[part] += label_map_files(folder)
        else:
            _add(images[part], image_files(folder))
    foreign.unlabeled = list(images.pop("unlabeled").values())
    for split, found in images.items():
        foreign.add_pairs(found, labels[split], (split,))
    return foreign


def _folders(source: Path) -> Iterator[tuple[str, str, Path]]:
    """Yield the part, the kind and the path of every folder that is read."""
    for folder in visible_folders(source):
        names = [re.sub("[^a-z0-9]", "", n.lower()) for n in folder.relative_to(source).parts]
        part = next((_PARTS[name] for name in names if name in _PARTS), None)
        if part is None:
            continue
        if names[-1] in _IMAGES and "hidden" in names:
            yield part, "hidden", folder
        elif part == "unlabeled" or (names[-1] in _IMAGES + _LABELS and "hidden" not in names):
            yield part, names[-1], folder


def _add(files: dict[str, Path], more: Mapping[str, Path]) -> None:
    for stem, path in more.items():
        if stem in files:
            raise DatasetError(f"{path}: has the same stem as {files[stem]}; remove one of them")
        files[stem] = path
