"""Compiled parts of HoVer: distance maps in two passes over the pixels."""

import numpy as np
import numpy.typing as npt

from cellbench.compiling import compiled
from cellbench.labels.measures import (
    BOTTOM,
    COLUMN_SUM,
    LEFT,
    PIXELS,
    RIGHT,
    ROW_SUM,
    TOP,
    end_of_run,
)


@compiled
def distance_maps(
    labels: npt.NDArray[np.int32],
    cells: npt.NDArray[np.int64],
    smallest: int,
    exact_centres: bool,
) -> npt.NDArray[np.float32]:
    """Return the distance of each pixel to the centre of its cell, scaled to 1 at the farthest pixel.

    Args:
        labels: (H, W).
        cells: what [`measure_cells`][cellbench.labels.measures.measure_cells] returns for ``labels``.
        smallest: cells of fewer pixels get 0.
        exact_centres: see [`cellbench.representations.hover.HoVer`][].

    Returns:
        (2, H, W): the horizontal map, negative on the left, and the vertical, negative above.
    """
    height, width = labels.shape
    maps = np.empty((2, height, width), np.float32)
    for row in range(height):
        start = 0
        while start < width:
            label = labels[row, start]
            end = end_of_run(labels, row, start)
            cell = cells[label]
            if label == 0 or cell[PIXELS] < smallest:
                maps[:, row, start:end] = 0
            else:
                scale, centre = _centre(cell[COLUMN_SUM], cell[PIXELS], exact_centres)
                before, after = centre - cell[LEFT] * scale, cell[RIGHT] * scale - centre
                for column in range(start, end):
                    maps[0, row, column] = _scaled(column * scale - centre, before, after)
                scale, centre = _centre(cell[ROW_SUM], cell[PIXELS], exact_centres)
                before, after = centre - cell[TOP] * scale, cell[BOTTOM] * scale - centre
                maps[1, row, start:end] = _scaled(row * scale - centre, before, after)
            start = end
    return maps


@compiled
def _centre(total: int, pixels: int, exact: bool) -> tuple[int, int]:
    """Return a scale and the centre of mass times this scale, both integers, so nothing is rounded."""
    if exact:
        return pixels, total
    return 1, (2 * total + pixels) // (2 * pixels) - 1


@compiled
def _scaled(offset: int, before: int, after: int) -> float:
    if offset < 0:
        return offset / before
    if offset > 0:
        return offset / after
    return 0.0
