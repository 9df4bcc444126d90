"""Every measure of a prediction's quality, once: the measure columns of the tables come from here.

To add a measure, add one [`Measure`][] to [`MEASURES`][]. It then has a column in the table of
details, and ``cellbench rank --measure`` can rank by it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from operator import attrgetter

import numpy as np

from cellbench.errors import UsageError
from cellbench.evaluation.boundaries import boundary_f1, hausdorff_95
from cellbench.evaluation.cell_classes import AREA_CLASSES
from cellbench.evaluation.cell_errors import PREDICTION_ERRORS, TRUTH_ERRORS, CellKind
from cellbench.evaluation.pooled import THRESHOLDS, PooledOverlaps
from cellbench.evaluation.qualities import (
    aggregated_jaccard_index,
    average_precision,
    panoptic_quality,
    recognition_quality,
    segmentation_quality,
    tracking_segmentation_accuracy,
)
from cellbench.evaluation.scoring import ImageScore


class Needs(StrEnum):
    """What a measure is computed from, which is what its function is called with.

    - ``COUNTS``: one [`ImageScore`][cellbench.evaluation.scoring.ImageScore], the counts at an IoU
      threshold (0.5 in the table of details).
    - ``OVERLAPS``: one [`PooledOverlaps`][cellbench.evaluation.pooled.PooledOverlaps], the areas
      and overlaps of the scored cells.
    - ``BOUNDARIES``: one [`Boundaries`][cellbench.evaluation.boundaries.Boundaries], the distances
      between the boundaries of all cells, cells on the frame included. Whole slides are read into
      memory for it.
    - ``LABEL_MAPS``: truth and prediction, each a (H, W) label map, cells on the frame included. Whole
      slides are read into memory for such a measure.
    """

    COUNTS = "counts"
    OVERLAPS = "overlaps"
    BOUNDARIES = "boundaries"
    LABEL_MAPS = "label maps"


class Table(StrEnum):
    """The tables of ``cellbench evaluate``.

    - ``SCORES``: one row for each image and IoU threshold.
    - ``DETAILS``: one row for each image.
    - ``CELLS``: one row for each scored cell.
    """

    SCORES = "scores"
    DETAILS = "details"
    CELLS = "cells"


@dataclass(frozen=True)
class Measure:
    """A number that describes how good the prediction of one image is.

    Attributes:
        name: name of the column.
        needs: what ``compute`` is called with.
        higher_is_better: whether larger values are better.
        compute: returns the value of one image. It has to be a function of a module (or a
            `functools.partial` of one), so that other processes can call it.
        tables: the tables with this column. Only measures of counts can be in ``scores``, which has a
            row for each threshold.
        if_unusable: value of an image without a usable prediction; None computes the measure for a
            prediction without cells.
        rankable: whether algorithms can be ranked by it; false for counts that are neither good nor bad.
        averaged: whether the table of summaries has the mean over images.
    """

    name: str
    needs: Needs
    higher_is_better: bool
    compute: Callable[..., float]
    tables: tuple[Table, ...] = (Table.DETAILS,)
    if_unusable: float | None = None
    rankable: bool = True
    averaged: bool = False

    def __post_init__(self) -> None:
        if Table.SCORES in self.tables and self.needs is not Needs.COUNTS:
            raise ValueError(f"measure {self.name!r}: only measures of counts can be in scores")


def count_error(score: ImageScore) -> int:
    """Return the difference between the numbers of predicted and true cells, without its sign.

    Its mean over images is the mean absolute error (MAE) that methods for counting cells report.

    Args:
        score: counts of the image.
    """
    return abs(score.predicted_cells - score.true_cells)


def _f1_at(threshold: float, image: PooledOverlaps) -> float:
    return image.scores[threshold].f1


def _cells_of_kind(side: int, kind: CellKind, image: PooledOverlaps) -> int:
    return int(np.count_nonzero(image.kinds[side] == kind))


def _cells_of_area(count: str, bounds: tuple[float, float], image: PooledOverlaps) -> int:
    areas = image.areas[count]
    return int(np.count_nonzero((areas >= bounds[0]) & (areas < bounds[1])))


def _count(name: str, *, higher_is_better: bool = True, rankable: bool = True) -> Measure:
    tables = Table.SCORES, Table.DETAILS
    return Measure(
        name, Needs.COUNTS, higher_is_better, attrgetter(name), tables, rankable=rankable
    )


def _quality_at_threshold(name: str) -> Measure:
    return Measure(name, Needs.COUNTS, True, attrgetter(name), (Table.SCORES,))


def _quality(name: str, compute: Callable[..., float], *, averaged: bool = False) -> Measure:
    return Measure(name, Needs.OVERLAPS, True, compute, averaged=averaged)


def _errors(side: str, place: int, kinds: tuple[CellKind, ...]) -> list[Measure]:
    return [
        Measure(
            f"{side}_{kind.replace('-', '_')}",
            Needs.OVERLAPS,
            False,
            partial(_cells_of_kind, place, kind),
        )
        for kind in kinds
    ]


def _by_area(count: str, *, higher_is_better: bool = True, rankable: bool = True) -> list[Measure]:
    return [
        Measure(
            f"{count}_{area}",
            Needs.OVERLAPS,
            higher_is_better,
            partial(_cells_of_area, count, bounds),
            rankable=rankable,
        )
        for area, bounds in AREA_CLASSES.items()
    ]


_ERRORS = [*_errors("fn", 0, TRUTH_ERRORS), *_errors("fp", 1, PREDICTION_ERRORS)]

ERROR_COLUMNS = tuple(measure.name for measure in _ERRORS)
"""Cells without a partner by kind; see [`cellbench.evaluation.cell_errors.classify_cells`][]."""

# In the order of the columns.
_MEASURES = (
    *(_quality(f"f1_{value * 100:.0f}", partial(_f1_at, value)) for value in THRESHOLDS),
    _quality("ap", average_precision, averaged=True),
    _quality("pq", panoptic_quality, averaged=True),
    _quality("sq", segmentation_quality),
    _quality("rq", recognition_quality),
    _quality("aji", aggregated_jaccard_index, averaged=True),
    _count("true_cells", rankable=False),
    _count("predicted_cells", rankable=False),
    _count("tp"),
    _count("fp", higher_is_better=False),
    _count("fn", higher_is_better=False),
    _quality_at_threshold("precision"),
    _quality_at_threshold("recall"),
    _quality_at_threshold("f1"),
    Measure(
        "dice",
        Needs.COUNTS,
        True,
        attrgetter("dice"),
        (Table.SCORES, Table.DETAILS),
        if_unusable=0.0,
    ),
    *_ERRORS,
    *_by_area("true", rankable=False),
    *_by_area("tp"),
    *_by_area("fp", higher_is_better=False),
    Measure("boundary_f1", Needs.BOUNDARIES, True, boundary_f1),
    Measure("hausdorff_95", Needs.BOUNDARIES, False, hausdorff_95),
    _quality("seg", tracking_segmentation_accuracy),
    Measure("count_error", Needs.COUNTS, False, count_error),
)

MEASURES: dict[str, Measure] = {measure.name: measure for measure in _MEASURES}
"""All measures by name, in the order of their columns."""


def get_measure(name: str) -> Measure:
    """Look up a measure by which algorithms can be ranked.

    Args:
        name: name of its column, for example ``f1`` or ``pq``.

    Returns:
        The measure; its ``higher_is_better`` says how to rank.

    Raises:
        UsageError: if there is no such measure, or algorithms cannot be ranked by it.

    Examples:
        >>> get_measure("fp").higher_is_better
        False
    """
    measure = MEASURES.get(name)
    if measure is None or not measure.rankable:
        problem = "unknown" if measure is None else "a count that is neither good nor bad"
        names = ", ".join(each.name for each in MEASURES.values() if each.rankable)
        raise UsageError(f"measure {name!r}: {problem}; choose from {names}")
    return measure


def measures_of(table: Table) -> tuple[Measure, ...]:
    """Return the measures that are columns of a table, in order.

    Args:
        table: the table; that of cells has none.
    """
    return tuple(measure for measure in MEASURES.values() if table in measure.tables)
