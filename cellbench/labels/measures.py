"""Where the cells of a label map lie and how large they are, in one compiled pass."""

import numpy as np
import numpy.typing as npt

from cellbench.compiling import compiled

PIXELS, COLUMN_SUM, ROW_SUM, LEFT, RIGHT, TOP, BOTTOM = range(7)


@compiled
def measure_cells(labels: npt.NDArray[np.int32], largest: int) -> npt.NDArray[np.int64]:
    """Measure every cell in one pass over the runs of equal ids.

    Args:
        labels: (H, W), ids up to ``largest``.
        largest: the largest id.

    Returns:
        (largest + 1, 7): pixels, sums of columns and rows, and the first and last column and row.
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
    """Give the column after the last of the pixels that share their id with the one at ``start``."""
    width = labels.shape[1]
    end = start + 1
    while end < width and labels[row, end] == labels[row, start]:
        end += 1
    return end
