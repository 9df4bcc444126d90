"""Make a dataset folder of those images of another one that have certain values in the manifest."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from cellbench.data.confidence import confidence_path
from cellbench.data.folder import (
    MANIFEST,
    SPLITS,
    UNLABELED,
    DatasetImage,
    read_dataset,
    read_manifest_rows,
    write_manifest,
)
from cellbench.data.importers.writing import place
from cellbench.data.new_folder import new_dataset_folder
from cellbench.errors import DatasetError, UsageError
from cellbench.images import image_stem
from cellbench.labels.names import match_stems

Row = dict[str, str]

_MOST_SHOWN = 12
_log = logging.getLogger(__name__)


def make_subset(
    root: str | Path, out: str | Path, where: Mapping[str, Sequence[str]]
) -> Counter[str]:
    """Write the images whose rows in the manifest have certain values to a new dataset folder.

    Images and label maps become hard links, or copies on another file system. The manifest has the rows
    of these images with all columns. Nothing in ``root`` is changed.

    Args:
        root: the dataset folder; it needs a manifest.
        out: the dataset folder to write: a new or an empty folder. It is never left incomplete.
        where: the accepted values of columns of the manifest. An image must have one of the values in
            each column. ``*`` in a value stands for any characters; upper and lower case are the same.

    Returns:
        Number of images in each split.

    Raises:
        UsageError: if ``where`` is empty, or the manifest has no such column or value.
        DatasetError: if there is no manifest, no image has the values of all columns, or ``out`` is not
            empty or in ``root``.
        CellbenchError: if the dataset folder cannot be read.
    """
    root = Path(root)
    with new_dataset_folder(root, out) as temporary:
        listed = listed_images(root)
        check_values(root / MANIFEST, [row for _, row in listed], where)
        chosen = [(image, row) for image, row in listed if has_values(row, where)]
        if not chosen:
            wanted = " and ".join(f"{name}={' or '.join(each)}" for name, each in where.items())
            raise DatasetError(
                f"{root / MANIFEST}: no image has {wanted}; change one of the conditions"
            )
        write_images(chosen, temporary)
    return Counter(image.split for image, _ in chosen)


def listed_images(root: Path) -> list[tuple[DatasetImage, Row]]:
    """Return the images of a dataset folder that its manifest lists, each with its row.

    The log says how many images the manifest does not list.

    Args:
        root: the dataset folder.

    Returns:
        Image and row, by split and stem; the row has the image's file name and its split.

    Raises:
        DatasetError: if there is no manifest, or it lists none of the images.
        CellbenchError: if the dataset folder or the manifest cannot be read.
    """
    images = read_dataset(root, (*SPLITS, UNLABELED))
    manifest = root / MANIFEST
    if not manifest.is_file():
        raise DatasetError(
            f"{manifest}: does not exist; write one with the columns image and source"
        )
    rows = read_manifest_rows(manifest)
    found: list[tuple[DatasetImage, Row]] = []
    for split in dict.fromkeys(image.split for image in images):
        members = {image.stem: image for image in images if image.split == split}
        named = {
            image_stem(row["image"]): row for row in rows if (row.get("split") or split) == split
        }
        found += [
            (members[stem], row | {"image": members[stem].image.name, "split": split})
            for stem, row in match_stems(members, named).items()
        ]
    if not found:
        raise DatasetError(
            f"{manifest}: lists none of the images of {root}; correct its file names and splits"
        )
    if len(found) < len(images):
        _log.warning(
            "%s does not list %d of %d images; they are left out",
            manifest,
            len(images) - len(found),
            len(images),
        )
    return found


def has_values(row: Mapping[str, str], where: Mapping[str, Sequence[str]]) -> bool:
    """Return whether a row of a manifest has one of the accepted values in each column.

    Args:
        row: value by column.
        where: accepted values by column, see [`make_subset`][].

    Examples:
        >>> has_values({"source": "DSB 2018, rest"}, {"source": ["lab", "dsb*"]})
        True
    """
    return all(any(_fits(row[name], value) for value in values) for name, values in where.items())


def _fits(value: str, wanted: str) -> bool:
    value, wanted = value.strip().casefold(), wanted.strip().casefold()
    return value == wanted or fnmatchcase(value, wanted.replace("[", "[[]").replace("?", "[?]"))


def check_values(
    manifest: Path, rows: Sequence[Mapping[str, str]], where: Mapping[str, Sequence[str]]
) -> None:
    """Check that a manifest has the columns and the values that somebody asks for.

    Args:
        manifest: the file, for the error message.
        rows: its rows, at least one.
        where: accepted values by column, see [`make_subset`][].

    Raises:
        UsageError: if ``where`` is empty, or a column or value does not exist; the message lists those
            that exist.
    """
    if not where:
        raise UsageError("where: name a column and a value, such as source=dsb")
    columns = list(rows[0])
    for name, values in where.items():
        if name not in columns:
            raise UsageError(
                f"{manifest}: has no column {name!r}; choose one of {', '.join(columns)}"
            )
        present = sorted({row[name].strip() for row in rows})
        for wanted in values:
            if not any(_fits(value, wanted) for value in present):
                raise UsageError(
                    f"{manifest}: no image has {name}={wanted}; its values are {_listed(present)}"
                )


def _listed(values: Sequence[str]) -> str:
    quoted = [f"'{value}'" for value in values[:_MOST_SHOWN]]
    more = len(values) - _MOST_SHOWN
    return "; ".join(quoted) + (f"; and {more} more" if more > 0 else "")


def renamed(
    chosen: Sequence[tuple[DatasetImage, Row]], split: str
) -> list[tuple[DatasetImage, Row]]:
    """Put the original split before the name of each image that moves to where its name is taken.

    Args:
        chosen: as in [`write_images`][].
        split: the split to which images move.

    Returns:
        The same images, in the same order; no two of them have one stem in the split.
    """
    stems = Counter(image.stem for image, row in chosen if row["split"] == split)
    found = []
    for image, row in chosen:
        name = row["image"]
        if row["split"] == split != image.split and stems[image.stem] > 1:
            while stems[image_stem(name)]:
                name = f"{image.split}_{name}"
            stems[image_stem(name)] += 1
        found.append((image, row | {"image": name}))
    return found


def write_images(chosen: Sequence[tuple[DatasetImage, Row]], folder: Path) -> None:
    """Write images, their label maps and the manifest to a dataset folder, as hard links where possible.

    The confidence of label maps that a model made goes with them.

    Args:
        chosen: each image with its row of the new manifest, whose ``split`` is where the image goes. If
            ``image`` in the row is a longer file name than that of the image, the additional characters at
            its beginning are also put before the name of the label map.
        folder: the dataset folder to write.

    Raises:
        CellbenchError: if a file cannot be written.
    """
    for image, row in chosen:
        place(image.image, folder / row["split"] / "images" / row["image"])
        if image.labels is not None:
            name = row["image"].removesuffix(image.image.name) + image.labels.name
            place(image.labels, folder / row["split"] / "labels" / name)
        if image.confidence is not None:
            stem = image_stem(row["image"])
            place(image.confidence, confidence_path(folder / row["split"], stem))
    write_manifest(folder, [row for _, row in chosen])
