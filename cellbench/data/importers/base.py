"""What every importer returns: the images of another dataset, and how to get their label maps."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cellbench.data.folder import MANIFEST, SPLITS
from cellbench.data.label_pairs import double_labels, missing_labels, pair_labels
from cellbench.errors import DatasetError, LabelMapError
from cellbench.files import is_junk
from cellbench.images import image_stem
from cellbench.labels import LabelMap, cell_ids
from cellbench.labels.outlines import Ring, fill_rings

PixelIndices = npt.NDArray[np.integer[Any]]
"""The pixels of one cell as indices into the flattened, row-major image."""


@dataclass(frozen=True)
class Drawing:
    """A label map drawn from annotations of another format.

    Attributes:
        labels: (H, W) label map.
        warnings: how unclear cases such as overlaps were decided; one line each, without the image's name.
    """

    labels: LabelMap
    warnings: tuple[str, ...] = ()


Draw = Callable[[tuple[int, int]], Drawing]


@dataclass(frozen=True)
class SourceImage:
    """One image of another dataset.

    Attributes:
        image: the image file.
        labels: its label map file, or a function that draws one for an image of (H, W) pixels.
        splits: the splits it may be put into; more than one if the source does not decide.
        name: its file name in the dataset folder; by default the one that it has.
    """

    image: Path
    labels: Path | Draw
    splits: tuple[str, ...] = SPLITS
    name: str = ""

    @property
    def new_name(self) -> str:
        """The file name in the dataset folder."""
        return self.name or self.image.name

    @property
    def stem(self) -> str:
        """The stem in the dataset folder."""
        return image_stem(self.new_name)


@dataclass
class ForeignDataset:
    """What an importer found in a source folder.

    Attributes:
        images: images with a label map.
        unlabeled: images that are published without label maps, for training.
        warnings: files that are not imported, and do not need to be; one line each.
        problems: images that cannot be imported because something is wrong; one line each.
    """

    images: list[SourceImage] = field(default_factory=list)
    unlabeled: list[Path] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def add_pairs(
        self,
        images: Mapping[str, Path],
        labels: Sequence[Path],
        splits: tuple[str, ...] = SPLITS,
    ) -> None:
        """Add the images that have a label map by its name, and warn of all other files.

        Args:
            images: image files by stem.
            labels: files that can be label maps.
            splits: the splits that the images may be put into.
        """
        pairs = pair_labels(images, labels)
        left = {path.name: path for path in pairs.unused}
        folder = labels[0].parent if labels else None
        for stem, image in images.items():
            if stem in pairs.found:
                self.images.append(SourceImage(image, pairs.found[stem], splits))
            elif stem in pairs.doubles:
                self.problems.append(double_labels(image, pairs.doubles[stem]))
            else:
                self.warnings.append(missing_labels(image, stem, folder, left))
        self.warnings += [
            f"{path}: there is no image of this name, not imported" for path in pairs.unused
        ]


def checked_name(name: object, source: object) -> str:
    """Check that a file name does not contain folders and is not hidden.

    Args:
        name: the name, as read from an annotation file.
        source: where it was read, for the error message; usually the file and the line.

    Returns:
        The name.

    Raises:
        DatasetError: if the name could lead out of its folder or is not a name.

    Examples:
        >>> checked_name("cell_1.png", "train.csv")
        'cell_1.png'
    """
    plain = isinstance(name, str) and name.isprintable() and not set(name) & set("/\\:")
    if not plain or not name or str(name).startswith("."):
        raise DatasetError(
            f"{source}: {name!r} is not a plain file name; write the name without folders"
        )
    return str(name)


def visible_folders(source: Path) -> Iterator[Path]:
    """Yield ``source`` and the folders in it, sorted, without hidden ones and those that macOS adds.

    Dataset folders in it are left out: an import often writes to a folder inside its source.

    Args:
        source: the folder to search.
    """
    for folder, subfolders, _ in os.walk(source):
        subfolders[:] = sorted(
            name
            for name in subfolders
            if not is_junk(name) and not is_dataset_folder(Path(folder, name))
        )
        yield Path(folder)


def is_dataset_folder(folder: Path) -> bool:
    """Return whether a folder is a dataset folder that an import wrote.

    Args:
        folder: the folder.
    """
    return (folder / MANIFEST).is_file() and any(
        (folder / split / "images").is_dir() for split in SPLITS
    )


def subfolder(source: Path, name: str | Path, option: str) -> Path:
    """Return a folder inside the source.

    Args:
        source: the folder of the dataset.
        name: path of the folder inside it.
        option: the option with which the user can name another folder, for the error message.

    Raises:
        DatasetError: if the folder does not exist.
    """
    folder = source / name
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder; name the right one with {option}")
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
        first: the cell that keeps the pixels, for the warning, such as ``the smaller cell``.
        order: positions of the cells by priority; in the order of ``cells`` unless given.

    Returns:
        The label map, the k-th of ``cells`` with the id k + 1 (one that keeps no pixel leaves a gap), and
        its warnings.

    Examples:
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


def fill_outlines(
    path: Path,
    cells: Sequence[Sequence[Sequence[Ring]]],
    shape: tuple[int, int],
    others: int = 0,
    notes: Sequence[str] = (),
) -> Drawing:
    """Draw cells from their outlines; where cells overlap, the smaller one keeps the pixels.

    Args:
        path: the file of the outlines, for messages.
        cells: for each cell its pieces, for each piece its outline and the holes in it.
        shape: (H, W) of the image.
        others: number of objects in the file that are no outlines, such as points and lines.
        notes: warnings about the file.

    Returns:
        The label map, the k-th of ``cells`` with the id k + 1, and its warnings.

    Raises:
        DatasetError: if the file contains objects but no outline, if no outline is inside the image, or if
            one is not a polygon.
    """
    try:
        pixels = [np.unique(np.concatenate([fill_rings(p, shape) for p in cell])) for cell in cells]
    except LabelMapError as error:
        raise DatasetError(f"{path}: {error}; export the outlines again") from error
    if not cells and others:
        raise DatasetError(
            f"{path}: contains no outline of a cell, but {others} other objects, such as points, lines or "
            "tiles; outline the cells"
        )
    if others:
        notes = [*notes, f"{path.name}: objects that are no outlines are left out: {others}"]
    if not cells:
        notes = [*notes, f"{path.name} contains no outline, imported as an image without cells"]
    elif not any(map(len, pixels)):
        raise DatasetError(
            f"{path}: none of its {len(cells)} outlines is inside the image of {shape[0]} × {shape[1]} "
            "pixels (height × width); export them in pixels of the full image"
        )
    smallest_first = np.argsort([len(one) for one in pixels], kind="stable").tolist()
    drawing = paint(pixels, shape, "the smaller cell", smallest_first)
    return Drawing(drawing.labels, (*notes, *drawing.warnings))
