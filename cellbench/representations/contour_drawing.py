"""Compiled steps from Fourier coefficients to cells: sampling, refinement, division of shared pixels."""

import numpy as np
import numpy.typing as npt

from cellbench.compiling import compiled

Floats = npt.NDArray[np.float32]


@compiled
def sample_outlines(coefficients: Floats, basis: Floats) -> Floats:
    """Return points on outlines: the inverse Fourier transform.

    Args:
        coefficients: (N, 4 · order), of each harmonic the cosine and sine of the rows, then of the
            columns.
        basis: (2 · order, samples) values of the cosine and sine of each harmonic.

    Returns:
        (N, 2, samples) rows and columns, seen from the centre.
    """
    waves, samples = basis.shape
    points = np.zeros((len(coefficients), 2, samples), np.float32)
    for index in range(len(coefficients)):
        for axis in range(2):
            values = points[index, axis]
            for wave in range(waves):
                factor = coefficients[index, 4 * (wave // 2) + 2 * axis + wave % 2]
                for sample in range(samples):
                    values[sample] += factor * basis[wave, sample]
    return points


@compiled
def refine(points: Floats, corners: Floats, refinement: Floats, hops: int) -> None:
    """Move corners by the vectors where they are, several times; between pixels, by interpolation.

    Corners outside the image take the vectors of the nearest pixels.

    Args:
        points: (N, 2) row and column of a point of each polygon.
        corners: (N, 2, C) rows and columns of its corners, seen from that point; they are changed.
        refinement: (2, H, W) vectors in pixels, down and to the right.
        hops: how often each corner is moved.
    """
    height, width = refinement.shape[1:]
    for polygon in range(len(points)):
        for corner in range(corners.shape[2]):
            row = points[polygon, 0] + corners[polygon, 0, corner]
            column = points[polygon, 1] + corners[polygon, 1, corner]
            for _ in range(hops):
                inside_row = min(max(row, 0.0), height - 1.0)
                inside_column = min(max(column, 0.0), width - 1.0)
                top = min(int(inside_row), max(height - 2, 0))
                left = min(int(inside_column), max(width - 2, 0))
                below, beside = min(top + 1, height - 1), min(left + 1, width - 1)
                down, right = inside_row - top, inside_column - left
                moved_down = moved_right = 0.0
                for near_row, near_column, share in (
                    (top, left, (1 - down) * (1 - right)),
                    (top, beside, (1 - down) * right),
                    (below, left, down * (1 - right)),
                    (below, beside, down * right),
                ):
                    moved_down += share * refinement[0, near_row, near_column]
                    moved_right += share * refinement[1, near_row, near_column]
                row += moved_down
                column += moved_right
            corners[polygon, 0, corner] = row - points[polygon, 0]
            corners[polygon, 1, corner] = column - points[polygon, 1]


@compiled
def grow(
    labels: npt.NDArray[np.int32], lowest: npt.NDArray[np.int32], shared: npt.NDArray[np.int64]
) -> None:
    """Divide pixels that several cells cover, by growing the cells pixel by pixel.

    In each round, a shared pixel joins a cell that covers it and has a pixel beside it; of two, the
    better one. What no cell reaches stays with the best cell that covers it.

    Args:
        labels: (H, W) ids of the best cell that covers each pixel; changed in the shared pixels.
        lowest: (H, W) ids of the worst cell that covers each pixel.
        shared: indices of the pixels, row by row, that several cells cover.
    """
    height, width = labels.shape
    values, others = labels.ravel(), lowest.ravel()
    best = values[shared]
    values[shared] = 0
    left = len(shared)
    waiting = shared.copy()
    reached, owners = np.empty(left, np.int64), np.empty(left, np.int32)
    own = np.zeros(labels.size, np.int32)
    own[shared] = best
    while left > 0:
        found = kept = 0
        for index in range(left):
            pixel = waiting[index]
            row, column = pixel // width, pixel % width
            owner = 0
            for near, exists in (
                (pixel - width, row > 0),
                (pixel - 1, column > 0),
                (pixel + 1, column < width - 1),
                (pixel + width, row < height - 1),
            ):
                label = values[near] if exists else 0
                covers = label == own[pixel] or label == others[pixel]
                if label > 0 and covers and (owner == 0 or label < owner):
                    owner = label
            if owner > 0:
                reached[found], owners[found] = pixel, owner
                found += 1
            else:
                waiting[kept] = pixel
                kept += 1
        for index in range(found):
            values[reached[index]] = owners[index]
        if found == 0:
            break
        left = kept
    for index in range(left):
        values[waiting[index]] = own[waiting[index]]
