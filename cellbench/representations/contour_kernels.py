"""Compiled outlines of cells: tracing, Fourier coefficients, and the nearest point of an outline."""

import numpy as np
import numpy.typing as npt

from cellbench.compiling import compiled

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Pieces = npt.NDArray[np.int32]
Places = npt.NDArray[np.int64]

# The four sides of a pixel in the order of the walk: top, right, bottom, left. (Rows, columns) to the
# pixel beyond a side, and along the side, with the inside on the right.
_OUT = np.array([[-1, 0], [0, 1], [1, 0], [0, -1]])
_ALONG = np.array([[0, 1], [1, 0], [0, -1], [-1, 0]])
_NEAR = 1e-9


@compiled
def trace(pieces: Pieces, count: int) -> tuple[Doubles, Places]:
    """Follow the outer outline of each piece through the middles of its pixels' outer sides.

    Straight lines between these points cut the corners of pixels, so an outline is smooth, and the area
    inside is half a pixel smaller than the number of pixels. Pixels that touch at a corner are
    connected.

    Args:
        pieces: (H, W) numbered pieces, 0 elsewhere.
        count: number of pieces.

    Returns:
        (N, 2) rows and columns of the points of all outlines, counter-clockwise, and where each outline
        begins; one more number says where the last one ends.
    """
    height, width = pieces.shape
    first = np.full(count + 1, -1, np.int64)
    for row in range(height):
        for column in range(width):
            if first[pieces[row, column]] < 0:
                first[pieces[row, column]] = row * width + column
    points = np.empty((1024, 2), np.float64)
    starts = np.zeros(count + 1, np.int64)
    used = 0
    for piece in range(1, count + 1):
        row, column, side = first[piece] // width, first[piece] % width, 0
        while True:
            if used == len(points):
                points = np.concatenate((points, np.empty_like(points)))
            points[used, 0] = row + 0.5 * _OUT[side, 0]
            points[used, 1] = column + 0.5 * _OUT[side, 1]
            used += 1
            row, column, side = _next_side(pieces, piece, row, column, side)
            if side == 0 and row * width + column == first[piece]:
                break
        points[starts[piece - 1] : used] = points[starts[piece - 1] : used][::-1].copy()
        starts[piece] = used
    return points[:used], starts


@compiled
def _next_side(
    pieces: Pieces, piece: int, row: int, column: int, side: int
) -> tuple[int, int, int]:
    """Return the pixel and its side with which an outline continues."""
    ahead_row, ahead_column = row + _ALONG[side, 0], column + _ALONG[side, 1]
    beyond_row, beyond_column = ahead_row + _OUT[side, 0], ahead_column + _OUT[side, 1]
    if _is_in(pieces, piece, beyond_row, beyond_column):
        return beyond_row, beyond_column, (side + 3) % 4
    if _is_in(pieces, piece, ahead_row, ahead_column):
        return ahead_row, ahead_column, side
    return row, column, (side + 1) % 4


@compiled
def _is_in(pieces: Pieces, piece: int, row: int, column: int) -> bool:
    inside = 0 <= row < pieces.shape[0] and 0 <= column < pieces.shape[1]
    return bool(inside and pieces[row, column] == piece)


@compiled
def transform(points: Doubles, starts: Places, order: int) -> tuple[Floats, Floats]:
    """Return the elliptic Fourier coefficients of closed polygons (Kuhl and Giardina 1982).

    Each polygon is a periodic function of the length along it. Where it begins is chosen so that the
    2 × 2 matrix of the first harmonic is symmetric, see
    [`Contour`][cellbench.representations.contour.Contour].

    Args:
        points: (N, 2) corners, counter-clockwise.
        starts: (polygons + 1,) where each polygon begins, and the last one ends.
        order: number of harmonics.

    Returns:
        Centres, the mean along each polygon, (polygons, 2) rows and columns; and coefficients
        (polygons, 4 · order), of each harmonic the cosine and sine of the rows, then of the columns.
    """
    count = len(starts) - 1
    centres = np.empty((count, 2), np.float32)
    coefficients = np.empty((count, 4 * order), np.float32)
    sums = np.empty(4 * order, np.float64)
    for polygon in range(count):
        corners = points[starts[polygon] : starts[polygon + 1]]
        centre = _harmonics(corners, order, sums)
        centres[polygon, 0], centres[polygon, 1] = centre
        shift = -np.arctan2(sums[2] - sums[1], sums[0] + sums[3])
        for harmonic in range(order):
            cosine, sine = np.cos((harmonic + 1) * shift), np.sin((harmonic + 1) * shift)
            for axis in range(2):
                place = 4 * harmonic + 2 * axis
                a, b = sums[place], sums[place + 1]
                coefficients[polygon, place] = a * cosine + b * sine
                coefficients[polygon, place + 1] = b * cosine - a * sine
    return centres, coefficients


