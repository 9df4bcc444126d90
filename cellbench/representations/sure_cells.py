"""Which cells and pixels a model is sure of: what can be learned from images without label maps."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cellbench.labels import LabelMap
from cellbench.representations.base import DecodedCells, NumpyMaps, Representation
from cellbench.representations.decoded import decoded_cells, painted, renumbered

SCORE, UNCERTAINTY = "score", "uncertainty"


class SureCells(NamedTuple):
    """The cells of an image that a model is sure of, and the pixels that can be learned from.

    Attributes:
        labels: (H, W) label map of the sure cells, ids 1 … N.
        ignored: (H, W) whether a pixel is neither in a sure cell nor clearly background.
        confidence: (H, W) float32 from 0 to 1: in a decoded cell its score, elsewhere the probability of
            background.
        decoded: (H, W) label map of all decoded cells, ids 1 … M; those that are not sure are ignored.
    """

    labels: LabelMap
    ignored: npt.NDArray[np.bool_]
    confidence: npt.NDArray[np.float32]
    decoded: LabelMap


def sure_cells(
    representation: Representation,
    maps: NumpyMaps,
    foreground: float = 0.9,
    background: float = 0.1,
    cell_score: float = 0.7,
) -> SureCells:
    """Decode maps, and decide which cells and which pixels are sure.

    The rule follows T3's training in the challenge (Upschulte et al. 2023, PMLR 212), which learns cells
    with a score of at least 0.9, and background where the score is at most 0.1. All pixels of other cells
    are ignored, and those outside of cells whose foreground is between the two.

    Scores of polygons and outlines seldom reach 0.9 after a short training. That is why the limit for
    cells that have a score is lower by default.

    Args:
        representation: how the maps are decoded; see its method ``foreground``.
        maps: (C, H, W) for each map, activated, at every pixel.
        foreground: smallest mean foreground of the pixels of a sure cell, where cells have no score.
        background: largest foreground of a pixel that is surely background.
        cell_score: smallest score of a sure cell, where the representation measures one; see
            [`cell_scores`][].

    Raises:
        UsageError: if the representation does not define ``foreground``.

    Examples:
        >>> from cellbench.representations import Boundary
        >>> labels = np.zeros((20, 40), int)
        >>> labels[4:16, 4:16] = labels[4:16, 24:36] = 1
        >>> labels[4:16, 24:36] = 2
        >>> maps = {"classes": Boundary().encode(labels)["classes"].astype(np.float32)}
        >>> maps["classes"][:, :, 20:] = 0.6 * maps["classes"][:, :, 20:] + 0.4 / 3
        >>> sure = sure_cells(Boundary(), maps)
        >>> int(sure.decoded.max()), int(sure.labels.max())
        (2, 1)
    """
    probability = np.nan_to_num(representation.foreground(maps), nan=0.5)
    cells = renumbered(decoded_cells(representation, maps))
    scores = cell_scores(cells, probability)
    kept = scores >= (cell_score if SCORE in cells.measures else foreground)
    inside = cells.labels > 0
    numbers = np.concatenate([[0], np.cumsum(kept) * kept]).astype(np.int32)
    labels = numbers[cells.labels]
    ignored = np.where(inside, labels == 0, probability > background)
    score = painted(DecodedCells(cells.labels, {SCORE: scores}), SCORE)
    confidence = np.where(inside, score, 1 - probability)
    return SureCells(labels, ignored, confidence, cells.labels)


def cell_scores(
    cells: DecodedCells, foreground: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Return how sure a model is of each cell, from 0 to 1.

    Representations that measure it have a ``score``, perhaps also an ``uncertainty``: then it is
    score × (1 − uncertainty), by which Contour Proposal Networks rank their outlines. For others it is
    the mean foreground of the cell's pixels.

    Args:
        cells: (H, W) label map, ids 1 … N, and measures of its cells.
        foreground: (H, W) probability of a cell at each pixel.

    Returns:
        (N,) float32.
    """
    if SCORE in cells.measures:
        uncertainty = cells.measures.get(UNCERTAINTY, np.float32(0))
        return np.asarray(cells.measures[SCORE] * (1 - uncertainty), np.float32)
    ids = cells.labels.ravel()
    pixels = np.bincount(ids)
    means = np.bincount(ids, foreground.ravel())[1:] / np.maximum(pixels[1:], 1)
    return means.astype(np.float32)
