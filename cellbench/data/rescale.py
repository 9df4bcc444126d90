"""Enlarged and shrunk datasets: as if another magnification had been used for all images."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cellbench.data.confidence import confidence_path, read_confidence, write_confidence
from cellbench.data.folder import SPLITS, UNLABELED, DatasetImage, read_dataset, write_manifest
from cellbench.data.new_folder import new_dataset_folder
from cellbench.data.rewritten import manifest_rows, updated_row, write_channels
from cellbench.errors import DatasetError, ImageError, UsageError
from cellbench.files import max_pixels
from cellbench.images import image_shape, read_channels
from cellbench.labels import LabelMap, cell_ids, label_path, read_labels, relabel, write_labels

# OpenCV resizes these types itself.
_RESIZED_TYPES = ("uint8", "uint16", "int16", "float32", "float64")
_MOST_CHANNELS = 4  # that OpenCV resizes at once by all methods
_LARGEST_EXACT = 2**53  # the largest integer up to which float64 has all integers
_LARGEST_ID = 2**32 - 1  # that a label map in a file can have


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

    Examples:
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

    Raises:
        ImageError: if a value is infinite, complex, or an integer beyond ±2⁵³.
    """
    import cv2

    if pixels.shape[:2] == shape:
        return pixels
    _check_values(pixels)
    shrunk = shape[0] * shape[1] < pixels.shape[0] * pixels.shape[1]
    known = pixels if pixels.dtype.name in _RESIZED_TYPES else pixels.astype(np.float64)
    method = cv2.INTER_AREA if shrunk else cv2.INTER_LINEAR
    parts = [
        cv2.resize(known[..., first : first + _MOST_CHANNELS], shape[::-1], interpolation=method)
        for first in range(0, pixels.shape[2], _MOST_CHANNELS)
    ]
    # OpenCV drops a single channel.
    resized = np.concatenate([np.asarray(part).reshape(*shape, -1) for part in parts], axis=2)
    if resized.dtype != pixels.dtype:
        resized = (np.rint(resized) if pixels.dtype.kind in "bui" else resized).astype(pixels.dtype)
    return resized


def _check_values(pixels: npt.NDArray[Any]) -> None:
    if pixels.dtype.kind not in "buif":
        raise ImageError(
            f"pixels of type {pixels.dtype} cannot be resized; save them as integers or floats"
        )
    if pixels.dtype.kind == "f" and np.isinf(pixels).any():
        raise ImageError("infinite pixel values cannot be resized; replace them by finite ones")
    integers = pixels.dtype.kind in "ui"
    if integers and max(int(pixels.max()), -int(pixels.min())) > _LARGEST_EXACT:
        raise ImageError(
            "pixel values beyond ±2⁵³ cannot be resized exactly; save the image with smaller ones"
        )


def resize_labels(labels: LabelMap, shape: tuple[int, int]) -> LabelMap:
    """Resize a label map: each pixel gets the id at its middle, so that no id changes.

    Args:
        labels: (H, W) label map.
        shape: height and width of the result.

    Returns:
        (h, w) label map of the same type; small cells may have no pixel in it.

    Examples:
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


def write_resized_confidence(item: DatasetImage, split: Path, shape: tuple[int, int]) -> None:
    """Write the confidence of an image that was resized; do nothing if it has none.

    Args:
        item: the image.
        split: folder of the split to write to.
        shape: height and width of the resized image.

    Raises:
        CellbenchError: if a file cannot be read or written.
    """
    if item.confidence is not None:
        resized = resize_labels(read_confidence(item.confidence), shape).astype(np.uint8)
        write_confidence(confidence_path(split, item.stem), resized)


def rescale_dataset(
    root: str | Path, out: str | Path, factor: float, splits: Sequence[str] = (*SPLITS, UNLABELED)
) -> RescaleReport:
    """Write a dataset whose images and label maps are enlarged or shrunk.

    Images become TIFF files with all their channels. Cells keep their ids, unless one does not fit into
    32 bits: then those of this image are numbered from 1. The manifest follows; its columns ``height``,
    ``width`` and ``cells`` are updated where it has them. A progress bar is shown on a terminal.

    Args:
        root: the dataset folder.
        out: the dataset folder to write; it must be empty or absent, and outside ``root``. It is never
            left incomplete.
        factor: factor on height and width: 2 doubles them, 0.5 halves them.
        splits: the splits to write; by default all that ``root`` has.

    Returns:
        Counts of images and cells.

    Raises:
        UsageError: if the factor is not a positive number.
        CellbenchError: if ``root`` is not a dataset folder or a file in it is unreadable or cannot be
            resized, ``out`` is not empty or in ``root``, or an image would have more pixels than
            cellbench opens.
    """
    from tqdm import tqdm

    if not 0 < factor < math.inf:
        raise UsageError(f"factor {factor}: must be a number above 0")
    report = RescaleReport()
    with new_dataset_folder(root, out) as temporary:
        items = read_dataset(root, splits)
        listed = list(manifest_rows(Path(root), {item.split for item in items}))
        for item in items:
            check_size(item.image, image_shape(item.image), factor)
        written = {
            (item.split, item.stem): _rescale(item, temporary, factor, report)
            for item in tqdm(items, unit="image", disable=None)
        }
        rows = [updated_row(row, key[1], written[key]) for key, row in listed if key in written]
        if rows:
            write_manifest(temporary, rows)
    return report


def check_size(path: Path, shape: Sequence[int], factor: float) -> None:
    """Refuse an image that cellbench could not read after it is enlarged.

    Args:
        path: the image, for the error message.
        shape: (H, W) or (H, W, C) of the image.
        factor: factor on height and width.

    Raises:
        DatasetError: if it would have more pixels than cellbench opens.
    """
    # As in reading, only channels beyond four count.
    each = max(1.0, shape[2] / 4) if len(shape) > 2 else 1.0
    height, width = (side * factor for side in shape[:2])
    if height * width * each > max_pixels():
        raise DatasetError(
            f"{path}: would have {height:.0f} × {width:.0f} px, more than the limit of "
            f"{max_pixels()} px; choose a smaller factor"
        )


def _rescale(
    item: DatasetImage, out: Path, factor: float, report: RescaleReport
) -> dict[str, object]:
    """Write one image and its label map; return what a manifest says about their content."""
    pixels, alpha = read_channels(item.image)
    check_size(item.image, pixels.shape, factor)
    shape = rescaled_shape(pixels.shape, factor)
    facts: dict[str, object] = {"height": shape[0], "width": shape[1]}
    if item.labels is not None:
        labels = read_labels(item.labels)
        item.check_sizes(pixels.shape, labels.shape)
        resized = resize_labels(labels, shape)
        facts["cells"] = cells = len(cell_ids(resized))
        report.cells += cells
        report.lost += len(cell_ids(labels)) - cells
        if resized.max() > _LARGEST_ID:
            resized = relabel(resized)
        write_labels(label_path(out / item.split / "labels", item.stem), resized)
        write_resized_confidence(item, out / item.split, shape)
    try:
        image = resize_image(pixels, shape)
    except ImageError as error:
        raise ImageError(f"{item.image}: {error}") from error
    write_channels(out / item.split / "images" / f"{item.stem}.tif", image, alpha)
    report.images += 1
    return facts
