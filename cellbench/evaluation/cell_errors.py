"""What went wrong with each cell that has no partner."""

import numpy as np
import numpy.typing as npt

from cellbench.evaluation.matching import Matches
from cellbench.evaluation.overlap import Overlaps
from cellbench.evaluation.pairs import Ids

TRUTH_ERRORS = ("missed", "merged", "split", "poor-outline")
"""Kinds of true cells without a partner."""

PREDICTION_ERRORS = ("spurious", "merged", "split", "poor-outline")
"""Kinds of predicted cells without a partner."""

POOR_IOU = 0.1
"""IoU from which two cells are one and the same cell, badly outlined (TIDE, Bolya et al. 2020)."""

Kinds = npt.NDArray[np.str_]
_Marks = npt.NDArray[np.bool_]


def classify_cells(overlaps: Overlaps, matches: Matches) -> tuple[Kinds, Kinds]:
    """Tell the kind of each scored cell: ``matched``, or the first of these that holds.

    - ``merged``: a predicted cell covers at least half of each of several true cells. The true cells
      are the ones so covered, and the predicted cell is the one that covers them.
    - ``split``: several predicted cells lie at least half within one true cell. The predicted cells
      are the ones that so lie, and the true cell is the one they lie in.
    - ``poor-outline``: its IoU with a cell that has no partner either is at least :data:`POOR_IOU`.
    - ``missed`` for a true cell, ``spurious`` for a predicted one: none of these.

    What counts as merged or split includes cells that are matched: a small cell swallowed by the
    match of its neighbour is merged, a fragment beside the match of its cell is split.

    Args:
        overlaps: of two label maps, or of one tile of them.
        matches: which of the cells are matched.

    Returns:
        (T,) kinds of the true cells and (P,) kinds of the predicted cells, in the order of their ids.
    """
    truth, prediction = overlaps.pairs.T
    true_cells, predicted_cells = len(overlaps.truth_ids), len(overlaps.prediction_ids)
    truth_matched = np.isin(overlaps.truth_ids, matches.truth_ids)
    prediction_matched = np.isin(overlaps.prediction_ids, matches.prediction_ids)

    covered = 2 * overlaps.intersections >= overlaps.truth_areas[truth]
    within = 2 * overlaps.intersections >= overlaps.prediction_areas[prediction]
    merging = np.bincount(prediction[covered], minlength=predicted_cells) > 1
    holding = np.bincount(truth[within], minlength=true_cells) > 1
    merged = _marks(truth[covered & merging[prediction]], true_cells)
    split = _marks(prediction[within & holding[truth]], predicted_cells)

    free = ~truth_matched[truth] & ~prediction_matched[prediction]
    poor = free & (overlaps.iou >= POOR_IOU)
    poor_truth = _marks(truth[poor], true_cells)
    poor_prediction = _marks(prediction[poor], predicted_cells)
    return (
        _first_of(truth_matched, merged, holding, poor_truth, otherwise="missed"),
        _first_of(prediction_matched, merging, split, poor_prediction, otherwise="spurious"),
    )


def _marks(index: Ids, cells: int) -> _Marks:
    """Mark the cells that are in the index."""
    marks = np.zeros(cells, bool)
    marks[index] = True
    return marks


def _first_of(*holds: _Marks, otherwise: str) -> Kinds:
    return np.select(holds, ["matched", "merged", "split", "poor-outline"], otherwise)
