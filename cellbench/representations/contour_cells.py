"""Predicted outlines of cells: candidates, suppression, refinement, and the label map."""

import warnings
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cellbench.representations.base import DecodedCells, NumpyMaps
from cellbench.representations.decoded import renumbered

Floats = npt.NDArray[np.float32]

_ROUGH_CORNERS = 24  # of the polygons that are compared; those that are drawn have more
_LEAST_TILE = 8.0
_MOST_DIAGONALS = 10  # beyond, a coefficient says nothing about a cell, not even that it is large


class Contours(NamedTuple):
    """Outlines as Fourier coefficients, the best first.

    Attributes:
        points: (N, 2) float32, rows and columns of the centres.
        coefficients: (N, 4 · order) float32 in pixels.
        scores: (N,) float32.
        uncertainties: (N,) float32, mean of the four sides.
    """

    points: Floats
    coefficients: Floats
    scores: Floats
    uncertainties: Floats

    def taken(self, which: npt.NDArray[Any] | slice) -> "Contours":
        """Return some of the outlines.

        Args:
            which: indices, flags or a slice.
        """
        return Contours(*(each[which] for each in self))


@np.errstate(invalid="ignore", over="ignore")  # what overflows is not finite, and no candidate
def find_candidates(maps: NumpyMaps, threshold: float, grid: int, most: int) -> Contours:
    """List the outlines of all pixels above a score, by score × (1 − uncertainty); ties by position.

    Pixels with a value that is not finite, or a coefficient of more than ten diagonals of the image, are no
    candidates. Coefficients are limited to the diagonal, and centres to its surroundings of that size.

    Args:
        maps: ``score``, ``offset``, ``fourier`` and ``uncertainty``, each (C, H, W).
        threshold: score that a candidate exceeds.
        grid: only pixels whose row and column are divisible by it are candidates.
        most: largest number of candidates; if there are more, only the best are kept, with a warning.
    """
    score = np.asarray(maps["score"])[0]
    rows, columns = np.nonzero(score[::grid, ::grid] > threshold)
    rows, columns = grid * rows, grid * columns
    scores = np.asarray(score[rows, columns], np.float32)
    uncertainties = np.asarray(maps["uncertainty"], np.float32)[:, rows, columns].mean(axis=0)
    weights = scores * (1 - uncertainties)
    order = np.argsort(-weights, kind="stable")
    if len(order) > most:
        warnings.warn(
            f"{len(order)} candidate outlines: only the best {most} are used; increase "
            "score_threshold or grid",
            stacklevel=2,
        )
        order = order[:most]
    rows, columns = rows[order], columns[order]
    longest = max(float(np.hypot(*score.shape)), 1.0)
    pixels = np.stack([rows, columns], axis=-1).astype(np.float32)
    offsets = np.asarray(maps["offset"])[:, rows, columns].T
    coefficients = np.asarray(maps["fourier"])[:, rows, columns].T
    found = Contours(
        pixels + np.clip(offsets, -longest, longest).astype(np.float32),
        np.clip(coefficients, -longest, longest).astype(np.float32),
        scores[order],
        uncertainties[order],
    )
    finite = np.isfinite(weights[order]) & np.isfinite(found.scores)
    finite &= np.isfinite(offsets).all(axis=1)
    finite &= (np.abs(coefficients) <= _MOST_DIAGONALS * longest).all(axis=1)
    return found.taken(finite)


def suppress_worse(
    contours: Contours, threshold: float, shape: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    """Mark the outlines that no better one covers.

    Args:
        contours: the best first.
        threshold: largest share of the smaller area that two kept cells may have in common.
        shape: (H, W) of the image.

    Returns:
        (N,) flags.
    """
    from cellbench.representations.polygon_kernels import suppress

    if len(contours.points) == 0:
        return np.zeros(0, bool)
    corners = outlines(contours.coefficients, _ROUGH_CORNERS)
    # About the size of a cell, so that a polygon is in few tiles, and a tile has few polygons.
    side = max(_LEAST_TILE, float(np.median(np.ptp(corners, axis=2))))
    tiles = (int(shape[0] / side) + 1, int(shape[1] / side) + 1)
    kept: npt.NDArray[np.bool_] = suppress(contours.points, corners, threshold, side, tiles)
    return kept


def outlines(coefficients: Floats, samples: int) -> Floats:
    """Return points on outlines, evenly spaced in the parameter of their harmonics.

    Args:
        coefficients: (N, 4 · order) in pixels.
        samples: number of points.

    Returns:
        (N, 2, samples) float32, rows and columns seen from the centre.
    """
    from cellbench.representations.contour_drawing import sample_outlines

    found: Floats = sample_outlines(coefficients, basis(coefficients.shape[1] // 4, samples))
    return found


def basis(order: int, samples: int) -> Floats:
    """Return the values of the cosines and sines of all harmonics, (2 · order, samples) float32.

    Args:
        order: number of harmonics.
        samples: number of evenly spaced points of a period.
    """
    angles = 2 * np.pi / samples * np.arange(samples)
    multiples = angles * np.arange(1, order + 1)[:, None]
    waves = np.stack([np.cos(multiples), np.sin(multiples)], axis=1)
    return waves.reshape(2 * order, samples).astype(np.float32)


def draw_contours(
    contours: Contours, refinement: npt.NDArray[Any], hops: int, samples: int
) -> DecodedCells:
    """Refine outlines and draw them into a label map, ids 1 … N, the best first.

    Pixels that several cells cover are divided by growing the cells into them, pixel by pixel, from
    what each covers alone.

    Args:
        contours: the best first.
        refinement: (2, H, W) vectors from pixels to the nearest outline, down and to the right. Those that
            are not finite, or longer than the image, count as 0.
        hops: how often the points of an outline are moved by the refinement.
        samples: number of points of an outline.

    Returns:
        (H, W) label map, with the ``score`` and the ``uncertainty`` of each cell. An outline without a
        pixel is left out.
    """
    from cellbench.representations.contour_drawing import grow, refine
    from cellbench.representations.polygon_kernels import draw

    shape = refinement.shape[1:]
    vectors = np.ascontiguousarray(refinement, np.float32)
    steps = np.where(np.abs(vectors) <= np.hypot(*shape), vectors, np.float32(0))
    corners = outlines(contours.coefficients, samples)
    refine(contours.points, corners, steps, hops)
    labels, lowest = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    draw(contours.points, corners, True, labels)
    draw(contours.points, corners, False, lowest)
    shared = np.flatnonzero(labels != lowest)
    grow(labels, lowest, shared)
    measures = {"score": contours.scores, "uncertainty": contours.uncertainties}
    return renumbered(DecodedCells(labels, measures))
