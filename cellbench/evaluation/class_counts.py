"""How many cells of each size and shape were found, and what happened to the others."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cellbench.evaluation.cell_classes import AREA, CLASS_GROUPS, SHAPE
from cellbench.evaluation.cell_errors import PREDICTION_ERRORS, TRUTH_ERRORS, CellKind
from cellbench.evaluation.cell_shapes import CellShapes
from cellbench.evaluation.measures import ERROR_COLUMNS
from cellbench.evaluation.pairs import Ids
from cellbench.evaluation.pooled import PooledOverlaps

CLASS_COLUMNS = ("group", "value", "true_cells", "tp", "fp", *ERROR_COLUMNS)
"""Names of the values of [`ClassCounts`][], in order."""

_KINDS = np.array(sorted(CellKind))
_MATCHED = int(np.searchsorted(_KINDS, CellKind.MATCHED))
_FN, _FP = (np.searchsorted(_KINDS, kinds) for kinds in (TRUTH_ERRORS, PREDICTION_ERRORS))
_LIMITS = {
    group: np.array([low for low, _ in classes.values()]) for group, classes in CLASS_GROUPS.items()
}


class ClassCounts(NamedTuple):
    """Counts of the cells of one class in one image, at IoU 0.5.

    Attributes:
        group: what the cells are grouped by, a key of
            [`cellbench.evaluation.cell_classes.CLASS_GROUPS`][].
        value: name of the class.
        counts: true cells, tp, fp and the cells of each kind of error, in the order of
            [`CLASS_COLUMNS`][]. The true cell decides the class of true cells, tp and fn; the
            predicted cell decides that of fp.
    """

    group: str
    value: str
    counts: tuple[int, ...]


def count_classes(
    image: PooledOverlaps,
    truth_shapes: Sequence[CellShapes],
    prediction_shapes: Sequence[CellShapes],
) -> tuple[ClassCounts, ...]:
    """Count the scored cells of one image by area and by elongation.

    Args:
        image: overlaps of the image.
        truth_shapes: shapes of the true cells of the same parts.
        prediction_shapes: shapes of the predicted cells of the same parts.

    Returns:
        One entry for each class, also for a class without a cell.
    """
    parts = image.parts
    true_kinds, predicted_kinds = (np.searchsorted(_KINDS, kinds) for kinds in image.kinds)
    areas = image.areas["true"], np.concatenate([part.prediction_areas for part in parts])
    elongations = (
        _elongations([part.truth_ids for part in parts], truth_shapes),
        _elongations([part.prediction_ids for part in parts], prediction_shapes),
    )
    found = []
    for group, (true, predicted) in ((AREA, areas), (SHAPE, elongations)):
        of_true = _count(true, true_kinds, _LIMITS[group])
        of_predicted = _count(predicted, predicted_kinds, _LIMITS[group])
        numbers = np.column_stack(
            [
                of_true.sum(axis=1),
                of_true[:, _MATCHED],
                of_predicted.sum(axis=1) - of_predicted[:, _MATCHED],
                of_true[:, _FN],
                of_predicted[:, _FP],
            ]
        )
        named = zip(CLASS_GROUPS[group], numbers.tolist(), strict=True)
        found += [ClassCounts(group, value, tuple(counts)) for value, counts in named]
    return tuple(found)


def _elongations(ids: Sequence[Ids], shapes: Sequence[CellShapes]) -> npt.NDArray[np.float64]:
    pairs = zip(ids, shapes, strict=True)
    return np.concatenate([measured.of(scored).elongations for scored, measured in pairs])


def _count(
    values: npt.NDArray[np.int64 | np.float64], kinds: Ids, limits: npt.NDArray[np.float64]
) -> Ids:
    """Count the cells of each class (rows) and kind (columns)."""
    places = np.searchsorted(limits, values, side="right") - 1
    cells = np.bincount(places * len(_KINDS) + kinds, minlength=len(limits) * len(_KINDS))
    return cells.reshape(len(limits), len(_KINDS))
