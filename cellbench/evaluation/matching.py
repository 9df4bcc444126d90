"""Matching predicted cells to true cells by intersection over union."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cellbench.errors import UsageError
from cellbench.evaluation.overlap import Overlaps, count_overlaps
from cellbench.evaluation.pairs import Ids
from cellbench.labels.banded import in_bands
from cellbench.labels.maps import LabelMap


@dataclass(frozen=True)
class Matches:
    """The matched cells of one image.

    Attributes:
        true_cells: number of true cells.
        predicted_cells: number of predicted cells.
        truth_ids: (tp,) ids of the matched true cells, ascending.
        prediction_ids: (tp,) ids of the predicted cells they match.
        iou: (tp,) intersection over union of each pair.
    """

    true_cells: int
    predicted_cells: int
    truth_ids: Ids
    prediction_ids: Ids
    iou: npt.NDArray[np.float64]

    @property
    def tp(self) -> int:
        """Number of matched pairs."""
        return len(self.iou)

    @property
    def fp(self) -> int:
        """Number of predicted cells without a partner."""
        return self.predicted_cells - self.tp

    @property
    def fn(self) -> int:
        """Number of true cells without a partner."""
        return self.true_cells - self.tp


def match_cells(truth: LabelMap, prediction: LabelMap, threshold: float = 0.5) -> Matches:
    """Match predicted cells to true cells by intersection over union.

    A pair matches if its IoU is at least ``threshold``. Each cell is used at most once, and the number of
    matched pairs is as large as possible. All cells count here, also those on the frame.

    Args:
        truth: (H, W) integers, 0 is background; ids need not be consecutive.
        prediction: (H, W) integers, same shape as ``truth``.
        threshold: IoU in (0, 1], compared with ``>=`` as the challenge does.

    Returns:
        The numbers of cells, and the matched ids with their IoU.

    Raises:
        LabelMapError: if the shapes differ or an id is negative.
        UsageError: if the threshold is outside (0, 1].

    Examples:
        >>> match_cells(np.array([[1, 1, 0]]), np.array([[5, 0, 0]])).tp
        1
    """
    (overlaps,) = count_overlaps(in_bands(truth, "truth"), in_bands(prediction, "prediction"))
    return match_overlaps(overlaps, threshold)


def match_overlaps(overlaps: Overlaps, threshold: float) -> Matches:
    """Match cells whose overlaps are already counted; see [`match_cells`][].

    Args:
        overlaps: overlaps of two label maps, or of one tile of them.
        threshold: IoU in (0, 1], compared with ``>=``.

    Returns:
        The numbers of cells, and the matched ids with their IoU.

    Raises:
        UsageError: if the threshold is outside (0, 1].
    """
    check_threshold(threshold)
    iou = overlaps.iou
    passing = np.flatnonzero(iou >= threshold)
    passing = passing[np.lexsort(overlaps.pairs[passing].T[::-1])]
    chosen = passing[_largest_matching(overlaps.pairs[passing], threshold)]
    truth_index, prediction_index = overlaps.pairs[chosen].T
    return Matches(
        true_cells=len(overlaps.truth_ids),
        predicted_cells=len(overlaps.prediction_ids),
        truth_ids=overlaps.truth_ids[truth_index],
        prediction_ids=overlaps.prediction_ids[prediction_index],
        iou=iou[chosen],
    )


def check_threshold(threshold: float) -> None:
    """Check an IoU threshold.

    Args:
        threshold: the value to check.

    Raises:
        UsageError: if it is outside (0, 1].
    """
    if not 0 < threshold <= 1:
        raise UsageError(f"threshold {threshold}: an IoU threshold must be above 0 and at most 1")


def count_matches(overlaps: Overlaps, thresholds: Sequence[float]) -> list[int]:
    """Count the matched pairs at each threshold, as [`match_overlaps`][] does.

    Above IoU 0.5 every pair matches, because no cell is in two such pairs.

    Args:
        overlaps: overlaps of two label maps, or of one tile of them.
        thresholds: IoU thresholds in (0, 1].

    Returns:
        tp at each threshold, in their order.
    """
    ascending = np.sort(overlaps.iou)
    reached = len(ascending) - np.searchsorted(ascending, thresholds, side="left")
    unique = 0.5 if not (ascending == 0.5).any() else np.nextafter(0.5, 1)
    return [
        int(count) if threshold >= unique else match_overlaps(overlaps, threshold).tp
        for threshold, count in zip(thresholds, reached, strict=True)
    ]


def _largest_matching(pairs: Ids, threshold: float) -> Ids:
    """Return the places of the largest number of pairs (K, 2) in which no cell occurs twice.

    From IoU 0.5 on, the first pair of each cell is enough: above 0.5 no cell is in two pairs, and pairs
    of exactly 0.5 are a cell and its two halves, which are in no other pair.
    """
    truth_index, prediction_index = pairs.T
    if threshold >= 0.5 or not len(pairs):
        return np.flatnonzero(_is_first(truth_index) & _is_first(prediction_index))
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    # Entries are 1 + the pair's place, so that the matching can be read back as pairs.
    places = csr_array((np.arange(1, len(pairs) + 1), (truth_index, prediction_index)))
    partner = maximum_bipartite_matching(places, perm_type="column")
    matched = np.flatnonzero(partner >= 0)
    return np.sort(np.asarray(places[matched, partner[matched]]).ravel() - 1)


def _is_first(index: Ids) -> npt.NDArray[np.bool_]:
    """Mark the first occurrence of each value."""
    places = np.arange(len(index))
    first = np.zeros(index.max(initial=0) + 1, np.int64)
    first[index[::-1]] = places[::-1]  # the last assignment remains, which is the first place
    mark: npt.NDArray[np.bool_] = first[index] == places
    return mark
