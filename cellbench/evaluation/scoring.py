"""The score of one image under a protocol."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cellbench.evaluation.matching import match_overlaps
from cellbench.evaluation.overlap import Overlaps, count_overlaps
from cellbench.evaluation.protocols import Protocol, get_protocol
from cellbench.labels import LabelMap


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
    parts = [
        count_overlaps(part_of_truth, part_of_prediction, rules.frame_width)
        for part_of_truth, part_of_prediction in _parts(truth, prediction, rules)
    ]
    dice = _dice(parts)
    return [_total(parts, threshold, dice) for threshold in thresholds]


def _parts(
    truth: LabelMap, prediction: LabelMap, rules: Protocol
) -> Iterator[tuple[LabelMap, LabelMap]]:
    """Cut large images into tiles, the last of each row and column filled up with background.

    Cells that cross a tile line lie on the frame of both tiles and are dropped, while cells at the
    image's right and lower border are kept where the filling lies beyond them, as in the official
    script.
    """
    if not rules.is_tiled(np.shape(truth)) or np.shape(truth) != np.shape(prediction):
        yield truth, prediction
        return
    size = rules.tile_size or 0
    height, width = truth.shape
    for top in range(0, height, size):
        for left in range(0, width, size):
            window = (slice(top, top + size), slice(left, left + size))
            yield _filled_up(truth[window], size), _filled_up(prediction[window], size)


def _filled_up(tile: LabelMap, size: int) -> LabelMap:
    return np.pad(tile, ((0, size - tile.shape[0]), (0, size - tile.shape[1])))


def _total(parts: Sequence[Overlaps], threshold: float, dice: float) -> ImageScore:
    matches = [match_overlaps(part, threshold) for part in parts]
    return ImageScore(
        threshold=threshold,
        true_cells=sum(match.true_cells for match in matches),
        predicted_cells=sum(match.predicted_cells for match in matches),
        tp=sum(match.tp for match in matches),
        dice=dice,
    )


def _dice(parts: Sequence[Overlaps]) -> float:
    true, predicted, both = np.sum([part.foreground for part in parts], axis=0).tolist()
    return 2 * both / (true + predicted) if true + predicted else 1.0
