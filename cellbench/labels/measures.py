"""Position and size of the cells of a label map, in one compiled pass."""

import numpy as np
import numpy.typing as npt

from cellbench.compiling import compiled

PIXELS, COLUMN_SUM, ROW_SUM, LEFT, RIGHT, TOP, BOTTOM = range(7)
"""Columns of the result of [`measure_cells`][]."""


@compiled
def measure_cells(labels: npt.NDArray[np.int32], largest: int) -> npt.NDArray[np.int64]:
    """Measure every cell in one pass over the runs of equal ids.

    Args:
        labels: (H, W) ids from 0 to ``largest``.
        largest: the largest id.

    Returns:
        (largest + 1, 7) by id: number of pixels, sum of their columns, sum of their rows, first and last
        column, first and last row.
    """
    height, width = labels.shape
    cells = np.zeros((largest + 1, 7), np.int64)
    for cell in range(largest + 1):
        cells[cell, LEFT], cells[cell, TOP] = width, height
    for row in range(height):
        start = 0
        while start < width:
            label = labels[row, start]
            end = end_of_run(labels, row, start)
            if label != 0:
                cell = cells[label]
                cell[PIXELS] += end - start
                cell[COLUMN_SUM] += (start + end - 1) * (end - start) // 2
                cell[ROW_SUM] += row * (end - start)
                cell[LEFT] = min(cell[LEFT], start)
                cell[RIGHT] = max(cell[RIGHT], end - 1)
                cell[TOP] = min(cell[TOP], row)
                cell[BOTTOM] = row
            start = end
    return cells


@compiled
def end_of_run(labels: npt.NDArray[np.int32], row: int, start: int) -> int:
    """Return the column after the last pixel of the run that contains ``start``.

    Args:
        labels: (H, W) label map.
        row: row of the run.
        start: first column of the run.
    """
    width = labels.shape[1]
    end = start + 1
    while end < width and labels[row, end] == labels[row, start]:
        end += 1
    return end
