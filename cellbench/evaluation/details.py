"""Everything but the F1 of one threshold that the overlaps of one image tell."""

from collections.abc import Sequence

import numpy as np

from cellbench.evaluation.cell_errors import (
    PREDICTION_ERRORS,
    TRUTH_ERRORS,
    Kinds,
    classify_cells,
)
from cellbench.evaluation.matching import match_overlaps
from cellbench.evaluation.overlap import Overlaps
from cellbench.evaluation.scoring import score_parts

THRESHOLDS = tuple(k / 20 for k in range(10, 20))
"""IoU thresholds of F1 and AP, 0.5 to 0.95."""

AREA_CLASSES = ("under_100", "100_to_999", "1000_to_9999", "10000_and_more")
"""Size classes of cells, in pixels."""

_AREA_BOUNDS = (100, 1000, 10_000)

_F1_COLUMNS = tuple(f"f1_{threshold * 100:.0f}" for threshold in THRESHOLDS)
_AT_HALF = ("true_cells", "predicted_cells", "tp", "fp", "fn", "dice")

ERROR_COLUMNS = tuple(
    f"{side}_{kind.replace('-', '_')}"
    for side, kinds in (("fn", TRUTH_ERRORS), ("fp", PREDICTION_ERRORS))
    for kind in kinds
)
"""Cells without a partner by kind; see :func:`cellbench.evaluation.cell_errors.classify_cells`."""

_AREA_COLUMNS = tuple(f"{count}_{area}" for count in ("true", "tp", "fp") for area in AREA_CLASSES)

DETAIL_COLUMNS = (
    *_F1_COLUMNS, "ap", "pq", "sq", "rq", "aji", *_AT_HALF, *ERROR_COLUMNS, *_AREA_COLUMNS,
)  # fmt: skip
"""What :func:`image_details` gives, in this order."""


def image_details(parts: Sequence[Overlaps]) -> dict[str, float | int]:
    """Measure one image in every way, its parts pooled; what has nothing to count is 0.

    - ``f1_50`` … ``f1_95``: F1 at each threshold, all compared with ``>=``.
    - ``ap``: mean over these thresholds of TP / (TP + FP + FN), as in the Data Science Bowl 2018 and
      Sartorius competitions (which compare with ``>``).
    - ``sq``: mean IoU of the pairs matched at 0.5; ``rq``: F1 at 0.5; ``pq``: their product, the
      panoptic quality (Kirillov et al. 2019).
    - ``aji``: aggregated Jaccard index (Kumar et al. 2017).
    - ``true_cells``, ``predicted_cells``, ``tp``, ``fp``, ``fn``: at 0.5.
    - ``dice``: of the foreground, frame cells included; 1 where both maps are empty.
    - ``fn_missed`` …, ``fp_spurious`` …: the fn and fp by kind.
    - ``true_under_100``, ``tp_under_100``, ``fp_under_100`` …: by size class; true cells and tp by
      the true cell's area, fp by the predicted cell's.

    Args:
        parts: overlaps of the image, or of each of its tiles.

    Returns:
        :data:`DETAIL_COLUMNS` and their values.
    """
    scores = score_parts(parts, THRESHOLDS)
    half = scores[0]
    matches = [match_overlaps(part, half.threshold) for part in parts]
    kinds = [classify_cells(*both) for both in zip(parts, matches, strict=True)]
    truth_kinds, prediction_kinds = map(np.concatenate, zip(*kinds, strict=True))
    accuracies = [score.tp / max(score.tp + score.fp + score.fn, 1) for score in scores]
    sq = sum(float(found.iou.sum()) for found in matches) / max(half.tp, 1)
    errors = [int((truth_kinds == kind).sum()) for kind in TRUTH_ERRORS]
    errors += [int((prediction_kinds == kind).sum()) for kind in PREDICTION_ERRORS]
    return {
        **dict(zip(_F1_COLUMNS, (score.f1 for score in scores), strict=True)),
        "ap": sum(accuracies) / len(accuracies),
        "pq": sq * half.f1,
        "sq": sq,
        "rq": half.f1,
        "aji": _aji(parts),
        **{name: getattr(half, name) for name in _AT_HALF},
        **dict(zip(ERROR_COLUMNS, errors, strict=True)),
        **dict(zip(_AREA_COLUMNS, _by_area(parts, truth_kinds, prediction_kinds), strict=True)),
    }


def _by_area(parts: Sequence[Overlaps], truth_kinds: Kinds, prediction_kinds: Kinds) -> list[int]:
    """Count true cells, tp and fp, each by size class."""
    truth = np.concatenate([part.truth_areas for part in parts])
    prediction = np.concatenate([part.prediction_areas for part in parts])
    counts: list[int] = []
    for areas in (
        truth,
        truth[truth_kinds == "matched"],
        prediction[prediction_kinds != "matched"],
    ):
        classes = np.searchsorted(_AREA_BOUNDS, areas, side="right")
        counts += np.bincount(classes, minlength=len(AREA_CLASSES)).tolist()
    return counts


def _aji(parts: Sequence[Overlaps]) -> float:
    """Aggregated Jaccard index.

    Each true cell takes the predicted cell of largest IoU (of several the lowest id), which others may
    take too; predicted cells that none takes add to the union.
    """
    shared = union = 0
    for part in parts:
        truth, prediction = part.pairs.T
        order = np.lexsort((prediction, -part.iou, truth))
        best = order[np.unique(truth[order], return_index=True)[1]]
        taken = prediction[best]
        left = np.delete(part.prediction_areas, taken)
        shared += int(part.intersections[best].sum())
        union += int(part.truth_areas.sum() + part.prediction_areas[taken].sum() + left.sum())
    return shared / (union - shared) if shared else 0.0
