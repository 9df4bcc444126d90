"""Compiled encoding of Omnipose's maps: the distance field of each cell, and the slope of it."""

import numpy as np
import numpy.typing as npt

from cellbench.compiling import compiled
from cellbench.representations.flow_kernels import pieces

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int32]
Positions = npt.NDArray[np.int64]

_SETTLED = np.float32(0.01)  # pixels by which the field still changes in some steps
_CHECKED = 4  # steps between two looks at the change
_DIAGONAL = np.float32(np.sqrt(2))
_HALF = np.float32(0.5)
_SLANTED, _STRAIGHT = np.float32(3 / 32), np.float32(10 / 32)  # of Scharr's kernel
_FULL = np.float32(0.5)  # a gentler slope, near the middle line, gives a shorter flow
_FLAT = np.float32(1e-3)  # a slope below this is only rounding


@compiled
def distances_and_flows(labels: Integers) -> tuple[Floats, Floats]:
    """Solve the eikonal equation |∇φ| = 1 in every cell, with φ = 0 outside of it, and return its slope.

    Each connected piece of a cell has a field of its own. At the border of the map, a cell continues as
    its mirror image: the border is no outline. Without any outline in the map, the distance is the length
    of the longer side of the map, and there is no slope.

    Args:
        labels: (H, W) ids.

    Returns:
        (H, W) distances in pixels, and (2, H, W) unit vectors down and to the right, uphill; both are 0 in
        the background. On the middle line of a cell, where the slope is below a half, vectors are shorter.
    """
    height, width = labels.shape
    field = np.zeros((height, width), np.float32)
    flows = np.zeros((2, height, width), np.float32)
    pixels, starts = pieces(labels)
    for piece in range(len(starts) - 1):
        rows = pixels[0, starts[piece] : starts[piece + 1]]
        columns = pixels[1, starts[piece] : starts[piece + 1]]
        top, bottom, left, right = rows.min(), rows.max(), columns.min(), columns.max()
        if len(rows) == height * width:
            field[:] = max(height, width)
            continue
        mirrored = (top == 0, bottom == height - 1, left == 0, right == width - 1)
        rows -= top - 1
        columns -= left - 1
        box = _solve(rows, columns, mirrored)
        for index in range(len(rows)):
            row, column = rows[index], columns[index]
            field[row + top - 1, column + left - 1] = box[row, column]
        _climb(box, rows, columns, flows[:, top:, left:])
    return field, flows


@compiled
def _solve(rows: Positions, columns: Positions, mirrored: tuple[bool, bool, bool, bool]) -> Floats:
    """Return the field of a piece in its box, with a border of one pixel.

    Args:
        rows: (N,) rows of the pixels, from 1.
        columns: (N,) their columns, from 1.
        mirrored: whether the piece continues beyond the upper, lower, left and right side of its box.
    """
    tall, wide = rows.max() + 2, columns.max() + 2
    places = rows * wide + columns
    inside = np.zeros(tall * wide, np.float32)
    inside[places] = 1
    field, updated = np.zeros_like(inside), np.zeros_like(inside)
    steps = 0
    while steps < 2 * len(rows):
        for _ in range(_CHECKED):
            _update(field, inside, updated, wide)
            _mirror(updated.reshape(tall, wide), mirrored)
            field, updated = updated, field
        steps += _CHECKED
        if np.abs(field - updated).max() < _SETTLED:
            break
    return field.reshape(tall, wide)


@compiled
def _update(field: Floats, inside: Floats, updated: Floats, stride: int) -> None:
    """Set ``updated`` to the distances that follow from those of the neighbours, and return the change.

    The mean of two upwind (Godunov) solutions: along rows and columns, and along the diagonals. Each takes
    the smaller of two opposite neighbours: the solution does not depend on the orientation.
    """
    length = len(field) - 2 * stride - 2
    above, here, below = field, field[stride:], field[2 * stride :]
    into, weights = updated[stride + 1 :], inside[stride + 1 :]
    for index in range(length):
        across = min(here[index], here[index + 2])
        down = min(above[index + 1], below[index + 1])
        falling = min(above[index], below[index + 2])
        rising = min(above[index + 2], below[index])
        step = min(abs(across - down), np.float32(1))
        slant = min(abs(falling - rising), _DIAGONAL)
        straight = min(across, down) + _HALF * (step + np.sqrt(np.float32(2) - step * step))
        diagonal = min(falling, rising) + _HALF * (slant + np.sqrt(np.float32(4) - slant * slant))
        into[index] = weights[index] * _HALF * (straight + diagonal)


@compiled
def _mirror(field: Floats, mirrored: tuple[bool, bool, bool, bool]) -> None:
    """Copy the outermost rows and columns of a box into its border where the piece continues."""
    if mirrored[0]:
        field[0] = field[1]
    if mirrored[1]:
        field[-1] = field[-2]
    if mirrored[2]:
        field[:, 0] = field[:, 1]
    if mirrored[3]:
        field[:, -1] = field[:, -2]


@compiled
def _climb(field: Floats, rows: Positions, columns: Positions, flows: Floats) -> None:
    """Set the flows of a piece, whose box begins at the first row and column of ``flows``.

    Values at opposite pixels are added first: rounding is the same in every orientation.
    """
    for index in range(len(rows)):
        row, column = rows[index], columns[index]
        above, here, below = field[row - 1], field[row], field[row + 1]
        upper = _SLANTED * (above[column - 1] + above[column + 1]) + _STRAIGHT * above[column]
        lower = _SLANTED * (below[column - 1] + below[column + 1]) + _STRAIGHT * below[column]
        before = _SLANTED * (above[column - 1] + below[column - 1]) + _STRAIGHT * here[column - 1]
        after = _SLANTED * (above[column + 1] + below[column + 1]) + _STRAIGHT * here[column + 1]
        down, across = lower - upper, after - before
        length = np.sqrt(down * down + across * across)
        if length > _FLAT:
            flows[0, row - 1, column - 1] = down / max(length, _FULL)
            flows[1, row - 1, column - 1] = across / max(length, _FULL)


@compiled
def outlines(labels: Integers) -> npt.NDArray[np.uint8]:
    """Return which pixels of cells have an edge in common with another cell or with the background.

    Args:
        labels: (H, W) ids.

    Returns:
        (H, W), 1 on outlines, otherwise 0; the border of the map is no outline.
    """
    height, width = labels.shape
    outline = np.zeros((height, width), np.uint8)
    for row in range(height):
        for column in range(width):
            label = labels[row, column]
            if row + 1 < height and labels[row + 1, column] != label:
                outline[row, column] = outline[row + 1, column] = 1
            if column + 1 < width and labels[row, column + 1] != label:
                outline[row, column] = outline[row, column + 1] = 1
    for row in range(height):
        for column in range(width):
            if labels[row, column] == 0:
                outline[row, column] = 0
    return outline
