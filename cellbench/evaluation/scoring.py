"""The score of one image under a protocol."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cellbench.evaluation.matching import check_threshold, count_matches
from cellbench.evaluation.overlap import Overlaps, count_overlaps
from cellbench.evaluation.counting import MANY_IMAGES
from cellbench.evaluation.protocols import Protocol, get_protocol
from cellbench.labels.banded import BandedLabels, in_bands
from cellbench.labels.maps import LabelMap


@dataclass(frozen=True)
class ImageScore:
    """Counts of one image at one IoU threshold, frame cells left out.

    Attributes:
        threshold: the IoU from which a pair matches.
        true_cells: true cells that are scored.
        predicted_cells: predicted cells that are scored.
        tp: matched pairs.
        dice: foreground Dice of the whole image, frame cells included; 1 where both are empty.
    """

    threshold: float
    true_cells: int
    predicted_cells: int
    tp: int
    dice: float

    @property
    def fp(self) -> int:
        """Predicted cells without a partner."""
        return self.predicted_cells - self.tp

    @property
    def fn(self) -> int:
        """True cells without a partner."""
        return self.true_cells - self.tp

    @property
    def precision(self) -> float:
        """``tp / predicted_cells``, 0 where nothing matched."""
        return self.tp / self.predicted_cells if self.tp else 0.0

    @property
    def recall(self) -> float:
        """``tp / true_cells``, 0 where nothing matched."""
        return self.tp / self.true_cells if self.tp else 0.0

    @property
    def f1(self) -> float:
        """``2 tp / (true_cells + predicted_cells)``, 0 where nothing matched."""
        return 2 * self.tp / (self.true_cells + self.predicted_cells) if self.tp else 0.0


def score_image(
    truth: LabelMap,
    prediction: LabelMap,
    *,
    protocol: str = "neurips22",
    thresholds: Sequence[float] = (0.5,),
) -> list[ImageScore]:
    """Score one predicted label map against the truth.

    Args:
        truth: (H, W) integers, 0 is background.
        prediction: (H, W) integers, same shape as ``truth``.
        protocol: the name of the scoring rules.
        thresholds: IoU thresholds in (0, 1], each compared with ``>=``.

    Returns:
        One score for each threshold, in their order.

    Raises:
        LabelMapError: if the shapes differ or one is not a label map.
        UsageError: if the protocol is not known or a threshold is outside (0, 1].

    Example:
        >>> cell = np.zeros((9, 9), int)
        >>> cell[3:6, 3:6] = 1
        >>> score_image(cell, cell * 7)[0].f1
        1.0
    """
    rules = get_protocol(protocol)
    parts = count_parts(in_bands(truth, "truth"), in_bands(prediction, "prediction"), rules)
    return score_parts(parts, thresholds)


def count_parts(
    truth: BandedLabels, prediction: BandedLabels, rules: Protocol, images: int = MANY_IMAGES
) -> list[Overlaps]:
    """Count what the rules score: the whole image, or each tile of a large one.

    In tiles, cells that cross a tile line lie on the frame of both tiles and are dropped, while cells
    at the image's right and lower border are kept where filling lies beyond them, as in the official
    script.

    Args:
        truth: any integer ids; 0 is background.
        prediction: the same shape.
        rules: what is scored.
        images: how many such images will be counted, about.

    Raises:
        LabelMapError: as :func:`cellbench.evaluation.overlap.count_overlaps`.
    """
    part_shape = rules.part_shape(truth.shape)
    parts = count_overlaps(truth, prediction, rules.frame_width, part_shape, images)
    if rules.skips_empty_tiles and part_shape != truth.shape:
        parts = [part if len(part.prediction_ids) else _without_cells(part) for part in parts]
    return parts


def _without_cells(part: Overlaps) -> Overlaps:
    none = np.array([], np.int64)
    return replace(
        part, truth_ids=none, truth_areas=none, pairs=none.reshape(0, 2), intersections=none
    )


def score_parts(parts: Sequence[Overlaps], thresholds: Sequence[float]) -> list[ImageScore]:
    """Add up the counts of an image's parts, for each threshold.

    Raises:
        UsageError: if a threshold is outside (0, 1].
    """
    for threshold in thresholds:
        check_threshold(threshold)
    true_cells = sum(len(part.truth_ids) for part in parts)
    predicted_cells = sum(len(part.prediction_ids) for part in parts)
    matched = map(sum, zip(*(count_matches(part, thresholds) for part in parts), strict=True))
    true, predicted, both = map(sum, zip(*(part.foreground for part in parts), strict=True))
    dice = 2 * both / (true + predicted) if true + predicted else 1.0
    return [
        ImageScore(threshold, true_cells, predicted_cells, tp, dice)
        for threshold, tp in zip(thresholds, matched, strict=True)
    ]
