"""Enlarged and shrunk datasets: as if another magnification had been used for all images."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cellbench.data.folder import (
    MANIFEST,
    SPLITS,
    UNLABELED,
    DatasetImage,
    read_dataset,
    read_manifest_rows,
    write_manifest,
)
from cellbench.errors import DatasetError, UsageError
from cellbench.files import max_pixels, written_whole
from cellbench.images import image_stem, read_raw
from cellbench.labels import LabelMap, cell_ids, label_path, read_labels, write_labels

# OpenCV resizes these types itself.
_RESIZED_TYPES = ("uint8", "uint16", "int16", "float32", "float64")


@dataclass
class RescaleReport:
    """The result of rescaling a dataset; its text is one line.

    Attributes:
        images: number of images written.
        cells: number of cells in the label maps written.
        lost: number of cells that became too small to have a pixel.
    """

    images: int = 0
    cells: int = 0
    lost: int = 0

    def __str__(self) -> str:
        cells = "1 cell" if self.lost == 1 else f"{self.lost} cells"
        lost = f"; {cells} became too small and vanished" if self.lost else ""
        return f"{self.images} images with {self.cells} cells{lost}"


def rescaled_shape(shape: Sequence[int], factor: float) -> tuple[int, int]:
    """Return the height and width of an enlarged or shrunk image, at least one pixel each.

    Args:
        shape: (H, W, …).
        factor: factor on height and width.

    Example:
        >>> rescaled_shape((100, 3), 0.1)
        (10, 1)
    """
    height, width = (max(1, round(side * factor)) for side in shape[:2])
    return height, width


def resize_image(pixels: npt.NDArray[Any], shape: tuple[int, int]) -> npt.NDArray[Any]:
    """Resize an image: the mean of the area when it is shrunk, otherwise linear interpolation.

    Neither makes values beyond those in the image.

    Args:
        pixels: (H, W, C).
        shape: height and width of the result.

    Returns:
        (h, w, C) of the same type; integers are rounded.
    """
    import cv2

    if pixels.shape[:2] == shape:
        return pixels
    shrunk = shape[0] * shape[1] < pixels.shape[0] * pixels.shape[1]
    known = pixels if pixels.dtype.name in _RESIZED_TYPES else pixels.astype(np.float64)
    method = cv2.INTER_AREA if shrunk else cv2.INTER_LINEAR
    resized = np.asarray(cv2.resize(known, shape[::-1], interpolation=method))
    if resized.dtype != pixels.dtype:
        resized = (np.rint(resized) if pixels.dtype.kind in "bui" else resized).astype(pixels.dtype)
    return resized.reshape(*shape, pixels.shape[2])  # OpenCV drops a single channel


def resize_labels(labels: LabelMap, shape: tuple[int, int]) -> LabelMap:
    """Resize a label map: each pixel gets the id at its middle, so that no id changes.

    Args:
        labels: (H, W) label map.
        shape: height and width of the result.

    Returns:
        (h, w) label map of the same type; small cells may have no pixel in it.

    Example:
        >>> resize_labels(np.array([[1, 0, 700]]), (2, 6)).tolist()
        [[1, 1, 0, 0, 700, 700], [1, 1, 0, 0, 700, 700]]
    """
    if labels.shape == shape:
        return labels
    rows, columns = (
        (2 * np.arange(new) + 1) * old // (2 * new)
        for old, new in zip(labels.shape, shape, strict=True)
    )
    resized: LabelMap = labels[rows[:, None], columns]
    return resized


def rescale_dataset(
    root: str | Path, out: str | Path, factor: float, splits: Sequence[str] = (*SPLITS, UNLABELED)
) -> RescaleReport:
    """Write a dataset whose images and label maps are enlarged or shrunk.

    Images become TIFF files without loss; cells keep their ids. The manifest follows; its columns
    ``height``, ``width`` and ``cells`` are updated where it has them.

    Args:
        root: the dataset folder.
        out: the dataset folder to write; it must be empty or absent.
        factor: factor on height and width: 2 doubles them, 0.5 halves them.
        splits: the splits to write; by default all that ``root`` has.

    Returns:
        Counts of images and cells.

    Raises:
        UsageError: if the factor is not a positive number.
        CellbenchError: if ``root`` is not a dataset folder or a file in it is unreadable, ``out`` is not
            empty, or an image would have more pixels than cellbench opens.
    """
    out = Path(out)
    if not 0 < factor < math.inf:
        raise UsageError(f"factor {factor}: must be a number above 0")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DatasetError(f"{out}: already exists and is not empty; choose another folder")
    items = read_dataset(root, splits)
    listed = list(_manifest_rows(Path(root), {item.split for item in items}))
    report = RescaleReport()
    written = {(item.split, item.stem): _rescale(item, out, factor, report) for item in items}
    rows = [_updated(row, key, written[key]) for key, row in listed if key in written]
    if rows:
        write_manifest(out, rows)
    return report


def _rescale(
    item: DatasetImage, out: Path, factor: float, report: RescaleReport
) -> dict[str, object]:
    """Write one image and its label map; return what a manifest says about their content."""
    import tifffile

    pixels = read_raw(item.image)
    shape = rescaled_shape(pixels.shape, factor)
    if math.prod(shape) > max_pixels():
        raise DatasetError(
            f"{item.image}: would have {shape[0]} × {shape[1]} px, more than the limit of "
            f"{max_pixels()} px; choose a smaller factor"
        )
    facts: dict[str, object] = {"height": shape[0], "width": shape[1]}
    if item.labels is not None:
        labels = read_labels(item.labels)
        item.check_sizes(pixels.shape, labels.shape)
        resized = resize_labels(labels, shape)
        facts["cells"] = cells = len(cell_ids(resized))
        report.cells += cells
        report.lost += len(cell_ids(labels)) - cells
        write_labels(label_path(out / item.split / "labels", item.stem), resized)
    image = resize_image(pixels, shape)
    colours = image.shape[2] == 3
    with written_whole(out / item.split / "images" / f"{item.stem}.tif") as temporary:
        tifffile.imwrite(
            temporary,
            image if image.shape[2] > 1 else image[..., 0],
            photometric="rgb" if colours else "minisblack",
            planarconfig="contig" if image.shape[2] > 1 else None,
            compression="zlib",
            metadata={"axes": "YXS" if image.shape[2] > 1 else "YX"},
        )
    report.images += 1
    return facts


def _manifest_rows(
    root: Path, splits: set[str]
) -> Iterator[tuple[tuple[str, str], dict[str, str]]]:
    """List the rows of a manifest with the split and stem of their image."""
    if not (root / MANIFEST).is_file():
        return
    for row in read_manifest_rows(root / MANIFEST):
        stem = image_stem(row["image"])
        for split in [row["split"]] if row.get("split") else sorted(splits):
            yield (split, stem), {**row, "split": split}


def _updated(
    row: dict[str, str], key: tuple[str, str], facts: dict[str, object]
) -> dict[str, object]:
    known = {name: value for name, value in facts.items() if name in row}
    return {**row, "image": f"{key[1]}.tif", **known}
