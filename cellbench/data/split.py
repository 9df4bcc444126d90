"""Make a dataset folder in which the test split also has all images of sources that training does not see.

Datasets of several microscopes are usually split at random, so that every source is in the training split
and the test split. What such a test split cannot show is how a model does on a microscope that it has not
seen. Leave-one-source-out splits show this.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from cellbench.csv_tables import read_rows
from cellbench.data.folder import MANIFEST, SPLITS, UNLABELED, DatasetImage
from cellbench.data.new_folder import new_dataset_folder
from cellbench.data.subset import (
    Row,
    check_values,
    has_values,
    listed_images,
    renamed,
    write_images,
)
from cellbench.errors import DatasetError
from cellbench.images import image_stem

DOMAIN = "domain"
"""The column of the manifest that says whether a test image was left out of training."""
IN_SOURCE = "in-source"
"""The value of a test image that was not left out."""
OUT_OF_SOURCE = "out-of-source"
"""The value of a test image that was left out of training."""
ORIGINAL_SPLIT = "original_split"
"""The column of the manifest with the split of the image in the original dataset folder."""

_TRAIN, _, _TEST = SPLITS
_log = logging.getLogger(__name__)


def leave_out(
    root: str | Path, out: str | Path, where: Mapping[str, Sequence[str]]
) -> Counter[tuple[str, str]]:
    """Write a dataset folder whose train and tune splits have no image with certain values.

    The test split has the test images of ``root`` and all labelled images with one of the values,
    whichever split they were in. The column ``domain`` of the manifest says ``in-source`` or
    ``out-of-source`` of each of them. Unlabelled images with one of the values are left out, because a
    model that learns from them would see their source. Images become hard links, or copies on another
    file system. Nothing in ``root`` is changed.

    Args:
        root: the dataset folder; it needs a manifest.
        out: the dataset folder to write: a new or an empty folder. It is never left incomplete.
        where: the values to leave out, by column of the manifest. An image is left out if it has one of the
            values in one of the columns. ``*`` in a value stands for any characters; upper and lower case
            are the same.

    Returns:
        Number of images by split and domain; the domain is empty except in the test split.

    Raises:
        UsageError: if ``where`` is empty, or the manifest has no such column or value.
        DatasetError: if there is no manifest, no labelled image is left out, no training image is left, or
            ``out`` is not empty or in ``root``.
        CellbenchError: if the dataset folder cannot be read.
    """
    root = Path(root)
    with new_dataset_folder(root, out) as temporary:
        listed = listed_images(root)
        check_values(root / MANIFEST, [row for _, row in listed], where)
        chosen = renamed(_split(listed, where), _TEST)
        counts = Counter((row["split"], row[DOMAIN]) for _, row in chosen)
        _check(root / MANIFEST, counts, where)
        write_images(chosen, temporary)
    return counts


def read_unseen(manifest: Path) -> dict[str, bool]:
    """Read which images of the test split are from sources that are not in the training split.

    Args:
        manifest: the manifest that [`leave_out`][] wrote.

    Returns:
        By stem of the image: False for in-source, True for out-of-source.

    Raises:
        DatasetError: if the manifest cannot be read, or the column ``domain`` is missing, has other values
            or contradicts itself.
    """
    rows = read_rows(manifest, ["image"], DatasetError)
    if rows and DOMAIN not in rows[0]:
        raise DatasetError(
            f"{manifest}: the column {DOMAIN!r} is missing; make the dataset with `cellbench data split`"
        )
    domains: dict[str, str] = {}
    for row in rows:
        stem, domain = image_stem(row["image"]), row[DOMAIN].strip()
        if domain and domains.setdefault(stem, domain) != domain:
            raise DatasetError(
                f"{manifest}: {DOMAIN} of the image {stem} is both {domains[stem]!r} and {domain!r}; "
                "keep one of the rows"
            )
    for stem, domain in domains.items():
        if domain not in (IN_SOURCE, OUT_OF_SOURCE):
            raise DatasetError(
                f"{manifest}: {DOMAIN} of the image {stem} cannot be {domain!r}; it has to be {IN_SOURCE}, "
                f"{OUT_OF_SOURCE} or empty"
            )
    return {stem: domain == OUT_OF_SOURCE for stem, domain in domains.items()}


def _split(
    listed: Sequence[tuple[DatasetImage, Row]], where: Mapping[str, Sequence[str]]
) -> list[tuple[DatasetImage, Row]]:
    """Return the images of the new dataset folder, in-source images first, with their new rows."""
    kept, unseen = [], []
    for image, row in listed:
        row = row | {ORIGINAL_SPLIT: image.split}
        if not any(has_values(row, {name: values}) for name, values in where.items()):
            kept.append((image, row | {DOMAIN: IN_SOURCE if image.split == _TEST else ""}))
        elif image.split != UNLABELED:
            unseen.append((image, row | {"split": _TEST, DOMAIN: OUT_OF_SOURCE}))
    return kept + unseen


def _check(
    manifest: Path, counts: Counter[tuple[str, str]], where: Mapping[str, Sequence[str]]
) -> None:
    wanted = " or ".join(f"{name}={value}" for name, values in where.items() for value in values)
    if not counts[_TEST, OUT_OF_SOURCE]:
        raise DatasetError(
            f"{manifest}: only unlabelled images have {wanted}; leave out another value"
        )
    if not counts[_TRAIN, ""]:
        raise DatasetError(f"{manifest}: all training images have {wanted}; leave out fewer values")
    if not counts[_TEST, IN_SOURCE]:
        _log.warning(
            "%s: no test image is left that does not have %s; the test split only has out-of-source images",
            manifest,
            wanted,
        )
