"""Every measure of one image."""

from collections.abc import Sequence

import numpy as np

from cellbench.evaluation.boundaries import Boundaries
from cellbench.evaluation.measures import Measure, Needs, Table, measures_of
from cellbench.evaluation.overlap import Overlaps
from cellbench.evaluation.pooled import PooledOverlaps
from cellbench.evaluation.scoring import ImageScore
from cellbench.labels.banded import BandedLabels

Values = dict[str, float]
"""Values of measures by name."""


def image_details(
    parts: Sequence[Overlaps] | PooledOverlaps,
    maps: tuple[BandedLabels, BandedLabels] | None = None,
    *,
    measures: Sequence[Measure] | None = None,
    usable: bool = True,
) -> Values:
    """Compute the measures of one image, its parts pooled; what has nothing to count is 0.

    The columns of the table of details, unless other measures are given:

    - ``f1_50`` … ``f1_95``: F1 at each IoU threshold, compared with ``>=``.
    - ``ap``, ``pq``, ``sq``, ``rq``, ``aji``, ``seg``: see [`cellbench.evaluation.qualities`][].
    - ``true_cells``, ``predicted_cells``, ``tp``, ``fp``, ``fn``: counts at IoU 0.5.
    - ``dice``: Dice coefficient of the foreground, frame cells included; 1 if both maps are empty.
    - ``fn_missed`` …, ``fp_spurious`` …: the fn and fp by kind of error.
    - ``true_under_100``, ``tp_under_100``, ``fp_under_100`` …: counts by size class; true cells and tp
      by the area of the true cell, fp by the area of the predicted cell.
    - ``boundary_f1``, ``hausdorff_95``: see [`cellbench.evaluation.boundaries`][]; all cells count.
    - ``count_error``: see [`cellbench.evaluation.measures`][].

    Args:
        parts: overlaps of the image, or of each of its tiles; or these pooled.
        maps: truth and prediction; required if a measure needs label maps or boundaries, as
            ``boundary_f1`` and ``hausdorff_95`` do.
        measures: what to compute; by default all measures in the table of details.
        usable: whether the image has a usable prediction.

    Returns:
        Value by name of the measure, in the order of the columns.

    Raises:
        LabelMapError: if a measure needs label maps and a file turns out to be damaged.
        ValueError: if a measure needs label maps and ``maps`` is None.
    """
    chosen = measures_of(Table.DETAILS) if measures is None else measures
    pooled = parts if isinstance(parts, PooledOverlaps) else PooledOverlaps(parts)
    arguments: dict[Needs, tuple[object, ...]] = {
        Needs.COUNTS: (pooled.half,),
        Needs.OVERLAPS: (pooled,),
    }
    if any(measure.needs in (Needs.LABEL_MAPS, Needs.BOUNDARIES) for measure in chosen):
        if maps is None:
            raise ValueError("image_details: a measure needs label maps; pass maps=")
        truth, prediction = (each.whole() for each in maps)
        arguments[Needs.LABEL_MAPS] = truth, prediction
        arguments[Needs.BOUNDARIES] = (Boundaries(truth, prediction),)
    return {
        measure.name: _value(measure, arguments[measure.needs], usable=usable) for measure in chosen
    }


def measure_counts(
    score: ImageScore, measures: Sequence[Measure], *, usable: bool = True
) -> Values:
    """Compute the measures of counts at one IoU threshold.

    Args:
        score: the counts.
        measures: what to compute, in the order of the result.
        usable: whether the image has a usable prediction.

    Returns:
        Value by name of the measure.
    """
    return {measure.name: _value(measure, (score,), usable=usable) for measure in measures}


def _value(measure: Measure, arguments: tuple[object, ...], *, usable: bool) -> float:
    if not usable and measure.if_unusable is not None:
        return measure.if_unusable
    value = measure.compute(*arguments)
    return value.item() if isinstance(value, np.generic) else value
