"""What went wrong with each cell that has no partner."""

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from cellbench.evaluation.matching import Matches
from cellbench.evaluation.overlap import Overlaps
from cellbench.evaluation.pairs import Ids


class CellKind(StrEnum):
    """What a scored cell is; see [`classify_cells`][]."""

    MATCHED = "matched"
    MERGED = "merged"
    SPLIT = "split"
    POOR_OUTLINE = "poor-outline"
    MISSED = "missed"
    SPURIOUS = "spurious"


TRUTH_ERRORS = (CellKind.MISSED, CellKind.MERGED, CellKind.SPLIT, CellKind.POOR_OUTLINE)
"""Kinds of true cells without a partner."""

PREDICTION_ERRORS = (CellKind.SPURIOUS, CellKind.MERGED, CellKind.SPLIT, CellKind.POOR_OUTLINE)
"""Kinds of predicted cells without a partner."""

POOR_IOU = 0.1
"""IoU from which two cells are the same cell with a poor outline (TIDE, Bolya et al. 2020)."""

Kinds = npt.NDArray[np.str_]
"""Values of [`CellKind`][], one for each cell."""

_Marks = npt.NDArray[np.bool_]


def classify_cells(overlaps: Overlaps, matches: Matches) -> tuple[Kinds, Kinds]:
    """Return the kind of each scored cell: ``matched``, or the first of these that applies.

    - ``merged``: a predicted cell covers at least half of each of several true cells. These true cells
      are merged, and so is the predicted cell that covers them.
    - ``split``: at least half of each of several predicted cells is inside one true cell. These
      predicted cells are split, and so is the true cell around them.
    - ``poor-outline``: the IoU with a cell that has no partner either is at least [`POOR_IOU`][].
    - ``missed`` for a true cell, ``spurious`` for a predicted cell: none of the above.

    Matched cells count as neighbours here: a small cell that the match of its neighbour covers is
    merged, and a fragment beside the match of its cell is split.

    Args:
        overlaps: overlaps of two label maps, or of one tile of them.
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
        _first_of(truth_matched, merged, holding, poor_truth, otherwise=CellKind.MISSED),
        _first_of(prediction_matched, merging, split, poor_prediction, otherwise=CellKind.SPURIOUS),
    )


def _marks(index: Ids, cells: int) -> _Marks:
    """Mark the cells that are in the index."""
    marks = np.zeros(cells, bool)
    marks[index] = True
    return marks


def _first_of(*holds: _Marks, otherwise: CellKind) -> Kinds:
    kinds = CellKind.MATCHED, CellKind.MERGED, CellKind.SPLIT, CellKind.POOR_OUTLINE
    return np.select(holds, [kind.value for kind in kinds], otherwise.value)
