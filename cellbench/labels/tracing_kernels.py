"""Machine code that follows the edges of pixels around the pieces of a label map."""

import numpy as np
import numpy.typing as npt

from cellbench.compiling import compiled

_Integers = npt.NDArray[np.int32]
_Flags = npt.NDArray[np.bool_]

# Steps of row and column from one corner of pixels to the next: east, south, west, north.
_DOWN = np.array([0, 1, 0, -1])
_ACROSS = np.array([1, 0, -1, 0])
# The pixels ahead of a corner on the left and on the right, relative to the pixel below and right of it.
_LEFT_ROW, _LEFT_COLUMN = np.array([-1, 0, 0, -1]), np.array([0, 0, -1, -1])
_RIGHT_ROW, _RIGHT_COLUMN = np.array([0, 0, -1, -1]), np.array([0, -1, -1, 0])


@compiled
def trace_edges(pieces: _Integers) -> tuple[_Integers, npt.NDArray[np.int64], _Integers, _Flags]:
    """Follow all edges between each piece and what is not the piece.

    The piece is on the right hand side when x goes right and y goes down. Pixels that touch at a corner
    only are not followed from one to the other.

    Args:
        pieces: (H + 2, W + 2) numbers of pieces that are connected by edges, 0 in the background and in
            the outer rows and columns.

    Returns:
        (K, 2) x and y of the corners of all rings, in pixels without the outer ones; (R,) the end of each
        ring in them; (R,) the piece of each ring; and (R,) whether the ring may meet itself at a corner.
    """
    corners, most_rings = _count(pieces)
    points = np.empty((corners, 2), np.int32)
    ends = np.empty(most_rings, np.int64)
    owners = np.empty(most_rings, np.int32)
    meets = np.zeros(most_rings, np.bool_)
    visited = np.zeros(pieces.shape, np.bool_)
    point, ring = 0, 0
    for row in range(1, pieces.shape[0] - 1):
        for column in range(1, pieces.shape[1] - 1):
            piece = pieces[row, column]
            if piece == 0 or pieces[row - 1, column] == piece or visited[row, column]:
                continue
            # The upper edge of this pixel begins at a corner, or the pixel before would have been first.
            point, meets[ring] = _follow(pieces, visited, row, column, points, point)
            owners[ring], ends[ring] = piece, point
            ring += 1
    return points, ends[:ring], owners[:ring], meets[:ring]


@compiled
def _follow(
    pieces: _Integers, visited: _Flags, row: int, column: int, points: _Integers, point: int
) -> tuple[int, bool]:
    """Write the corners of one ring from ``point`` on; return their end, and whether it may meet itself.

    The ring starts at the upper left corner of a pixel and goes east.
    """
    piece = pieces[row, column]
    y, x, direction, meets = row, column, 0, False
    points[point] = x - 1, y - 1
    point += 1
    while True:
        if direction == 0:
            visited[y, x] = True
        y, x = y + _DOWN[direction], x + _ACROSS[direction]
        left = pieces[y + _LEFT_ROW[direction], x + _LEFT_COLUMN[direction]] == piece
        right = pieces[y + _RIGHT_ROW[direction], x + _RIGHT_COLUMN[direction]] == piece
        if not right:
            direction = (direction + 1) % 4
            meets |= left
        elif left:
            direction = (direction + 3) % 4
        else:
            continue
        if y == row and x == column and direction == 0:
            return point, meets
        points[point] = x - 1, y - 1
        point += 1


@compiled
def _count(pieces: _Integers) -> tuple[int, int]:
    """Return the number of corners of all rings, and the largest possible number of rings."""
    corners, starts = 0, 0
    for row in range(1, pieces.shape[0] - 1):
        for column in range(1, pieces.shape[1] - 1):
            piece = pieces[row, column]
            if piece == 0:
                continue
            for down in (-1, 1):
                for across in (-1, 1):
                    beside = pieces[row, column + across] == piece
                    above = pieces[row + down, column] == piece
                    both = beside and above and pieces[row + down, column + across] != piece
                    corners += both or not (beside or above)
            if pieces[row - 1, column] != piece:
                same_side = (
                    pieces[row, column - 1] == piece and pieces[row - 1, column - 1] != piece
                )
                starts += not same_side
    return corners, starts
