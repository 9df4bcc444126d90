"""The overlaps of one image, its tiles pooled, with what several measures are computed from."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from cellbench.evaluation.cell_errors import CellKind, Kinds, classify_cells
from cellbench.evaluation.matching import Matches, match_overlaps
from cellbench.evaluation.overlap import Overlaps
from cellbench.evaluation.pairs import Ids
from cellbench.evaluation.scoring import ImageScore, score_parts

THRESHOLDS = tuple(k / 20 for k in range(10, 20))
"""IoU thresholds of F1 and AP in the table of details: 0.5, 0.55, … 0.95."""

HALF = 0.5
"""The IoU threshold of every other measure in the table of details."""


class PooledOverlaps:
    """The overlaps of one image: what a measure of `Needs.OVERLAPS` is computed from.

    Everything that takes time is computed when it is first used.

    Args:
        parts: overlaps of the image, or of each of its tiles.
    """

    def __init__(self, parts: Sequence[Overlaps]) -> None:
        self.parts = tuple(parts)

    @cached_property
    def scores(self) -> dict[float, ImageScore]:
        """Counts at each of [`THRESHOLDS`][]."""
        scores = score_parts(self.parts, THRESHOLDS)
        return dict(zip(THRESHOLDS, scores, strict=True))

    @property
    def half(self) -> ImageScore:
        """Counts at IoU 0.5."""
        return self.scores[HALF]

    @cached_property
    def matches(self) -> list[Matches]:
        """Matched cells of each part at IoU 0.5."""
        return [match_overlaps(part, HALF) for part in self.parts]

    @cached_property
    def kinds_by_part(self) -> list[tuple[Kinds, Kinds]]:
        """Kind of each true cell and of each predicted cell of each part."""
        return [classify_cells(*both) for both in zip(self.parts, self.matches, strict=True)]

    @cached_property
    def kinds(self) -> tuple[Kinds, Kinds]:
        """Kind of each true cell and of each predicted cell, all parts together."""
        truth, prediction = map(np.concatenate, zip(*self.kinds_by_part, strict=True))
        return truth, prediction

    @cached_property
    def areas(self) -> dict[str, Ids]:
        """Areas in pixels of the true cells, of the matched true cells, and of the fp."""
        truth = np.concatenate([part.truth_areas for part in self.parts])
        prediction = np.concatenate([part.prediction_areas for part in self.parts])
        truth_kinds, prediction_kinds = self.kinds
        return {
            "true": truth,
            "tp": truth[truth_kinds == CellKind.MATCHED],
            "fp": prediction[prediction_kinds != CellKind.MATCHED],
        }
