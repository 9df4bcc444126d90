"""Distances between the boundaries of true and predicted cells, and the measures of them."""

from functools import cached_property

import numpy as np
import numpy.typing as npt

from cellbench.labels.banded import BandedLabels
from cellbench.labels.maps import LabelMap

Distances = npt.NDArray[np.float64]

TOLERANCE = 2.0
"""Pixels by which a boundary may be off in the boundary F-score: the width of the challenge's frame."""


class Boundaries:
    """The boundaries of the cells of one image: what a measure of ``Needs.BOUNDARIES`` is computed from.

    A pixel of a cell is on its boundary if one of its four neighbours is not in the cell; beyond the edge
    of the image, there are no cells. The distances are computed when they are first used.

    Args:
        truth: (H, W) label map, cells on the frame included.
        prediction: the same of the prediction.
    """

    def __init__(self, truth: LabelMap | BandedLabels, prediction: LabelMap | BandedLabels) -> None:
        self._truth = truth
        self._prediction = prediction

    @property
    def diagonal(self) -> float:
        """Length of the image's diagonal in pixels: no distance is larger."""
        return float(np.hypot(*self._truth.shape))

    @cached_property
    def distances(self) -> tuple[Distances, Distances]:
        """Distance in pixels from each boundary pixel to the nearest one of the other label map.

        First of the true boundary pixels, then of the predicted ones; infinite where the other map has no
        cells.
        """
        # Numba takes half a second to load, which those who need no boundaries should not wait for.
        from cellbench.evaluation.nearest import boundary_table, nearest_distances

        truth, prediction = boundary_table(self._truth), boundary_table(self._prediction)
        return nearest_distances(truth, prediction), nearest_distances(prediction, truth)


def boundary_f1(image: Boundaries) -> float:
    """Return the boundary F-score with a tolerance of 2 pixels (Martin et al. 2004, Csurka et al. 2013).

    Precision is the share of predicted boundary pixels within the tolerance of a true boundary, recall the
    share of true boundary pixels within the tolerance of a predicted one; the score is their harmonic mean.
    Csurka et al. take 0.75 % of the image's diagonal as the tolerance, which would be the size of a cell in
    large images, and Martin et al. match boundary pixels one to one. The score is 0 if one of the maps has
    no cells.

    Args:
        image: boundaries of the image.
    """
    shares = [float((each <= TOLERANCE).mean()) if len(each) else 0.0 for each in image.distances]
    return 2 * shares[0] * shares[1] / sum(shares) if sum(shares) else 0.0


def hausdorff_95(image: Boundaries) -> float:
    """Return the 95 % Hausdorff distance of the boundaries in pixels (Huttenlocher et al. 1993).

    This is the larger one of two percentiles: the 95th percentile of the distances from the true boundary
    pixels to the nearest predicted one, and that of the opposite direction, as in MONAI and Metrics
    Reloaded (Maier-Hein et al. 2024). It is the image's diagonal if only one of the maps has cells, and 0
    if both have none.

    Args:
        image: boundaries of the image.
    """
    sizes = [len(each) for each in image.distances]
    if not all(sizes):
        return image.diagonal if any(sizes) else 0.0
    return max(float(np.percentile(each, 95)) for each in image.distances)
