"""Compiled non-maximum suppression and drawing of polygons."""

from typing import Any

import numpy as np
import numpy.typing as npt

from cellbench.compiling import compiled

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.integer[Any]]
Flags = npt.NDArray[np.bool_]


@compiled
def suppress(
    points: Floats,
    corners: Floats,
    threshold: float,
    side: float,
    tiles: tuple[int, int],
) -> Flags:
    """Mark the polygons that are kept: those that no better kept polygon covers.

    A polygon is covered if the area that it shares with a better one is more than ``threshold`` of the
    smaller of the two, as in stardist. Kept polygons are looked up by the tiles of the image that their
    bounding boxes touch.

    Args:
        points: (N, 2) row and column of a point of each polygon, such as its centre, best first.
        corners: (N, 2, C) rows and columns of the corners, seen from that point. All polygons are
            simple ones.
        threshold: share of the smaller area, in [0, 1].
        side: side of a tile in pixels.
        tiles: rows and columns of tiles.

    Returns:
        (N,) true where kept.
    """
    count, _, sides = corners.shape
    kept = np.zeros(count, np.bool_)
    tested = np.full(count, -1, np.int64)
    boxes, areas = np.empty((count, 4), np.float32), np.empty(count, np.float32)
    newest = np.full(tiles, -1, np.int64)
    entries, used = np.empty((1024, 2), np.int64), 0
    work = np.empty((3, 5, sides), np.float32)
    for polygon in range(count):
        areas[polygon] = _area(corners[polygon])
        for axis in range(2):
            boxes[polygon, 2 * axis] = points[polygon, axis] + corners[polygon, axis].min()
            boxes[polygon, 2 * axis + 1] = points[polygon, axis] + corners[polygon, axis].max()
        _find_edges(corners[polygon], 0, 0, work[0])
        span = _tile_span(boxes[polygon], side, tiles)
        centre = (
            int(min(max(points[polygon, 0] / side, 0), tiles[0] - 1)),
            int(min(max(points[polygon, 1] / side, 0), tiles[1] - 1)),
        )
        covered = False
        for turn in range(-1, (span[1] - span[0]) * (span[3] - span[2])):
            # The tile of the centre first, because what covers a polygon is mostly there.
            down = centre[0] if turn < 0 else span[0] + turn // (span[3] - span[2])
            across = centre[1] if turn < 0 else span[2] + turn % (span[3] - span[2])
            entry = newest[down, across]
            while entry >= 0 and not covered:
                other = entries[entry, 0]
                if tested[other] != polygon:
                    tested[other] = polygon
                    covered = _covers(
                        other, polygon, points, corners, boxes, areas, threshold, work
                    )
                entry = entries[entry, 1]
            if covered:
                break
        if not covered:
            kept[polygon] = True
            entries, used = _register(polygon, span, newest, entries, used)
    return kept


