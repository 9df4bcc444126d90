"""Resizing an image so that its cells have a size that the model was trained with, and back."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from cellbench.data.rescale import resize_labels
from cellbench.errors import CheckpointError, UsageError
from cellbench.labels import LabelMap
from cellbench.models.segmenter import Segmenter
from cellbench.representations.base import DecodedCells
from cellbench.representations.decoded import renumbered

Diameter = float | Literal["auto"] | None
"""The diameter of the cells in an image in pixels; ``auto`` to estimate it, None to keep its size."""

_LARGEST_SCALE = 16
_SMALLEST_CHANGE = 1.25


@dataclass(frozen=True)
class Scaling:
    """How an image is resized before it is segmented.

    Attributes:
        diameter: diameter of its cells in pixels; None where it is not used, or where no cell was found
            to estimate it.
        scale: factor on height and width; 1 if the image keeps its size.
    """

    diameter: float | None
    scale: float


def scaling_of(model: Segmenter, diameter: float | None) -> Scaling:
    """Return how an image is resized for a model.

    Args:
        model: a loaded model.
        diameter: diameter of the cells in the image, in pixels; None keeps the image's size.

    Raises:
        CheckpointError: as in [`known_diameters`][].
    """
    scale = 1.0 if diameter is None else scale_for(known_diameters(model), diameter)
    return Scaling(diameter, scale)


def known_diameters(model: Segmenter) -> tuple[float, float, float]:
    """Return the quartiles of the diameters of the cells that a model was trained or tuned with, in pixels.

    Args:
        model: a loaded model.

    Raises:
        CheckpointError: if its checkpoint does not store them.
    """
    if model.diameters is None:
        raise CheckpointError(
            f"{model.model_name()}: its checkpoint does not store the diameters of the cells in training, "
            "which are needed to resize images (--diameter) and for a ready model; run "
            "`cellbench tune CHECKPOINT --data ROOT`, which adds them"
        )
    return model.diameters


def check_diameter(model: Segmenter, diameter: Diameter) -> None:
    """Check that images can be resized to the cells that a model was trained with.

    Args:
        model: a loaded model.
        diameter: diameter of the cells in pixels, or ``auto``, or None.

    Raises:
        UsageError: if it is none of these, or the image would be enlarged or shrunk too much.
        CheckpointError: as in [`known_diameters`][].
    """
    if diameter is None:
        return
    is_number = isinstance(diameter, int | float)
    if diameter != "auto" and not (is_number and 0 < diameter < math.inf):
        raise UsageError(f"diameter {diameter}: must be a number of pixels above 0, or auto")
    known = known_diameters(model)
    scale = 1.0 if diameter == "auto" else scale_for(known, diameter)
    if not 1 / _LARGEST_SCALE <= scale <= _LARGEST_SCALE:
        change = "enlarged" if scale > 1 else "shrunk"
        raise UsageError(
            f"diameter {diameter:g}: the image would be {change} more than {_LARGEST_SCALE} times; "
            f"half of the images that the model knows have cells of {known[0]:.0f} to {known[2]:.0f} pixels"
        )


def scale_for(known: Sequence[float], diameter: float) -> float:
    """Return the factor by which an image is resized, so that its cells have a size that a model knows.

    Cells below the median of the training images are enlarged to it, and cells above the upper quartile
    are shrunk to it. Between them, and where the factor would be less than a quarter away from 1, the
    image keeps its size.

    Args:
        known: lower quartile, median and upper quartile of the training images, in pixels.
        diameter: diameter of the cells in the image, in pixels.

    Examples:
        >>> [scale_for((10, 20, 40), diameter) for diameter in (10, 18, 30, 80)]
        [2.0, 1.0, 1.0, 0.5]
    """
    _, median, upper = known
    scale = min(max(diameter, median), upper) / diameter
    return 1.0 if 1 / _SMALLEST_CHANGE < scale < _SMALLEST_CHANGE else float(scale)


def restored_cells(cells: DecodedCells, shape: tuple[int, int]) -> DecodedCells:
    """Resize the label map of a resized image to the shape of the original image.

    A cell too small to have a pixel gets one, in the background or from a larger cell, if there is one.

    Args:
        cells: (h, w) label map, and the measures of its cells.
        shape: height and width of the result.

    Returns:
        (H, W) label map, ids 1 … N, and the measures of the cells that it has.

    Examples:
        >>> restored_cells(DecodedCells(np.array([[5, 0, 0, 2, 0, 0]]), {}), (1, 3)).labels.tolist()
        [[2, 1, 0]]
    """
    numbered = renumbered(cells)
    return renumbered(numbered._replace(labels=_restored(numbered.labels, shape)))


def _restored(labels: LabelMap, shape: tuple[int, int]) -> LabelMap:
    """Resize a label map with the ids 1 … N; a cell for which there is no pixel is lost."""
    resized = resize_labels(labels, shape)
    count = int(labels.max())
    pixels = np.bincount(resized.ravel(), minlength=count + 1)
    lost = np.flatnonzero(pixels == 0)
    if not lost.size:
        return resized
    is_lost = np.zeros(count + 1, bool)
    is_lost[lost] = True
    rows, columns = np.nonzero(is_lost[labels])
    ids = labels[rows, columns]
    order = np.argsort(ids, kind="stable")
    places = _places(rows, columns, labels.shape, shape)[order]
    starts = np.searchsorted(ids[order], lost)
    for cell, own in zip(lost, np.split(places, starts[1:]), strict=True):
        pixel = _free_pixel(own, resized, pixels)
        if pixel is not None:
            pixels[resized[pixel]] -= 1
            pixels[cell] += 1
            resized[pixel] = cell
    return resized


def _places(
    rows: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    old: tuple[int, ...],
    new: tuple[int, int],
) -> npt.NDArray[np.int64]:
    """Return the pixels of the resized map, (N, 2), in which the middles of pixels are."""
    return np.stack(
        [
            (2 * each + 1) * new[axis] // (2 * old[axis])
            for axis, each in enumerate((rows, columns))
        ],
        axis=1,
    )


def _free_pixel(
    places: npt.NDArray[np.int64], labels: LabelMap, pixels: npt.NDArray[np.int64]
) -> tuple[int, int] | None:
    """Choose a pixel of the background, or else of a cell that keeps another pixel."""
    found = [(int(row), int(column)) for row, column in places]
    free = [each for each in found if labels[each] == 0]
    shared = [each for each in found if pixels[labels[each]] > 1]
    return next(iter([*free, *shared]), None)