@compiled
def _harmonics(corners: Doubles, order: int, sums: Doubles) -> tuple[float, float]:
    """Compute the coefficients of a polygon that begins at its first corner; return the centre."""
    count = len(corners)
    length = 0.0
    for corner in range(count):
        down = corners[corner, 0] - corners[corner - 1, 0]
        right = corners[corner, 1] - corners[corner - 1, 1]
        length += np.sqrt(down * down + right * right)
    sums[:] = 0
    row = column = position = 0.0
    angle = 2 * np.pi / length
    for corner in range(1, count + 1):
        start, end = corners[corner - 1], corners[corner % count]
        down, right = end[0] - start[0], end[1] - start[1]
        step = np.sqrt(down * down + right * right)
        row += step * (start[0] + end[0]) / 2
        column += step * (start[1] + end[1]) / 2
        before, after = angle * position, angle * (position + step)
        position += step
        for harmonic in range(1, order + 1):
            scale = length / (2 * np.pi**2 * harmonic**2 * step)
            cosine = scale * (np.cos(harmonic * after) - np.cos(harmonic * before))
            sine = scale * (np.sin(harmonic * after) - np.sin(harmonic * before))
            place = 4 * (harmonic - 1)
            sums[place] += down * cosine
            sums[place + 1] += down * sine
            sums[place + 2] += right * cosine
            sums[place + 3] += right * sine
    return row / length, column / length


@compiled
def point_to_outlines(
    points: Doubles, starts: Places, shape: tuple[int, int], grid: int, reach: float
) -> Floats:
    """Return vectors from pixels to the nearest point of any outline.

    Where several points are equally near, the vector is the mean, so that the map of a rotated label
    map is the rotated map.

    Args:
        points: (N, 2) corners of closed polygons.
        starts: (polygons + 1,) where each polygon begins, and the last one ends.
        shape: (H, W) of the label map.
        grid: only pixels whose row and column are divisible by it are computed.
        reach: largest distance in pixels; pixels that are farther away have the vector 0.

    Returns:
        (2, ⌈H / grid⌉, ⌈W / grid⌉), down and to the right.
    """
    height, width = (shape[0] - 1) // grid + 1, (shape[1] - 1) // grid + 1
    nearest = np.full((height, width), reach * reach + _NEAR)
    found = np.zeros((height, width), np.int64)
    vectors = np.zeros((2, height, width), np.float64)
    for polygon in range(len(starts) - 1):
        for index in range(starts[polygon], starts[polygon + 1]):
            start = points[index]
            end = points[index + 1 if index + 1 < starts[polygon + 1] else starts[polygon]]
            top = max(int(np.ceil((min(start[0], end[0]) - reach) / grid)), 0)
            bottom = min(int((max(start[0], end[0]) + reach) // grid), height - 1)
            left = max(int(np.ceil((min(start[1], end[1]) - reach) / grid)), 0)
            right = min(int((max(start[1], end[1]) + reach) // grid), width - 1)
            along = end - start
            squared = along[0] * along[0] + along[1] * along[1]
            for row in range(top, bottom + 1):
                for column in range(left, right + 1):
                    down, across = start[0] - row * grid, start[1] - column * grid
                    share = -(down * along[0] + across * along[1]) / squared
                    if share >= 1:  # the next side begins there
                        continue
                    share = max(share, 0.0)
                    down, across = down + share * along[0], across + share * along[1]
                    distance = down * down + across * across
                    if distance > nearest[row, column] + _NEAR:
                        continue
                    if distance < nearest[row, column] - _NEAR:
                        nearest[row, column], found[row, column] = distance, 0
                        vectors[0, row, column] = vectors[1, row, column] = 0
                    found[row, column] += 1
                    vectors[0, row, column] += down
                    vectors[1, row, column] += across
    return (vectors / np.maximum(found, 1)).astype(np.float32)
