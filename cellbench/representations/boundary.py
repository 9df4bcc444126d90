"""Cells as three classes: background, interior, boundary. The challenge's baseline."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from cellbench.labels import LabelMap
from cellbench.representations.base import NumpyMaps, Representation
from cellbench.representations.components import components, drop_small
from cellbench.representations.options import PIXELS, SHARE, WEIGHT, Allowed

if TYPE_CHECKING:
    import torch

BACKGROUND, INTERIOR, BOUNDARY = range(3)
_BOUNDARY_DEPTH = 2


class Boundary(Representation):
    """Background, interior and boundary, as in the challenge's pre_process_3class.py and predict.py.

    The boundary is the inner outline of each cell, one pixel wide, dilated by a cross: it covers two
    pixels of the cell and one pixel outside. Decoding finds the connected interiors and, unlike the
    official script, grows them by two pixels, so that cells keep their size.

    Args:
        threshold: interior probability above which a pixel is interior.
        smallest_interior: smallest number of pixels of a predicted interior; smaller ones are removed.
            The official value is 16.
        smallest_target: smallest number of pixels of an interior in the training targets. The official
            value is 16.
        largest_hole: holes in an interior with fewer pixels than this are filled. The official value
            is 64.
        touching_weight: additional weight of boundary pixels between touching cells in the loss; 0 is
            the official loss.
    """

    channels: Mapping[str, int] = {"classes": 3}
    TUNED: ClassVar[Mapping[str, Sequence[float]]] = {
        "threshold": (0.3, 0.4, 0.5, 0.6, 0.7),
        "smallest_interior": (4, 8, 16, 32, 64),
    }

    OPTIONS: ClassVar[Mapping[str, Allowed]] = {
        "threshold": SHARE,
        "smallest_interior": PIXELS,
        "smallest_target": PIXELS,
        "largest_hole": PIXELS,
        "touching_weight": WEIGHT,
    }

    def __init__(
        self,
        threshold: float = 0.5,
        smallest_interior: int = 16,
        smallest_target: int = 16,
        largest_hole: int = 64,
        touching_weight: float = 20.0,
    ) -> None:
        self.threshold = threshold
        self.smallest_interior = smallest_interior
        self.smallest_target = smallest_target
        self.largest_hole = largest_hole
        self.touching_weight = touching_weight

    def encode(self, labels: LabelMap) -> dict[str, npt.NDArray[Any]]:
        """Return ``classes``: (3, H, W) uint8, one-hot.

        Args:
            labels: (H, W) label map.

        Examples:
            >>> cell = np.pad(np.ones((7, 7), int), 2)
            >>> Boundary(smallest_target=1).encode(cell)["classes"].sum(axis=(1, 2)).tolist()
            [44, 9, 68]
        """
        import cv2

        cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
        boundary = cv2.dilate(_inner_outline(labels).view(np.uint8), cross) > 0
        interior = drop_small((labels > 0) & ~boundary, self.smallest_target, connectivity=8)
        return {"classes": np.stack([~(interior | boundary), interior, boundary]).astype(np.uint8)}

    def decode(self, maps: NumpyMaps) -> LabelMap:
        """Turn ``classes`` into a label map.

        Args:
            maps: ``classes`` (3, H, W), one-hot or probabilities.
        """
        classes = np.asarray(maps["classes"])
        interior = classes[INTERIOR] > self.threshold
        if not interior.any():  # otherwise a small image without cells would be filled as one hole
            return np.zeros(interior.shape, np.int32)
        interior = ~drop_small(~interior, self.largest_hole, connectivity=4)
        cores = components(interior, self.smallest_interior, connectivity=8)
        grown = _grown(cores, _BOUNDARY_DEPTH)
        # Likely background stays background, so that thin gaps between cells are kept.
        return np.where(classes[BACKGROUND] > self.threshold, cores, grown)

    def foreground(self, maps: NumpyMaps) -> npt.NDArray[np.float32]:
        """Return the probability of interior and boundary together, (H, W).

        Args:
            maps: ``classes`` (3, H, W), one-hot or probabilities.
        """
        return 1 - np.asarray(maps["classes"][BACKGROUND], np.float32)

    def activate(self, outputs: "Mapping[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
        """Turn logits into probabilities.

        Args:
            outputs: ``classes`` (B, 3, H, W).
        """
        return {"classes": outputs["classes"].float().softmax(dim=1)}

    def loss(
        self, outputs: "Mapping[str, torch.Tensor]", targets: "Mapping[str, torch.Tensor]"
    ) -> "torch.Tensor":
        """Return Dice plus cross-entropy over the three classes, the official DiceCELoss.

        Where cells touch, the cross-entropy has a higher weight: those pixels are few, and they decide
        whether cells are merged (after Ronneberger et al. 2015, equation 2).

        Args:
            outputs: ``classes``, logits (B, 3, H, W).
            targets: ``classes``, one-hot, of the same shape.
        """
        logits, truth = outputs["classes"].float(), targets["classes"].float()
        cross_entropy = -(truth * logits.log_softmax(dim=1)).sum(dim=1, keepdim=True)
        weights = 1 + self.touching_weight * _touching(truth)
        value: torch.Tensor = self._dice(logits, truth) + (weights * cross_entropy).mean()
        return value

    @cached_property
    def _dice(self) -> Any:  # noqa: ANN401  (MONAI ships no types)
        from monai.losses import DiceLoss

        return DiceLoss(softmax=True)


def _touching(truth: "torch.Tensor") -> "torch.Tensor":
    """Mark boundary pixels without background within three pixels, (B, 1, H, W): cells touch there."""
    from torch.nn.functional import max_pool2d

    near_background = max_pool2d(truth[:, BACKGROUND, None], kernel_size=7, stride=1, padding=3)
    return truth[:, BOUNDARY, None] * (1 - near_background)


def _inner_outline(labels: LabelMap) -> npt.NDArray[np.bool_]:
    """Mark the pixels of cells that have another id or background above, below, left or right."""
    outline = np.zeros(labels.shape, bool)
    rows, columns = labels[1:] != labels[:-1], labels[:, 1:] != labels[:, :-1]
    outline[1:] |= rows
    outline[:-1] |= rows
    outline[:, 1:] |= columns
    outline[:, :-1] |= columns
    return outline & (labels > 0)


def _grown(cores: npt.NDArray[np.int32], distance: int) -> npt.NDArray[np.int32]:
    """Grow components by ``distance`` pixels into the background, as expand_labels does.

    The distances of OpenCV are exact up to two pixels.
    """
    import cv2

    away, nearest = cv2.distanceTransformWithLabels(
        (cores == 0).view(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_CCOMP
    )
    ids = np.zeros(int(nearest.max()) + 1, np.int32)
    ids[nearest[cores > 0]] = cores[cores > 0]
    return np.where(away <= distance, ids[nearest], 0)
