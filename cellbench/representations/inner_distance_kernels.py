"""Compiled parts of InnerDistance: its maps in one pass over the pixels."""

import numpy as np
import numpy.typing as npt

from cellbench.compiling import compiled
from cellbench.labels.measures import COLUMN_SUM, PIXELS, ROW_SUM

INTERIOR, BORDER, BACKGROUND = range(3)
"""Channels of the map ``pixelwise``."""


@compiled
def inner_distance_maps(
    labels: npt.NDArray[np.int32], cells: npt.NDArray[np.int64], alpha: float, relative: bool
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """Return the inner distance of each pixel, and its class.

    Args:
        labels: (H, W).
        cells: what [`measure_cells`][cellbench.labels.measures.measure_cells] returns for ``labels``.
        alpha: see [`InnerDistance`][cellbench.representations.inner_distance.InnerDistance].
        relative: see there.

    Returns:
        (1, H, W) inner distances, and the classes, one-hot, (3, H, W).
    """
    height, width = labels.shape
    inner = np.zeros((1, height, width), np.float32)
    classes = np.zeros((3, height, width), np.uint8)
    for row in range(height):
        for column in range(width):
            label = labels[row, column]
            if label == 0:
                classes[BACKGROUND, row, column] = 1
                continue
            border = (
                (row > 0 and labels[row - 1, column] != label)
                or (row < height - 1 and labels[row + 1, column] != label)
                or (column > 0 and labels[row, column - 1] != label)
                or (column < width - 1 and labels[row, column + 1] != label)
            )
            classes[BORDER if border else INTERIOR, row, column] = 1
            # Offsets from the centre times the number of pixels are integers, so nothing is rounded.
            pixels = cells[label, PIXELS]
            down = float(row * pixels - cells[label, ROW_SUM])
            right = float(column * pixels - cells[label, COLUMN_SUM])
            distance = np.sqrt(down * down + right * right) / pixels
            if relative:
                distance /= np.sqrt(pixels)
            inner[0, row, column] = 1 / (1 + alpha * distance)
    return inner, classes


@compiled
def clear_small(labels: npt.NDArray[np.int32], smallest: float) -> None:
    """Remove cells of fewer than ``smallest`` pixels, and number the others 1 … N.

    Args:
        labels: (H, W) ids, changed.
        smallest: smallest number of pixels of a cell.
    """
    pixels = np.zeros(labels.max() + 1, np.int64)
    for place in range(labels.size):
        pixels[labels.flat[place]] += 1
    numbers = np.zeros(pixels.size, np.int32)
    left = 0
    for label in range(1, pixels.size):
        if pixels[label] >= max(smallest, 1):
            left += 1
            numbers[label] = left
    for place in range(labels.size):
        labels.flat[place] = numbers[labels.flat[place]]
