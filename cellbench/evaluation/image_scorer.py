"""The work on one image of a folder: open, count, measure."""

import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from cellbench.errors import InvalidLabelsError, LabelMapError
from cellbench.evaluation.cases import Case
from cellbench.evaluation.cell_shapes import CellShapes, measure_shapes
from cellbench.evaluation.cell_table import cell_rows
from cellbench.evaluation.class_counts import ClassCounts, count_classes
from cellbench.evaluation.counting import MANY_IMAGES
from cellbench.evaluation.details import image_details, measure_counts
from cellbench.evaluation.measures import Measure, Table
from cellbench.evaluation.pooled import PooledOverlaps
from cellbench.evaluation.protocols import Protocol
from cellbench.evaluation.rows import CellRow, DetailsRow, ImageResult, ScoresRow
from cellbench.evaluation.runtimes import rank_runtime_seconds, tolerance_seconds
from cellbench.evaluation.scoring import count_parts, score_parts
from cellbench.evaluation.statuses import Status
from cellbench.evaluation.truths import decoded_once, open_truth, truth_shapes
from cellbench.images import image_shape
from cellbench.labels.banded import BandedLabels, in_bands
from cellbench.labels.pieces import count_pieces

_MOST_PIXELS = 1 << 28
"""Larger label maps are not searched for pieces, which takes several bytes of memory per pixel."""

_MANY_PIECES = 5
"""Pieces for each id, from which a label map without a match probably is none."""

_BothShapes = tuple[list[CellShapes], list[CellShapes]]
"""Places and shapes of the true and of the predicted cells of each tile."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class UnusableTruth:
    """The result of an image whose truth cannot be used.

    Attributes:
        problem: the file, what is wrong and what to do.
    """

    problem: str


@dataclass(frozen=True)
class _Opened:
    """An image whose overlaps are counted; without a usable prediction, with an empty one."""

    status: Status
    truth: BandedLabels
    prediction: BandedLabels
    overlaps: PooledOverlaps


@dataclass(frozen=True)
class ImageScorer:
    """Scores one image after another, in this or another process.

    Attributes:
        rules: the scoring rules.
        thresholds: IoU thresholds of the table of scores.
        measures: the measures of each table that is asked for, cells included.
        images: number of images that this process will score, approximately.
    """

    rules: Protocol
    thresholds: tuple[float, ...]
    measures: dict[Table, tuple[Measure, ...]]
    images: int = MANY_IMAGES

    def __call__(self, case: Case) -> ImageResult | UnusableTruth:
        """Score one image."""
        try:
            opened = self._open(case)
            scores = self._scores(case, opened) if Table.SCORES in self.measures else ()
            pieces = _pieces(opened, matched=any(row.measures["tp"] for row in scores))
            if not self.measures.keys() & {Table.DETAILS, Table.CELLS}:
                return ImageResult(scores, pieces=pieces)
            shapes = self._shapes(case, opened)
            cells: Iterable[CellRow] = ()
            if Table.CELLS in self.measures:
                cells = cell_rows(case.stem, case.modality, opened.overlaps, *shapes)
            details, classes = self._details(case, opened, shapes)
            return ImageResult(scores, details, tuple(cells), classes, pieces)
        except LabelMapError as error:
            return UnusableTruth(str(error))

    def _open(self, case: Case) -> _Opened:
        """Count the overlaps of truth and prediction.

        Raises:
            LabelMapError: if the truth cannot be used.
        """
        truth = open_truth(case.truth)
        status, problem = case.status, ""
        if status is Status.OK:
            try:
                prediction = decoded_once(case.open_prediction(truth.shape))
                if prediction.shape == truth.shape:
                    parts = count_parts(truth, prediction, self.rules, self.images)
                    return _Opened(status, truth, prediction, PooledOverlaps(parts))
                status = Status.WRONG_SHAPE
                problem = (
                    f"{prediction.source}: has the shape {prediction.shape}, but the truth has "
                    f"{truth.shape}; save it in the size of the image"
                )
            except LabelMapError as error:
                invalid = isinstance(error, InvalidLabelsError)
                status = Status.INVALID if invalid else Status.UNREADABLE
                problem = str(error)
        nothing = in_bands(np.broadcast_to(np.uint8(0), truth.shape))
        parts = count_parts(truth, nothing, self.rules, self.images)
        if problem:
            _log.warning("%s; scored 0 (status: %s)", problem, status)
        return _Opened(status, truth, nothing, PooledOverlaps(parts))

    def _scores(self, case: Case, opened: _Opened) -> tuple[ScoresRow, ...]:
        usable = opened.status is Status.OK
        height, width = opened.truth.shape if case.image is None else image_shape(case.image)
        excess = rank_runtime_seconds(case.runtime, height, width) if usable else math.inf
        return tuple(
            ScoresRow(
                image=case.stem,
                modality=case.modality,
                height=height,
                width=width,
                threshold=score.threshold,
                measures=measure_counts(score, self.measures[Table.SCORES], usable=usable),
                runtime_s=case.runtime if usable else math.nan,
                tolerance_s=tolerance_seconds(height, width),
                rank_runtime_s=excess,
                status=opened.status,
            )
            for score in score_parts(opened.overlaps.parts, self.thresholds)
        )

    def _details(
        self, case: Case, opened: _Opened, shapes: _BothShapes
    ) -> tuple[tuple[DetailsRow, ...], tuple[ClassCounts, ...]]:
        """Return what ``--details`` needs: the row of the table, and the counts for its summary."""
        if Table.DETAILS not in self.measures:
            return (), ()
        values = image_details(
            opened.overlaps,
            (opened.truth, opened.prediction),
            measures=self.measures[Table.DETAILS],
            usable=opened.status is Status.OK,
        )
        row = DetailsRow(case.stem, case.modality, opened.status, values)
        return (row,), count_classes(opened.overlaps, *shapes)

    def _shapes(self, case: Case, opened: _Opened) -> _BothShapes:
        tiles = self.rules.part_shape(opened.truth.shape)
        true = truth_shapes(case.truth, opened.truth, tiles)
        return true, measure_shapes(opened.prediction, tiles)


def _pieces(opened: _Opened, *, matched: bool) -> tuple[tuple[str, int, int], ...]:
    """Return the label maps that probably are binary masks, maps of classes or pictures.

    They come with the numbers of their ids and of their pieces.
    """
    if math.prod(opened.truth.shape) > _MOST_PIXELS:
        return ()
    parts = opened.overlaps.parts
    scored = (
        {cell for part in parts for cell in part.truth_ids[:2].tolist()},
        {cell for part in parts for cell in part.prediction_ids[:2].tolist()},
    )
    found = []
    for labels, ids in zip((opened.truth, opened.prediction), scored, strict=True):
        # A single id may also be on the frame, where it is not scored.
        if len(ids) > 1 and matched:
            continue
        number, pieces = count_pieces(labels.whole())
        many = _MANY_PIECES * number if number > 1 else 2
        if number and pieces >= many and (number == 1 or not matched):
            found.append((str(labels.source), number, pieces))
    return tuple(found)
