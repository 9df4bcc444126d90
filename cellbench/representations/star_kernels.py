"""Compiled measuring, suppression and drawing of star-convex polygons."""

from typing import Any

import numpy as np
import numpy.typing as npt

from cellbench.compiling import compiled

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.integer[Any]]
Flags = npt.NDArray[np.bool_]


@compiled
def measure(
    distances: Floats,
    probability: Floats,
    points: Integers,
    directions: Floats,
    ray_samples: int,
    longest: float,
    lengths: Floats,
) -> None:
    """Measure the lengths of rays, as a mean over the distances of pixels along each ray.

    With n = ``ray_samples``, a ray of length d is measured from the pixels at 0, 1 / n, 2 / n, … of d:
    the distance of each to the end of the ray estimates where it ends. The mean of the estimates is
    weighted by the object probabilities of the pixels; values that are not finite, or outside the
    image, do not count.

    Args:
        distances: (rays, H, W) in pixels.
        probability: (H, W).
        points: (2, N) rows and columns of the pixels.
        directions: (2, rays) rows and columns of the rays' unit vectors.
        ray_samples: number of pixels along a ray, 1 or more; 1 uses the lengths as they are.
        longest: largest distance in pixels from which a ray is measured.
        lengths: (N, rays) array that is filled; not finite where the length of the pixel is not.
    """
    rays, height, width = distances.shape
    for ray in range(rays):
        down, across = directions[0, ray], directions[1, ray]
        for index in range(points.shape[1]):
            row, column = points[0, index], points[1, index]
            own = distances[ray, row, column]
            change = weights = np.float32(0)
            for sample in range(1, ray_samples if np.isfinite(own) else 0):
                gone = min(max(own, np.float32(0)), longest) * sample / ray_samples
                there_row = int(np.floor(row + gone * down + 0.5))
                there_column = int(np.floor(column + gone * across + 0.5))
                if not (0 <= there_row < height and 0 <= there_column < width):
                    continue
                weight = probability[there_row, there_column]
                length = distances[ray, there_row, there_column]
                if weight > 0 and np.isfinite(length):
                    passed = (there_row - row) * down + (there_column - column) * across
                    change += weight * (passed + length - own)
                    weights += weight
            if weights > 0:
                own += change / (weights + probability[row, column])
            lengths[index, ray] = own


@compiled
def suppress(
    points: Floats,
    distances: Floats,
    directions: Floats,
    threshold: float,
    side: float,
    tiles: tuple[int, int],
) -> Flags:
    """Mark the polygons that are kept: those that no better kept polygon covers.

    A polygon is covered if the area that it shares with a better one is more than ``threshold`` of the
    smaller of the two, as in stardist. Kept polygons are looked up by the tiles of the image that their
    bounding boxes touch.

    Args:
        points: (N, 2) row and column of each polygon's centre, best first.
        distances: (N, rays) lengths of the rays, above 0.
        directions: (2, rays) rows and columns of the rays' unit vectors.
        threshold: share of the smaller area, in [0, 1].
        side: side of a tile in pixels.
        tiles: rows and columns of tiles.

    Returns:
        (N,) true where kept.
    """
    count, rays = distances.shape
    kept = np.zeros(count, np.bool_)
    tested = np.full(count, -1, np.int64)
    boxes, areas = np.empty((count, 4), np.float32), np.empty(count, np.float32)
    newest = np.full(tiles, -1, np.int64)
    entries, used = np.empty((1024, 2), np.int64), 0
    work = np.empty((3, 5, rays), np.float32)
    for polygon in range(count):
        areas[polygon] = _outline(distances[polygon], directions, 0, 0, work[0], boxes[polygon])
        boxes[polygon, :2] += points[polygon, 0]
        boxes[polygon, 2:] += points[polygon, 1]
        span = _tile_span(boxes[polygon], side, tiles)
        centre = int(points[polygon, 0] / side), int(points[polygon, 1] / side)
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
                        other, polygon, points, distances, directions, boxes, areas, threshold, work
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
    distances: Floats,
    directions: Floats,
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
    _outline(distances[better], directions, down, across, work[1], work[2, 1])
    return bool(_shared_area(work[0], work[1], work[2, 0]) > least)


@compiled
def _outline(
    distances: Floats, directions: Floats, row: float, column: float, edges: Floats, box: Floats
) -> float:
    """Compute a polygon's edges (left end, right end, slope, row at column 0, sign); return its area.

    The sign says whether the inside is above or below an edge. The box is top, bottom, left, right.
    """
    rays = len(distances)
    rows, columns = edges[4], edges[3]
    box[0], box[1], box[2], box[3] = row, row, column, column
    turn = directions[0, 1] * directions[1, 0] - directions[1, 1] * directions[0, 0]
    area = np.float32(0)
    for ray in range(rays):
        rows[ray] = row + distances[ray] * directions[0, ray]
        columns[ray] = column + distances[ray] * directions[1, ray]
        box[0], box[1] = min(box[0], rows[ray]), max(box[1], rows[ray])
        box[2], box[3] = min(box[2], columns[ray]), max(box[3], columns[ray])
        area += distances[ray] * distances[ray - 1]
    last_row, last_column = rows[rays - 1], columns[rays - 1]
    for ray in range(rays):
        next_row, next_column = rows[ray], columns[ray]
        width = next_column - last_column
        slope = (next_row - last_row) / width if abs(width) > 1e-6 else np.float32(0)
        edges[0, ray], edges[1, ray] = min(last_column, next_column), max(last_column, next_column)
        edges[2, ray], edges[3, ray] = slope, last_row - slope * last_column
        edges[4, ray] = 1 if width > 0 else -1
        last_row, last_column = next_row, next_column
    return float(np.float32(0.5) * abs(turn) * area)


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
    return float(area)


@compiled
def draw(points: Floats, distances: Floats, directions: Floats, labels: Integers) -> None:
    """Draw polygons, the first on top, with the ids 1, 2, …: all pixels whose centres are inside.

    Args:
        points: (N, 2) row and column of each polygon's centre.
        distances: (N, rays) lengths of the rays, above 0.
        directions: (2, rays) rows and columns of the rays' unit vectors.
        labels: (H, W) array that is drawn on.
    """
    rays = distances.shape[1]
    rows, columns = np.empty(rays, np.float64), np.empty(rays, np.float64)
    crossings = np.empty(rays, np.float64)
    for polygon in range(len(points) - 1, -1, -1):
        for ray in range(rays):
            rows[ray] = points[polygon, 0] + distances[polygon, ray] * directions[0, ray]
            columns[ray] = points[polygon, 1] + distances[polygon, ray] * directions[1, ray]
        top = max(int(np.ceil(rows.min())), 0)
        bottom = min(int(np.floor(rows.max())), labels.shape[0] - 1)
        for row in range(top, bottom + 1):
            count = 0
            for ray in range(rays):
                above, below = rows[ray - 1], rows[ray]
                if (above <= row) != (below <= row):
                    share = (row - above) / (below - above)
                    crossings[count] = columns[ray - 1] + share * (columns[ray] - columns[ray - 1])
                    count += 1
            crossings[:count].sort()
            for pair in range(0, count - 1, 2):
                first = max(int(np.ceil(crossings[pair])), 0)
                end = min(int(np.floor(crossings[pair + 1])) + 1, labels.shape[1])
                labels[row, first : max(first, end)] = polygon + 1
