"""A dataset folder in which unlabelled images have become training images with label maps of a model."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from cellbench.data.folder import SPLITS, UNLABELED, DatasetImage, read_dataset
from cellbench.data.rewritten import manifest_rows
from cellbench.data.split import ORIGINAL_SPLIT
from cellbench.data.subset import Row, renamed, write_images
from cellbench.errors import DatasetError

LABELS = "labels"
"""The column of the manifest that says where a label map comes from."""
GIVEN = "given"
"""The value for label maps of the original dataset folder."""
PSEUDO = "pseudo"
"""The value for label maps of a model."""

_TRAIN = SPLITS[0]


class PseudoLabels(NamedTuple):
    """What a model says about an image without a label map.

    Attributes:
        labels: the file of the label map.
        confidence: the file that says how sure each pixel is.
    """

    labels: Path
    confidence: Path


def unlabelled_images(root: Path) -> list[DatasetImage]:
    """Return the images in ``unlabeled/images`` of a dataset folder.

    Args:
        root: the dataset folder.

    Raises:
        DatasetError: if there are none.
        CellbenchError: if the dataset folder cannot be read.
    """
    images = [each for each in read_dataset(root, (*SPLITS, UNLABELED)) if each.split == UNLABELED]
    if not images:
        raise DatasetError(
            f"{root}: no images in {UNLABELED}/images; add unlabelled images there, or hide the labels of "
            "training images with `cellbench data hide-labels`"
        )
    return images


def write_pseudo_labelled(
    root: Path, folder: Path, found: Mapping[str, PseudoLabels]
) -> Counter[str]:
    """Write a dataset folder with all images of another one, some of which have pseudo-labels.

    These images move from ``unlabeled`` to ``train``. The column ``labels`` of the manifest says ``given``
    or ``pseudo``, and is empty where there is no label map. Files become hard links, or copies on another
    file system.

    Args:
        root: the dataset folder; its manifest is optional.
        folder: the dataset folder to write; it exists and is empty.
        found: pseudo-labels by stem of the image in ``unlabeled``.

    Returns:
        Number of images in each split.

    Raises:
        CellbenchError: if ``root`` cannot be read or a file cannot be written.
    """
    images = read_dataset(root, (*SPLITS, UNLABELED))
    rows = dict(manifest_rows(root, {image.split for image in images}))
    chosen = [_placed(image, rows.get((image.split, image.stem), {}), found) for image in images]
    write_images(renamed(chosen, _TRAIN), folder)
    counts = Counter(row["split"] for _, row in chosen)
    return Counter({split: counts[split] for split in (*SPLITS, UNLABELED) if counts[split]})


def _placed(
    image: DatasetImage, row: Row, found: Mapping[str, PseudoLabels]
) -> tuple[DatasetImage, Row]:
    """Return an image as it is in the new dataset folder, and its row there."""
    known = {"modality": image.modality, "source": image.source}
    row = known | row | {"image": image.image.name, "split": image.split}
    if image.split == UNLABELED and image.stem in found:
        moved = replace(
            image, labels=found[image.stem].labels, confidence=found[image.stem].confidence
        )
        return moved, row | {"split": _TRAIN, LABELS: PSEUDO, ORIGINAL_SPLIT: image.split}
    origin = "" if image.labels is None else PSEUDO if image.confidence else GIVEN
    return image, row | {LABELS: origin, ORIGINAL_SPLIT: image.split}
