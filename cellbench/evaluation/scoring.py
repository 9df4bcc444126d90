"""The score of one image under a protocol."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cellbench.evaluation.counting import MANY_IMAGES
from cellbench.evaluation.matching import check_threshold, count_matches
from cellbench.evaluation.overlap import Overlaps, count_overlaps
from cellbench.evaluation.protocols import Protocol, get_protocol
from cellbench.labels.banded import BandedLabels, in_bands
from cellbench.labels.maps import LabelMap


@dataclass(frozen=True)
class ImageScore:
    """Counts of one image at one IoU threshold, without cells on the frame.

    Attributes:
        threshold: the IoU from which a pair matches.
        true_cells: number of true cells that are scored.
        predicted_cells: number of predicted cells that are scored.
        tp: number of matched pairs.
        dice: Dice coefficient of the foreground, cells on the frame included; 1 if both are empty.
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
        """Harmonic mean of precision and recall, 0 where nothing matched; see [`f1_score`][]."""
        return f1_score(self.precision, self.recall)


def f1_score(precision: float, recall: float) -> float:
    """Return F1 as the challenge's compute_metric.py computes it, to the last bit.

    F1 equals 2 tp / (true + predicted cells), but floating-point numbers differ in the last digit. That
    decides how some values round to the 4 decimals that the ranks see: with 24 true cells,
    40 predicted cells and 21 matches, the official script writes 0.6563, and 42 / 64 rounds to 0.6562.

    Args:
        precision: tp / predicted cells.
        recall: tp / true cells.

    Returns:
        F1 in [0, 1]; 0 where precision and recall are 0.

    Examples:
        >>> round(f1_score(21 / 40, 21 / 24), 4)
        0.6563
    """
    return 2 * (precision * recall) / (precision + recall) if precision + recall else 0.0


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
        protocol: name of the scoring rules.
        thresholds: IoU thresholds in (0, 1], each compared with ``>=``.

    Returns:
        One score for each threshold, in the order of ``thresholds``.

    Raises:
        LabelMapError: if the shapes differ or one is not a label map.
        UsageError: if the protocol is not known or a threshold is outside (0, 1].

    Examples:
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
    """Count the overlaps of what the rules score: the whole image, or each tile of a large image.

    In tiles, cells that cross a tile line lie on the frame of both tiles and are not scored. Cells at
    the right and lower border of the image are scored if their tile is filled up with background there.
    The official script does the same.

    Args:
        truth: label map with any integer ids; 0 is background.
        prediction: label map of the same shape.
        rules: the scoring rules.
        images: number of such images that will be counted, approximately.

    Returns:
        The overlaps of the image, or of each of its tiles.

    Raises:
        LabelMapError: as [`cellbench.evaluation.overlap.count_overlaps`][].
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
    """Add up the counts of an image's parts at each threshold.

    Args:
        parts: overlaps of the image, or of each of its tiles.
        thresholds: IoU thresholds in (0, 1].

    Returns:
        One score for each threshold, in the order of ``thresholds``.

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