@compiled
def _tile_span(box: Floats, side: float, tiles: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the rows and columns of tiles that a box touches; parts outside count to the border."""
    top, bottom = min(max(box[0] / side, 0), tiles[0] - 1), min(max(box[1] / side, 0), tiles[0] - 1)
    left, right = min(max(box[2] / side, 0), tiles[1] - 1), min(max(box[3] / side, 0), tiles[1] - 1)
    return int(top), int(bottom) + 1, int(left), int(right) + 1


@compiled
def _register(
    polygon: int,
    span: tuple[int, int, int, int],
    newest: npt.NDArray[np.int64],
    entries: npt.NDArray[np.int64],
    used: int,
) -> tuple[npt.NDArray[np.int64], int]:
    """Add a kept polygon to the lists of its tiles; the entries may move to a larger array."""
    needed = used + (span[1] - span[0]) * (span[3] - span[2])
    if needed > len(entries):
        larger = np.empty((2 * needed, 2), np.int64)
        larger[:used] = entries[:used]
        entries = larger
    for down in range(span[0], span[1]):
        for across in range(span[2], span[3]):
            entries[used, 0], entries[used, 1] = polygon, newest[down, across]
            newest[down, across] = used
            used += 1
    return entries, used


@compiled
def _covers(
    better: int,
    polygon: int,
    points: Floats,
    corners: Floats,
    boxes: Floats,
    areas: Floats,
    threshold: float,
    work: Floats,
) -> bool:
    """Return whether two polygons share more than ``threshold`` of the smaller (``work[0]``: second)."""
    box, other = boxes[polygon], boxes[better]
    height = min(box[1], other[1]) - max(box[0], other[0])
    width = min(box[3], other[3]) - max(box[2], other[2])
    least = threshold * min(areas[polygon], areas[better])
    if height <= 0 or width <= 0 or height * width <= least:
        return False
    down = points[better, 0] - points[polygon, 0]
    across = points[better, 1] - points[polygon, 1]
    _find_edges(corners[better], down, across, work[1])
    return bool(_shared_area(work[0], work[1], work[2, 0]) > least)


@compiled
def _area(corners: Floats) -> float:
    """Return the area of a polygon with corners (2, C)."""
    rows, columns = corners
    area = np.float32(0)
    for corner in range(len(rows)):
        area += rows[corner - 1] * columns[corner] - rows[corner] * columns[corner - 1]
    return float(np.float32(0.5) * abs(area))


@compiled
def _find_edges(corners: Floats, down: float, across: float, edges: Floats) -> None:
    """Compute a moved polygon's edges: left end, right end, slope, row at column 0, sign.

    The sign says whether the inside is above or below an edge.
    """
    rows, columns = corners
    last_row = np.float32(rows[len(rows) - 1] + down)
    last_column = np.float32(columns[len(rows) - 1] + across)
    for corner in range(len(rows)):
        next_row = np.float32(rows[corner] + down)
        next_column = np.float32(columns[corner] + across)
        width = next_column - last_column
        slope = (next_row - last_row) / width if abs(width) > 1e-6 else np.float32(0)
        edges[0, corner] = min(last_column, next_column)
        edges[1, corner] = max(last_column, next_column)
        edges[2, corner], edges[3, corner] = slope, last_row - slope * last_column
        edges[4, corner] = 1 if width > 0 else -1
        last_row, last_column = next_row, next_column


@compiled
def _shared_area(first: Floats, second: Floats, parts: Floats) -> float:
    """Return the area that two polygons share, from their edges.

    A polygon is the signed sum of the strips between its edges and a common base line, so the shared
    area is the signed sum of what the strips share: for each pair of edges, the integral of the smaller
    one over the columns of both. There is one sum for each edge of the second polygon, in a fixed
    order, so that the loop is vectorised and every machine adds in the same order.
    """
    left, right, slope, base, sign = second[0], second[1], second[2], second[3], second[4]
    parts[:] = 0
    half = np.float32(0.5)
    for edge in range(first.shape[1]):
        from_, to, rise, start, weight = (
            first[0, edge],
            first[1, edge],
            first[2, edge],
            first[3, edge],
            half * first[4, edge],
        )
        for other in range(second.shape[1]):
            low, high = max(from_, left[other]), min(to, right[other])
            width = max(high - low, np.float32(0))
            row, row_after = start + rise * low, start + rise * high
            other_row, other_row_after = (
                base[other] + slope[other] * low,
                base[other] + slope[other] * high,
            )
            gap, gap_after = abs(row - other_row), abs(row_after - other_row_after)
            crossing = gap * gap_after / (gap + gap_after + np.float32(1e-20))
            crosses = (row < other_row) != (row_after < other_row_after)
            smaller = half * (row + row_after + other_row + other_row_after - gap - gap_after)
            smaller += crossing if crosses else np.float32(0)
            parts[other] += weight * sign[other] * width * smaller
    area = np.float32(0)
    for other in range(len(parts)):
        area += parts[other]
    return float(abs(area))


@compiled
def draw(points: Floats, corners: Floats, backwards: bool, labels: Integers) -> None:
    """Draw polygons with the ids 1, 2, …, one over the other: all pixels whose centres are inside.

    Args:
        points: (N, 2) row and column of a point of each polygon.
        corners: (N, 2, C) rows and columns of the corners, seen from that point.
        backwards: draw the last polygon first, so that the first one is on top.
        labels: (H, W) array that is drawn on.
    """
    count, _, sides = corners.shape
    rows, columns = np.empty(sides, np.float64), np.empty(sides, np.float64)
    crossings = np.empty(sides, np.float64)
    for turn in range(count):
        polygon = count - 1 - turn if backwards else turn
        for corner in range(sides):
            rows[corner] = points[polygon, 0] + corners[polygon, 0, corner]
            columns[corner] = points[polygon, 1] + corners[polygon, 1, corner]
        top = max(int(np.ceil(rows.min())), 0)
        bottom = min(int(np.floor(rows.max())), labels.shape[0] - 1)
        for row in range(top, bottom + 1):
            found = 0
            for corner in range(sides):
                above, below = rows[corner - 1], rows[corner]
                if (above <= row) != (below <= row):
                    share = (row - above) / (below - above)
                    crossings[found] = columns[corner - 1]
                    crossings[found] += share * (columns[corner] - columns[corner - 1])
                    found += 1
            crossings[:found].sort()
            for pair in range(0, found - 1, 2):
                first = max(int(np.ceil(crossings[pair])), 0)
                end = min(int(np.floor(crossings[pair + 1])) + 1, labels.shape[1])
                labels[row, first : max(first, end)] = polygon + 1
