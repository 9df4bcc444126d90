"""A representation: cells shrunk by one pixel, so that neighbours do not touch."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from skimage.segmentation import expand_labels
from torch.nn.functional import binary_cross_entropy_with_logits

from cellbench.labels import LabelMap
from cellbench.representations import Representation


class ShrunkenCells(Representation):
    """One map: the probability that a pixel lies inside a cell that was shrunk by one pixel.

    Args:
        threshold: probability above which a pixel belongs to a shrunken cell.
    """

    channels: Mapping[str, int] = {"inside": 1}
    # `cellbench tune` tries these values and keeps the best one in the checkpoint.
    TUNED: ClassVar[Mapping[str, Sequence[float]]] = {"threshold": (0.3, 0.5, 0.7)}

    def __init__(self, threshold: float = 0.5) -> None:
        self.threshold = threshold

    def encode(self, labels: LabelMap) -> dict[str, npt.NDArray[Any]]:
        """Return the training target of a label map.

        Args:
            labels: (H, W) integers, 0 is background.

        Returns:
            ``inside``: (1, H, W) uint8, 1 inside the shrunken cells.
        """
        smallest = ndimage.minimum_filter(labels, size=3)
        largest = ndimage.maximum_filter(labels, size=3)
        inside = (labels > 0) & (smallest == largest)
        return {"inside": inside[None].astype(np.uint8)}

    def activate(self, outputs: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Turn logits (B, 1, H, W) into probabilities."""
        return {"inside": outputs["inside"].float().sigmoid()}

    def decode(self, maps: Mapping[str, npt.NDArray[Any]]) -> LabelMap:
        """Return the label map of predicted maps: connected components, grown by one pixel.

        Args:
            maps: ``inside``: (1, H, W) probabilities.

        Returns:
            (H, W) int32, 0 is background.
        """
        cells, _ = ndimage.label(np.asarray(maps["inside"])[0] > self.threshold)
        grown: LabelMap = expand_labels(cells, distance=1.5).astype(np.int32)
        return grown

    def loss(
        self, outputs: Mapping[str, torch.Tensor], targets: Mapping[str, torch.Tensor]
    ) -> torch.Tensor:
        """Return the binary cross-entropy of logits against the targets, both (B, 1, H, W)."""
        return binary_cross_entropy_with_logits(
            outputs["inside"].float(), targets["inside"].float()
        )
