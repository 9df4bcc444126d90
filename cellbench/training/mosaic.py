"""Training patches that are composed of four images (Li et al. 2022)."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cellbench.errors import UsageError
from cellbench.models.batches import HasImageTargets
from cellbench.training.windows import Window

Part = tuple[slice, slice]
"""Rows and columns of a part of a patch."""


def check_mosaic(probability: float, model: object) -> None:
    """Check that a model can learn from mosaics.

    Args:
        probability: probability of a mosaic; with 0, any model can be trained.
        model: the model that is trained.

    Raises:
        UsageError: if the model learns something about each image as a whole.
    """
    if probability and isinstance(model, HasImageTargets):
        raise UsageError(
            f"data.mosaic {probability}: {type(model).__name__} learns what each image is as a whole, "
            "but a mosaic consists of four images; set it to 0"
        )


def draw_parts(size: int, rng: np.random.Generator) -> list[Part]:
    """Divide a patch into four parts that meet at a random point of its middle half.

    Args:
        size: side of the patch in pixels, at least 2.
        rng: random generator of this patch.

    Returns:
        The parts row by row.
    """
    row, column = (int(each) for each in rng.integers(max(1, size // 4), size - size // 4, 2))
    return [
        (rows, columns)
        for rows in (slice(0, row), slice(row, size))
        for columns in (slice(0, column), slice(column, size))
    ]


def draw_others(
    first: int, weights: npt.NDArray[np.float64], rng: np.random.Generator
) -> list[int]:
    """Draw the three other images of a mosaic, each with its weight and, if possible, only once.

    Args:
        first: index of the first image.
        weights: (N,) the probability of each image.
        rng: random generator of this patch.

    Returns:
        Three indices; with fewer than three other images that have a weight, an image can occur again.
    """
    others = weights.copy()
    others[first] = 0
    enough = np.count_nonzero(others) >= 3
    chosen = others if enough else weights
    drawn = rng.choice(len(weights), 3, replace=not enough, p=chosen / chosen.sum())
    return [int(each) for each in drawn]


def join_windows(windows: Sequence[Window], parts: Sequence[Part]) -> Window:
    """Put windows side by side, so that no two of them share the id of a cell.

    Args:
        windows: the image (h, w, 3) and the label map (h, w) of each part.
        parts: where each of them belongs; together they cover the patch.

    Returns:
        The image (H, W, 3) and the label map (H, W) of the patch.
    """
    rows, columns = parts[-1]
    image = np.empty((rows.stop, columns.stop, 3), np.uint8)
    labels = np.empty((rows.stop, columns.stop), np.int32)
    largest = 0
    for (pixels, cells), part in zip(windows, parts, strict=True):
        image[part] = pixels
        labels[part] = np.where(cells > 0, cells + largest, 0)
        largest += int(cells.max())
    return image, labels


def join_masks(
    masks: Sequence[npt.NDArray[np.bool_]], parts: Sequence[Part]
) -> npt.NDArray[np.bool_]:
    """Put masks side by side.

    Args:
        masks: the mask (h, w) of each part.
        parts: as in [`join_windows`][].

    Returns:
        (H, W) the mask of the patch.
    """
    rows, columns = parts[-1]
    mask = np.empty((rows.stop, columns.stop), bool)
    for pixels, part in zip(masks, parts, strict=True):
        mask[part] = pixels
    return mask
