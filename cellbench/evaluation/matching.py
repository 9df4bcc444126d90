"""Matching predicted cells to true cells by intersection over union."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cellbench.errors import UsageError
from cellbench.evaluation.overlap import Counts, Overlaps, count_overlaps
from cellbench.labels import LabelMap


@dataclass(frozen=True)
class Matches:
    """The matched cells of one image.

    Attributes:
        true_cells: number of true cells.
        predicted_cells: number of predicted cells.
        truth_ids: (tp,) ids of the matched true cells.
        prediction_ids: (tp,) ids of their partners.
        iou: (tp,) intersection over union of each pair.
    """

    true_cells: int
    predicted_cells: int
    truth_ids: Counts
    prediction_ids: Counts
    iou: npt.NDArray[np.float64]

    @property
    def tp(self) -> int:
        """Matched pairs."""
        return len(self.iou)

    @property
    def fp(self) -> int:
        """Predicted cells without a partner."""
        return self.predicted_cells - self.tp

    @property
    def fn(self) -> int:
        """True cells without a partner."""
        return self.true_cells - self.tp


def match_cells(truth: LabelMap, prediction: LabelMap, threshold: float = 0.5) -> Matches:
    """Match predicted cells to true cells by intersection over union.

    A pair matches when its IoU is at least ``threshold``; each cell is used once, and as many pairs
    match as can. All cells count here, those on the frame too.

    Args:
        truth: (H, W) integers, 0 is background; ids need not be consecutive.
        prediction: (H, W) integers, same shape as ``truth``.
        threshold: IoU in (0, 1], compared with ``>=`` as the challenge does.

    Returns:
        Counts, and the matched ids with their IoU.

    Raises:
        LabelMapError: if the shapes differ or an id is negative.
        UsageError: if the threshold is outside (0, 1].

    Example:
        >>> match_cells(np.array([[1, 1, 0]]), np.array([[5, 0, 0]])).tp
        1
    """
    return match_overlaps(count_overlaps(truth, prediction), threshold)


def match_overlaps(overlaps: Overlaps, threshold: float) -> Matches:
    """Match cells whose overlaps are counted; see :func:`match_cells`.

    The quotient of two integers is rounded once, so IoU exactly at the threshold compares equal.
    """
    if not 0 < threshold <= 1:
        raise UsageError(f"threshold {threshold}: an IoU threshold is above 0 and at most 1")
    iou = overlaps.intersections / overlaps.unions
    passing = np.flatnonzero(iou >= threshold)
    chosen = passing[_largest_matching(overlaps.pairs[passing])]
    truth_index, prediction_index = overlaps.pairs[chosen].T
    return Matches(
        true_cells=len(overlaps.truth_ids),
        predicted_cells=len(overlaps.prediction_ids),
        truth_ids=overlaps.truth_ids[truth_index],
        prediction_ids=overlaps.prediction_ids[prediction_index],
        iou=iou[chosen],
    )


def _largest_matching(pairs: Counts) -> Counts:
    """Choose as many of the pairs (K, 2) as can be so that no cell is used twice.

    Above IoU 0.5 no cell is in two pairs, and nothing is left to choose.
    """
    truth_index, prediction_index = pairs.T
    if all(len(np.unique(index)) == len(index) for index in (truth_index, prediction_index)):
        return np.arange(len(pairs))
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    # Entries are 1 + the pair's place, so that the matching can be read back as pairs.
    places = csr_array((np.arange(1, len(pairs) + 1), (truth_index, prediction_index)))
    partner = maximum_bipartite_matching(places, perm_type="column")
    matched = np.flatnonzero(partner >= 0)
    return np.sort(np.asarray(places[matched, partner[matched]]).ravel() - 1)
