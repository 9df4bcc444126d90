"""Star-convex polygons: candidates from dense maps, non-maximum suppression, drawing."""

import warnings
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cellbench.representations.base import DecodedCells
from cellbench.representations.decoded import renumbered
from cellbench.representations.star_maps import Floats, ray_directions

_SHORTEST = 1e-3
_LEAST_TILE = 8.0


class Polygons(NamedTuple):
    """Star-convex polygons, the best first.

    Attributes:
        points: (N, 2) float32, row and column of the centres.
        distances: (N, rays) float32, lengths of the rays in pixels.
        scores: (N,) float32.
    """

    points: Floats
    distances: Floats
    scores: Floats

    def taken(self, which: npt.NDArray[Any]) -> "Polygons":
        """Return some of the polygons.

        Args:
            which: indices, flags or a slice.
        """
        return Polygons(self.points[which], self.distances[which], self.scores[which])


def find_candidates(
    probability: npt.NDArray[Any],
    distances: npt.NDArray[Any],
    threshold: float,
    grid: int = 1,
    most: int = 2_000_000,
    ray_samples: int = 1,
) -> Polygons:
    """List the polygons of all pixels above a probability, the best first; ties by position.

    Pixels with a probability or a distance that is not finite are no candidates. Distances are kept
    between 0.001 px, as StarDist does, and the image's diagonal.

    Args:
        probability: (H, W).
        distances: (rays, H, W) in pixels.
        threshold: probability that a candidate exceeds.
        grid: only pixels whose row and column are divisible by it are candidates.
        most: largest number of candidates; if there are more, only the best are kept, with a warning.
        ray_samples: number of pixels along a ray whose distances determine where it ends; 1 uses the
            candidate only, as StarDist does.
    """
    from cellbench.representations.star_kernels import measure

    with np.errstate(invalid="ignore"):
        rows, columns = np.nonzero(probability[::grid, ::grid] > threshold)
    rows, columns = grid * rows, grid * columns
    scores = np.asarray(probability[rows, columns], np.float32)
    order = np.argsort(-scores, kind="stable")
    if len(order) > most:
        warnings.warn(
            f"{len(order)} candidate polygons: only the best {most} are used; increase "
            "probability_threshold or grid",
            stacklevel=2,
        )
        order = order[:most]
    rows, columns = rows[order], columns[order]
    lengths = np.empty((len(order), len(distances)), np.float32)
    longest = max(float(np.hypot(*probability.shape)), 1.0)
    measure(
        np.require(distances, np.float32, ["C", "W"]),
        np.require(probability, np.float32, ["C", "W"]),
        np.stack([rows, columns]),
        ray_directions(len(distances)),
        ray_samples,
        longest,
        lengths,
    )
    finite = np.isfinite(lengths).all(axis=1) & np.isfinite(scores[order])
    points = np.stack([rows, columns], axis=-1).astype(np.float32)
    return Polygons(points, lengths.clip(_SHORTEST, longest), scores[order]).taken(finite)


def suppress_worse(
    polygons: Polygons, threshold: float, shape: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    """Mark the polygons that no better one covers: StarDist's greedy non-maximum suppression.

    Areas are exact; stardist rounds the corners to whole pixels first.

    Args:
        polygons: the best first.
        threshold: largest share of the smaller polygon's area that two kept ones may have in common.
        shape: (H, W) of the image.

    Returns:
        (N,) flags.
    """
    from cellbench.representations.polygon_kernels import suppress

    if len(polygons.points) == 0:
        return np.zeros(0, bool)
    # About the size of a cell, so that a polygon is in few tiles, and a tile has few polygons.
    side = max(_LEAST_TILE, 2 * float(np.median(polygons.distances)))
    tiles = (int(shape[0] / side) + 1, int(shape[1] / side) + 1)
    kept: npt.NDArray[np.bool_] = suppress(
        polygons.points, _corners(polygons), threshold, side, tiles
    )
    return kept


def draw_polygons(polygons: Polygons, shape: tuple[int, int]) -> DecodedCells:
    """Draw polygons into a label map, the best on top; ids are 1 … N, the best first.

    A polygon has at least the pixel of its centre; one that better ones hide completely is left out.

    Args:
        polygons: the best first.
        shape: (H, W) of the image.

    Returns:
        (H, W) uint16, or uint32 from 65,536 cells on; and the ``score`` of each cell.
    """
    from cellbench.representations.polygon_kernels import draw

    labels = np.zeros(shape, np.int32)
    draw(polygons.points, _corners(polygons), True, labels)
    return renumbered(DecodedCells(labels, {"score": polygons.scores}))


def _corners(polygons: Polygons) -> Floats:
    """Return the rows and columns of the corners, seen from the centres, (N, 2, rays)."""
    directions = ray_directions(polygons.distances.shape[1])
    corners: Floats = polygons.distances[:, None] * directions
    return corners
