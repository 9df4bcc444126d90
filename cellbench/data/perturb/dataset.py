"""Write perturbed copies of a dataset, one dataset folder for each kind and severity."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy.typing as npt

from cellbench.data.folder import SPLITS, UNLABELED, DatasetImage, read_dataset, write_manifest
from cellbench.data.importers.writing import place
from cellbench.data.new_folder import new_dataset_folder
from cellbench.data.perturb.kinds import image_rng, is_for, perturb_pixels
from cellbench.data.perturb.pixels import as_picture, in_8_bits
from cellbench.data.perturb.severities import GEOMETRIC, PARTIAL, Kind
from cellbench.data.rescale import check_size, resize_labels, write_resized_confidence
from cellbench.data.rewritten import manifest_rows, updated_row, write_channels
from cellbench.errors import DatasetError, ImageError
from cellbench.images import image_shape, read_channels
from cellbench.labels import cell_ids, label_path, read_labels, relabel, write_labels

_LARGEST_ID = 2**32 - 1  # that a label map in a file can have


@dataclass
class PerturbReport:
    """The result of perturbing a dataset; its text is one line.

    Attributes:
        folder: the dataset folder that was written.
        images: the images in it, with their new paths.
        left_out: stems of the images for which the kind does not exist.
    """

    folder: Path
    images: list[DatasetImage] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        count = len(self.images)
        text = f"{self.folder}: {count} image{'s' * (count != 1)}"
        if self.left_out:
            text += f"; the kind does not exist for {len(self.left_out)} others, which are left out"
        return text


def folder_name(kind: Kind, severity: int) -> str:
    """Return the name of the dataset folder of a kind and severity.

    Args:
        kind: the kind.
        severity: from 1 on.

    Examples:
        >>> from cellbench.data.perturb.severities import KINDS
        >>> folder_name(KINDS["jpeg"], 3)
        'jpeg-3'
    """
    return f"{kind.name}-{severity}"


def perturb_dataset(
    root: str | Path,
    out: str | Path,
    kind: Kind,
    severity: int,
    *,
    seed: int = 0,
    splits: Sequence[str] = (*SPLITS, UNLABELED),
    progress: bool = True,
) -> PerturbReport:
    """Write a perturbed copy of a dataset.

    Images become TIFF files with all their channels and their type. Label maps become hard links (copies
    on another file system) where the size of the image does not change; otherwise they follow it. The
    manifest says in the columns ``kind`` and ``severity`` what was done.

    Args:
        root: the dataset folder.
        out: the dataset folder to write; it must be empty or absent, and outside ``root``. It is never
            left incomplete.
        kind: what is done to the images.
        severity: how strongly, from 1 on.
        seed: seed of what is random, at least 0; each image has random numbers of its own.
        splits: the splits to write; by default all that ``root`` has.
        progress: whether to show a progress bar on a terminal.

    Returns:
        The images that were written, and those that were left out because the kind does not exist for
        them, such as swapped channels of a gray image.

    Raises:
        UsageError: if the kind has no such severity.
        CellbenchError: if ``root`` is not a dataset folder, a file in it cannot be read or perturbed, the
            kind exists for no image, or ``out`` cannot be written.
    """
    from tqdm import tqdm

    out = Path(out)
    report = PerturbReport(out)
    strength = kind.strength(severity)
    with new_dataset_folder(root, out) as temporary:
        items = read_dataset(root, splits)
        if kind.name in GEOMETRIC:
            for item in items:
                check_size(item.image, image_shape(item.image), strength)
        rows = []
        listed = dict(manifest_rows(Path(root), {item.split for item in items}))
        hidden = None if progress else True
        for item in tqdm(items, unit="image", desc=folder_name(kind, severity), disable=hidden):
            facts = perturb_image(item, temporary, kind, severity, seed)
            if facts is None:
                report.left_out.append(item.stem)
                continue
            row = listed.get((item.split, item.stem)) or _new_row(item)
            rows.append(
                updated_row(row, item.stem, facts) | {"kind": kind.name, "severity": severity}
            )
        if not rows:
            raise DatasetError(f"{root}: {kind.name} exists for none of the images; leave it out")
        write_manifest(temporary, rows)
    report.images = read_dataset(out, splits)
    return report


def missing_kinds(kinds: Iterable[Kind], images: Iterable[DatasetImage]) -> list[Kind]:
    """Return the kinds of perturbation that exist for none of some images.

    Args:
        kinds: the kinds.
        images: the images; they are read only for kinds that do not exist for every image.

    Raises:
        ImageError: if an image cannot be read.
    """
    missing = [kind for kind in dict.fromkeys(kinds) if kind.name in PARTIAL]
    for image in images:
        if not missing:
            break
        pixels, alpha = read_channels(image.image)
        missing = [kind for kind in missing if not is_for(kind.name, pixels, alpha, image.modality)]
    return missing


def check_images(images: Iterable[DatasetImage], chosen: Iterable[tuple[Kind, int]]) -> None:
    """Refuse a dataset in which an image cannot be perturbed, before the first folder is written.

    Args:
        images: the images; all of them are read.
        chosen: kinds and severities.

    Raises:
        CellbenchError: if a file cannot be read, or an image has values or a size that cannot be
            perturbed.
    """
    factors = [kind.strength(step) for kind, step in chosen if kind.name in GEOMETRIC]
    for image in images:
        pixels, _ = read_channels(image.image)
        with _named(image):
            as_picture(in_8_bits(pixels))
        if factors:
            check_size(image.image, pixels.shape, max(factors))
        if factors and image.labels is not None:
            image.check_sizes(pixels.shape, read_labels(image.labels).shape)


@contextmanager
def _named(image: DatasetImage) -> Iterator[None]:
    """Put the file of an image before the message of an error about its pixels."""
    try:
        yield
    except ImageError as error:
        raise ImageError(f"{image.image}: {error}") from error


def perturb_image(
    item: DatasetImage, out: Path, kind: Kind, severity: int, seed: int
) -> dict[str, object] | None:
    """Write a perturbed image and its label map into a dataset folder.

    Args:
        item: the image.
        out: the dataset folder.
        kind: what is done to it.
        severity: how strongly, from 1 on.
        seed: seed of what is random.

    Returns:
        What a manifest says about the content and may have changed; None if the kind does not exist for
        this image, and nothing was written.

    Raises:
        CellbenchError: if a file cannot be read, perturbed or written.
    """
    pixels, alpha = read_channels(item.image)
    if not is_for(kind.name, pixels, alpha, item.modality):
        return None
    with _named(item):
        rng = image_rng(seed, kind.name, item.stem)
        image = perturb_pixels(pixels, kind, severity, rng, alpha)
    facts: dict[str, object] = {"height": image.shape[0], "width": image.shape[1]}
    folder = out / item.split / "labels"
    if item.labels is not None and kind.name in GEOMETRIC:
        facts["cells"] = _write_resized(item, item.labels, pixels, image, folder)
    elif item.labels is not None:
        place(item.labels, folder / item.labels.name)
    write_resized_confidence(item, out / item.split, image.shape[:2])
    write_channels(out / item.split / "images" / f"{item.stem}.tif", image, alpha)
    return facts


def _write_resized(
    item: DatasetImage,
    path: Path,
    pixels: npt.NDArray[Any],
    image: npt.NDArray[Any],
    folder: Path,
) -> int:
    """Write the label map in the size of the perturbed image; return its number of cells."""
    labels = read_labels(path)
    item.check_sizes(pixels.shape, labels.shape)
    height, width = image.shape[:2]
    resized = resize_labels(labels, (height, width))
    if resized.max() > _LARGEST_ID:
        resized = relabel(resized)
    write_labels(label_path(folder, item.stem), resized)
    return len(cell_ids(resized))


def _new_row(item: DatasetImage) -> dict[str, str]:
    return {
        "image": item.image.name,
        "split": item.split,
        "modality": item.modality,
        "source": item.source,
    }
