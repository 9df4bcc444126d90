"""What every importer gives: the images of a foreign dataset, and how to come by their truth."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cellbench.data.folder import SPLITS, match_stems
from cellbench.errors import DatasetError
from cellbench.labels import LabelMap, cell_ids

PixelIndices = npt.NDArray[np.integer[Any]]
"""The pixels of one cell as indices into the flattened, row-major image."""

LABEL_SUFFIXES = (".tif", ".tiff", ".png")
TIFF_SUFFIXES = (".tif", ".tiff")


@dataclass(frozen=True)
class Drawing:
    """A label map drawn from foreign annotations.

    Attributes:
        labels: (H, W) label map.
        warnings: what had to be decided, such as overlaps; one line each, without the image's name.
    """

    labels: LabelMap
    warnings: tuple[str, ...] = ()


Draw = Callable[[tuple[int, int]], Drawing]


@dataclass(frozen=True)
class SourceImage:
    """One image of a foreign dataset.

    Attributes:
        image: the image file; it keeps its name.
        labels: its label map file, or how to draw one for an image of (H, W) pixels.
        splits: the splits it may go to; more than one where the source leaves it open.
    """

    image: Path
    labels: Path | Draw
    splits: tuple[str, ...] = SPLITS


@dataclass
class ForeignDataset:
    """What an importer found in a source folder.

    Attributes:
        images: images with truth.
        unlabeled: images that are published without truth, for training.
        warnings: what was passed over; one line each.
    """

    images: list[SourceImage] = field(default_factory=list)
    unlabeled: list[Path] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add_pairs(
        self,
        images: Mapping[str, Path],
        labels: Mapping[str, Path],
        splits: tuple[str, ...] = SPLITS,
    ) -> None:
        """Add the images that have a label map of their stem; warn of everything left over."""
        matched = match_stems(images, labels)
        for stem, image in images.items():
            if stem in matched:
                self.images.append(SourceImage(image, matched[stem], splits))
            else:
                self.warnings.append(f"{image}: has no label map, not imported")
        used = set(matched.values())
        self.warnings += [
            f"{path}: no image has its name, not imported"
            for path in dict.fromkeys(labels.values())
            if path not in used
        ]


def checked_name(name: object, source: object) -> str:
    """Check that a name from a file is one plain path component: no separators, not hidden.

    Args:
        name: what the file says.
        source: what the error names, usually the file and line.

    Raises:
        DatasetError: if the name could lead out of its folder, or is no name at all.

    Example:
        >>> checked_name("cell_1.png", "train.csv")
        'cell_1.png'
    """
    plain = isinstance(name, str) and name.isprintable() and not set(name) & set("/\\:")
    if not plain or not name or str(name).startswith("."):
        raise DatasetError(f"{source}: {name!r} is no plain file name; name a file without folders")
    return str(name)


def visible_folders(source: Path) -> Iterator[Path]:
    """Walk the folders below ``source`` by name, but hidden ones and those that macOS adds."""
    for folder, subfolders, _ in os.walk(source):
        subfolders[:] = sorted(n for n in subfolders if not n.startswith((".", "__MACOSX")))
        yield Path(folder)


def subfolder(source: Path, name: str | Path, option: str) -> Path:
    """Find a folder of the source; ``option`` is what the user sets to name another.

    Raises:
        DatasetError: if it is absent.
    """
    folder = source / name
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder; name the right one with `{option}`")
    return folder


def paint(
    cells: Sequence[PixelIndices],
    shape: tuple[int, int],
    first: str,
    order: Sequence[int] | None = None,
) -> Drawing:
    """Paint cells that may overlap: where they do, the one that comes first keeps the pixel.

    Args:
        cells: the pixels of each cell, none twice within a cell.
        shape: (H, W) of the image.
        first: which cell comes first, for the warning, such as ``the smaller cell``.
        order: the positions of the cells, the one that keeps its pixels first; as they are unless given.

    Returns:
        The label map, the k-th of ``cells`` with the id k + 1 (one that keeps no pixel leaves a gap), and
        its warnings.

    Example:
        >>> drawing = paint([np.array([0, 1]), np.array([1, 2])], (1, 4), "the first row")
        >>> drawing.labels.tolist(), drawing.warnings
        ([[1, 1, 2, 0]], ('cells overlap by 1 px, the first row keeps them',))
    """
    labels = np.zeros(shape, np.uint32)
    flat = labels.reshape(-1)
    for position in reversed(range(len(cells)) if order is None else order):
        flat[cells[position]] = position + 1
    warnings = []
    if overlap := sum(map(len, cells)) - np.count_nonzero(flat):
        warnings.append(f"cells overlap by {overlap} px, {first} keeps them")
    if lost := len(cells) - len(cell_ids(labels)):
        warnings.append(f"cells without a pixel of their own are left out: {lost}")
    return Drawing(labels, tuple(warnings))
