"""Cells as distances to their centres, and interior, border and background (Mesmer)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from cellbench.labels import LabelMap, check_labels, relabel
from cellbench.representations.base import NumpyMaps, Representation
from cellbench.representations.components import components
from cellbench.representations.options import PIXELS, SHARE, WEIGHT, Allowed, Flag, Numbers

if TYPE_CHECKING:
    import torch

_HIGHEST = np.iinfo(np.uint16).max
_LARGEST_ID = np.iinfo(np.uint16).max
_REACH = 4  # standard deviations


class InnerDistance(Representation):
    """Inner distance, and interior, border and background (Greenwald et al. 2022, Mesmer).

    The inner distance is 1 at the centre of a cell and falls towards its outline; it is 0 outside of
    cells. Decoding ("deep watershed") uses its maxima as markers, and floods the smoothed probability
    of the interior from them. Differences from the original:

    * Mesmer predicts whole cells and nuclei from two channels of an image, with these maps for each.
      This benchmark has one kind of label, and these maps once.
    * Heights have 16 bits, so that a union-find can find the maxima. Two equally high maxima of one cell
      with a shallow valley between them are one marker.
    * Pixels are neighbours of a maximum by edges and corners, at a distance of one pixel; the original
      looks two pixels far.

    A cell of several pieces has one centre. Of a cell that the border of the image cuts, only the
    visible part counts, also for the centre. A cell whose centre lies outside of it, like a ring, may
    have several maxima, and is then split. A cell that is nowhere more than two pixels wide is all
    border and has no interior.

    Args:
        alpha: factor on the distance: the inner distance is 1 / (1 + alpha × distance to the centre).
            The original has 0.1 with distances in pixels, and 1 with relative distances.
        relative: divide distances by the square root of the cell's area in pixels ("auto" in the
            original), so that small and large cells have the same values.
        maxima_threshold: smallest descent of the smoothed inner distance from a maximum to a higher one;
            0.075 in the original for whole cells, 0.1 for nuclei.
        maxima_smoothing: standard deviation in pixels of the Gaussian filter of the inner distance; 0 in
            the original. Trained on the sample for five minutes of CPU time, the mean F1 on the tune
            split is 0.859 with the default values, and 0.842 with 0 and a threshold of 0.075, the best
            for 0.
        interior_threshold: smallest smoothed interior probability of a pixel of a cell.
        interior_smoothing: standard deviation in pixels of the Gaussian filter of the interior
            probability. It also restores the border of a cell, which does not belong to its interior.
            The original has 2, which loses cells of five pixels across.
        smallest_cell: smallest number of pixels of a decoded cell.
        largest_hole: holes of a cell with fewer pixels than this are filled.
        class_weight: weight of the cross-entropy in the loss.
    """

    channels: Mapping[str, int] = {"inner": 1, "pixelwise": 3}
    TUNED: ClassVar[Mapping[str, Sequence[float]]] = {
        "interior_threshold": (0.1, 0.2, 0.3, 0.4),
        "maxima_threshold": (0.025, 0.05, 0.075, 0.1, 0.15),
        "maxima_smoothing": (0, 0.5, 1),
        "interior_smoothing": (0.5, 1, 1.5, 2),
    }

    OPTIONS: ClassVar[Mapping[str, Allowed]] = {
        "alpha": Numbers(0, above=True),
        "relative": Flag(),
        "maxima_threshold": SHARE,
        "maxima_smoothing": WEIGHT,
        "interior_threshold": SHARE,
        "interior_smoothing": WEIGHT,
        "smallest_cell": PIXELS,
        "largest_hole": PIXELS,
        "class_weight": WEIGHT,
    }

    def __init__(
        self,
        alpha: float = 1.0,
        relative: bool = True,
        maxima_threshold: float = 0.05,
        maxima_smoothing: float = 0.5,
        interior_threshold: float = 0.2,
        interior_smoothing: float = 1.0,
        smallest_cell: int = 15,
        largest_hole: int = 15,
        class_weight: float = 0.01,
    ) -> None:
        self.alpha = alpha
        self.relative = relative
        self.maxima_threshold = maxima_threshold
        self.maxima_smoothing = maxima_smoothing
        self.interior_threshold = interior_threshold
        self.interior_smoothing = interior_smoothing
        self.smallest_cell = smallest_cell
        self.largest_hole = largest_hole
        self.class_weight = class_weight

    def encode(self, labels: LabelMap) -> dict[str, npt.NDArray[Any]]:
        """Return ``inner``, (1, H, W) float32 in [0, 1], and ``pixelwise``, (3, H, W) uint8, one-hot.

        The classes are interior, border and background. The border of a cell are its pixels beside
        another cell or the background, one pixel wide. Centres are exact, so the maps of a rotated or
        mirrored label map are the rotated or mirrored maps.

        Args:
            labels: (H, W) label map.

        Raises:
            InvalidLabelsError: if ``labels`` is not a label map.

        Examples:
            >>> cell = np.array([[0, 7, 7, 7, 7, 7]])
            >>> InnerDistance(alpha=1, relative=False).encode(cell)["inner"][0, 0, 1:4].tolist()
            [0.3333333432674408, 0.5, 1.0]
        """
        from cellbench.labels.measures import measure_cells
        from cellbench.representations.inner_distance_kernels import inner_distance_maps

        labels = check_labels(labels)
        if labels.max() > _LARGEST_ID:
            labels = relabel(labels)
        ids = np.require(labels, np.int32, ["C", "W"])
        cells = measure_cells(ids, int(ids.max()))
        inner, classes = inner_distance_maps(ids, cells, float(self.alpha), bool(self.relative))
        return {"inner": inner, "pixelwise": classes}

    def decode(self, maps: NumpyMaps) -> LabelMap:
        """Turn ``inner`` and ``pixelwise``, encoded or predicted, into a label map, (H, W) int32.

        Parts of the mask without a maximum of the inner distance are dropped. Values that are not finite
        count as 0.

        Args:
            maps: ``inner`` (1, H, W) and ``pixelwise`` (3, H, W).
        """
        from cellbench.representations.h_maxima import h_maxima
        from cellbench.representations.inner_distance_kernels import INTERIOR, clear_small
        from cellbench.representations.watershed import watershed

        interior = _smooth(np.asarray(maps["pixelwise"])[INTERIOR], self.interior_smoothing)
        mask = interior >= max(self.interior_threshold, 1 / _HIGHEST)
        parts = components(mask, self.smallest_cell, connectivity=4)
        inner = _smooth(np.asarray(maps["inner"])[0], self.maxima_smoothing) * (parts > 0)
        markers = h_maxima(_in_16_bits(inner), max(1, round(self.maxima_threshold * _HIGHEST)))
        marked = np.zeros(int(parts.max()) + 1, np.int32)
        marked[parts[markers > 0]] = 1
        labels = watershed(
            _HIGHEST - _in_16_bits(interior), markers, parts * np.take(marked, parts)
        )
        self._fill_holes(labels)
        clear_small(labels, self.smallest_cell)
        return labels

    def _fill_holes(self, labels: npt.NDArray[np.int32]) -> None:
        from cellbench.representations.flow_sinks import fill_holes

        gaps = components(labels == 0, 1, connectivity=4)
        fill_holes(labels, gaps, np.bincount(gaps.ravel()) < self.largest_hole)

    def foreground(self, maps: NumpyMaps) -> npt.NDArray[np.float32]:
        """Return the probability of interior and border together, (H, W).

        Args:
            maps: ``inner`` (1, H, W) and ``pixelwise`` (3, H, W).
        """
        from cellbench.representations.inner_distance_kernels import BACKGROUND

        return 1 - np.asarray(maps["pixelwise"][BACKGROUND], np.float32)

    def activate(self, outputs: "Mapping[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
        """Clamp inner distances to [0, 1], and turn logits into probabilities.

        Args:
            outputs: ``inner`` (B, 1, H, W) and ``pixelwise`` (B, 3, H, W).
        """
        return {
            "inner": outputs["inner"].float().clamp(0, 1),
            "pixelwise": outputs["pixelwise"].float().softmax(dim=1),
        }

    def loss(
        self, outputs: "Mapping[str, torch.Tensor]", targets: "Mapping[str, torch.Tensor]"
    ) -> "torch.Tensor":
        """Return the mean squared error of the inner distance plus the weighted cross-entropy.

        In the cross-entropy, the three classes have equal weights: it is the mean over the classes in the
        batch of the mean over the pixels of a class.

        Args:
            outputs: ``inner`` (B, 1, H, W), raw, and ``pixelwise``, logits (B, 3, H, W).
            targets: ``inner`` in [0, 1] and ``pixelwise``, one-hot, of the same shapes.
        """
        from torch.nn.functional import mse_loss

        squared = mse_loss(outputs["inner"].float(), targets["inner"].float())
        truth = targets["pixelwise"].float()
        errors = -(truth * outputs["pixelwise"].float().log_softmax(dim=1)).sum(dim=(0, 2, 3))
        pixels = truth.sum(dim=(0, 2, 3))
        cross_entropy = (errors / pixels.clamp(min=1)).sum() / (pixels > 0).sum()
        value: torch.Tensor = squared + self.class_weight * cross_entropy
        return value


def _smooth(values: npt.NDArray[Any], deviation: float) -> npt.NDArray[np.float32]:
    """Return a filtered copy in [0, 1]; values that are not finite count as 0."""
    import cv2

    copy = np.array(values, np.float32, order="C")
    copy[~np.isfinite(copy)] = 0
    np.clip(copy, 0, 1, out=copy)
    if deviation <= 0:
        return copy
    side = 2 * round(_REACH * deviation) + 1
    smooth = cv2.GaussianBlur(copy, (side, side), deviation, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(smooth, np.float32)


def _in_16_bits(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    heights: npt.NDArray[np.uint16] = np.rint(values * np.float32(_HIGHEST)).astype(np.uint16)
    return heights
