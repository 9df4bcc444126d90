"""Compiled search for narrow gaps between cells."""

import numpy as np
import numpy.typing as npt

from cellbench.compiling import compiled

_DISC = 3  # radius of the disc that closes gaps, in pixels
_WIDE = 3.0  # length of the minor axis from which a gap has a rim, in pixels
_RIM = 0.8
# The smallest sum of the neighbour distances around a gap, by the largest area of gaps in pixels.
_AREAS, _SUMS = np.array([20, 30, 50]), np.array([5.0, 8.0, 10.0, 20.0])


def gaps_between_cells(
    labels: npt.NDArray[np.int32], neighbours: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Find the background that a disc with a radius of 3 pixels cannot enter, between cells only.

    A place that is as narrow because of the shape of one cell, such as a notch, is no gap. Neither is
    one around which the neighbour distances are small.

    Args:
        labels: (H, W) ids.
        neighbours: (H, W), neighbour distances in the cells, in [0, 1].

    Returns:
        (H, W): 1 in gaps, 0.8 on the rim of a gap that is at least three pixels wide, 0 elsewhere.
    """
    import cv2

    steps = np.arange(-_DISC, _DISC + 1)
    disc = (steps**2 + steps[:, None] ** 2 <= _DISC**2).view(np.uint8)
    closed = cv2.morphologyEx((labels > 0).view(np.uint8), cv2.MORPH_CLOSE, disc)
    between = _between_cells(labels, np.asarray(closed), np.argwhere(disc) - _DISC)
    count, gaps = cv2.connectedComponents(between, connectivity=8)
    values: npt.NDArray[np.float32] = _gap_values(
        np.asarray(gaps), _kept(np.asarray(gaps), count, neighbours), _wide(np.asarray(gaps), count)
    )
    return values


@compiled
def _between_cells(
    labels: npt.NDArray[np.int32], closed: npt.NDArray[np.uint8], disc: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint8]:
    """Mark the closed background that the closing of no single cell contains, (H, W)."""
    height, width = labels.shape
    between = np.zeros((height, width), np.uint8)
    for row in range(height):
        for column in range(width):
            if closed[row, column] == 0 or labels[row, column] > 0:
                continue
            between[row, column] = 1
            tried = 0
            for step in disc:
                other_row, other_column = row + step[0], column + step[1]
                if not (0 <= other_row < height and 0 <= other_column < width):
                    continue
                label = labels[other_row, other_column]
                if label > 0 and label != tried:
                    tried = label
                    if _closes(labels, label, row, column, disc):
                        between[row, column] = 0
                        break
    return between


@compiled
def _closes(
    labels: npt.NDArray[np.int32], label: int, row: int, column: int, disc: npt.NDArray[np.int64]
) -> bool:
    """Return whether each disc that covers a pixel also meets the cell, as far as the map reaches."""
    height, width = labels.shape
    for step in disc:
        centre_row, centre_column = row + step[0], column + step[1]
        if not (0 <= centre_row < height and 0 <= centre_column < width):
            continue
        meets = False
        for way in disc:
            near_row, near_column = centre_row + way[0], centre_column + way[1]
            if (
                0 <= near_row < height
                and 0 <= near_column < width
                and labels[near_row, near_column] == label
            ):
                meets = True
                break
        if not meets:
            return False
    return True


@compiled
def _kept(
    gaps: npt.NDArray[np.int32], count: int, neighbours: npt.NDArray[np.float32]
) -> npt.NDArray[np.bool_]:
    """Return which gaps have enough neighbour distance in the pixels around them, (count,)."""
    height, width = gaps.shape
    areas = np.zeros(count, np.int64)
    sums = np.zeros(count)
    beside = np.zeros(9, np.int32)
    for row in range(height):
        for column in range(width):
            gap = gaps[row, column]
            areas[gap] += 1
            if neighbours[row, column] == 0:
                continue
            different = 0
            for near in gaps[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2].flat:
                if near > 0 and near != gap and not (beside[:different] == near).any():
                    beside[different] = near
                    different += 1
            for number in beside[:different]:
                sums[number] += neighbours[row, column]
    return sums >= _SUMS[np.searchsorted(_AREAS, areas)]


@compiled
def _wide(gaps: npt.NDArray[np.int32], count: int) -> npt.NDArray[np.bool_]:
    """Return which gaps have a minor axis of at least ``_WIDE``, (count,).

    The axis is that of the ellipse with the same second moments. Sums of integers make it the same in
    every orientation of the map.
    """
    height, width = gaps.shape
    sums = np.zeros((count, 6), np.int64)
    for row in range(height):
        for column in range(width):
            if gaps[row, column] > 0:
                moments = sums[gaps[row, column]]
                moments[0] += 1
                moments[1] += row
                moments[2] += column
                moments[3] += row * row
                moments[4] += column * column
                moments[5] += row * column
    wide = np.zeros(count, np.bool_)
    for gap in range(1, count):
        area, rows, columns, rows_2, columns_2, both = sums[gap]
        down, across = area * rows_2 - rows * rows, area * columns_2 - columns * columns
        slant = area * both - rows * columns
        spread = np.sqrt(np.square(float(down - across)) / 4 + np.square(float(slant)))
        smaller = (down + across) / 2 - spread
        wide[gap] = 4 * np.sqrt(max(0.0, smaller)) >= _WIDE * area
    return wide


@compiled
def _gap_values(
    gaps: npt.NDArray[np.int32], kept: npt.NDArray[np.bool_], wide: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float32]:
    """Return 1 in kept gaps and ``_RIM`` on the rims of wide ones, (H, W)."""
    height, width = gaps.shape
    values = np.zeros((height, width), np.float32)
    for row in range(height):
        for column in range(width):
            gap = gaps[row, column]
            if gap > 0 and kept[gap]:
                values[row, column] = 1
                if wide[gap] and not (
                    gaps[max(row - 1, 0), column]
                    == gaps[min(row + 1, height - 1), column]
                    == gaps[row, max(column - 1, 0)]
                    == gaps[row, min(column + 1, width - 1)]
                    == gap
                ):
                    values[row, column] = _RIM
    return values
