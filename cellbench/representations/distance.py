"""Cells as two distances: to the outside of the cell, and to the nearest other cell (KIT-GE)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from cellbench.labels import LabelMap, check_labels, relabel
from cellbench.representations.base import NumpyMaps, Representation
from cellbench.representations.components import components
from cellbench.representations.options import SHARE, WEIGHT, Allowed

if TYPE_CHECKING:
    import torch

CELL, NEIGHBOUR = "cell", "neighbour"
_LARGEST_ID = np.iinfo(np.uint16).max
_DEEPEST = np.iinfo(np.uint16).max
_TOUCHING = 1.5  # pixels: the distance of two pixels that meet at an edge or a corner is less
_SIGMA = 0.5  # of the Gaussian that smooths predicted cell distances, in pixels
_FAINT = 0.05  # borders below this count as none
_SMALLEST_SEED = 5  # pixels
_SMALLEST_SHARE = 0.1  # of the mean seed
_LEAST_THRESHOLD = 0.01  # smaller values would be noise
_LOWER, _LOWEST = 0.1, 0.05  # steps of the threshold where there is no seed, and where they end


class CellDistance(Representation):
    """Cell distance and neighbour distance (Scherr et al. 2020, PLoS ONE; KIT-Sch-GE).

    The cell distance grows from the outline of a cell to its middle, where it is 1. The neighbour
    distance is high where another cell is near, in the cell and in the narrow gap between the two, and
    0 elsewhere. Decoding subtracts the second from the first: what remains high are the seeds of the
    cells. A watershed assigns the rest of the foreground to them. Both follow the system as its authors
    entered it in the Cell Tracking Challenge and as it was compared in the challenge's paper
    (train_data_representations.py, postprocessing.py). Differences from these:

    * The nearest other cell counts wherever it is. The original looks for it in a square around the
      centre of the cell, whose size depends on all cells of the image. In cells longer than the square,
      a part has no neighbour distance.
    * Gaps are also found within 3 pixels of the border of the map, and there is no rim at the border
      itself. The original takes what is outside of the map for background.
    * A seed of less than a tenth of the mean seed of the image is dropped only where a larger one is in
      the same connected foreground. The original drops it anywhere, and with it small cells.
    * Watershed heights have 16 bits, and cell distances above 1 count as 1.
    * Cells whose common border has a low neighbour distance are not merged afterwards, which is an
      option of the original.

    As in the original, seeds need five pixels: a cell of less than about 20 pixels is lost, and also a
    narrow cell between others, because the border covers it. Cells become smaller by the pixels whose
    cell distance is below ``cell_threshold``: at 0.07, by one pixel all around where they are 28 pixels
    wide.

    Args:
        cell_threshold: cell distance above which a pixel is foreground; th_cell of the original, 0.07
            in the comparison of the challenge's paper.
        seed_threshold: cell distance minus border above which a pixel belongs to a seed; th_seed of the
            original, 0.45 in the comparison. Where an image has no seed, it is lowered to 0.05 in steps
            of 0.1.
    """

    channels: Mapping[str, int] = {CELL: 1, NEIGHBOUR: 1}
    TUNED: ClassVar[Mapping[str, Sequence[float]]] = {
        "cell_threshold": (0.04, 0.07, 0.1, 0.15, 0.2),
        "seed_threshold": (0.25, 0.35, 0.45, 0.55, 0.65),
    }

    OPTIONS: ClassVar[Mapping[str, Allowed]] = {
        "cell_threshold": SHARE,
        "seed_threshold": WEIGHT,
    }

    def __init__(self, cell_threshold: float = 0.07, seed_threshold: float = 0.45) -> None:
        self.cell_threshold = cell_threshold
        self.seed_threshold = seed_threshold

    def encode(self, labels: LabelMap) -> dict[str, npt.NDArray[Any]]:
        """Return ``cell`` and ``neighbour``, both (1, H, W) float32 in [0, 1].

        For a cell at the border of the map, only the visible part counts. Of a cell in several pieces
        the deepest has the value 1 in ``cell``, and pieces that are much thinner get no seed.

        Args:
            labels: (H, W) label map.

        Raises:
            InvalidLabelsError: if ``labels`` is not a label map.

        Examples:
            >>> cells = np.array([[0, 7, 7, 7, 0, 0, 0, 9, 9, 9, 9]])
            >>> CellDistance().encode(cells)["cell"][0, 0].tolist()
            [0.0, 0.5, 1.0, 0.5, 0.0, 0.0, 0.0, 0.25, 0.5, 0.75, 1.0]
        """
        import cv2

        from cellbench.representations.distance_gaps import gaps_between_cells
        from cellbench.representations.distance_kernels import (
            cell_depths,
            neighbour_distances,
            scaled_distances,
        )

        labels = check_labels(labels)
        if labels.max() > _LARGEST_ID:
            labels = relabel(labels)
        ids = np.require(labels, np.int32, ["C", "W"])
        depths, deepest = cell_depths(ids, int(ids.max()))
        distances, farthest = neighbour_distances(ids, deepest)
        cell, inside = scaled_distances(ids, depths, deepest, distances, farthest)
        neighbour = np.maximum(inside, gaps_between_cells(ids, inside))
        neighbour[distances < _TOUCHING] = 1
        closed = cv2.morphologyEx(_sharpened(neighbour), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        return {CELL: cell[None], NEIGHBOUR: np.asarray(closed, np.float32)[None]}

    def decode(self, maps: NumpyMaps) -> LabelMap:
        """Turn ``cell`` and ``neighbour``, encoded or predicted, into a label map, (H, W) int32.

        A value that is not finite counts as 0.

        Args:
            maps: ``cell`` (1, H, W) and ``neighbour`` (1, H, W).
        """
        import cv2

        from cellbench.representations.watershed import watershed

        predicted, neighbour = _finite(maps[CELL]), _finite(maps[NEIGHBOUR])
        cell = np.asarray(
            cv2.GaussianBlur(predicted, (5, 5), _SIGMA, borderType=cv2.BORDER_REFLECT), np.float32
        )
        foreground = components(cell > self.cell_threshold, 1, connectivity=4)
        seeds = self._seeds(cell - _borders(neighbour), foreground)
        foreground *= _present(foreground[seeds > 0], int(foreground.max()))[foreground]
        heights = ((1 - cell.clip(0, 1)) * _DEEPEST).astype(np.uint16)
        return watershed(heights, seeds, foreground)

    def _seeds(
        self, difference: npt.NDArray[np.float32], foreground: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.int32]:
        """Number the parts of the cell distance without borders, but for those that are too small."""
        threshold = self.seed_threshold
        seeds = components(difference > threshold, _SMALLEST_SEED, connectivity=8)
        while not seeds.any() and threshold > _LOWEST:
            threshold = max(min(threshold, 1) - _LOWER, _LOWEST)
            seeds = components(difference > threshold, _SMALLEST_SEED, connectivity=8)
        areas = np.bincount(seeds.ravel())
        large = areas > _SMALLEST_SHARE * areas[1:].sum() / max(1, len(areas) - 1)
        rivals = _present(foreground[large[seeds] & (seeds > 0)], int(foreground.max()))
        seeds *= large[seeds] | ~rivals[foreground]
        return seeds

    def foreground(self, maps: NumpyMaps) -> npt.NDArray[np.float32]:
        """Return the cell distance as a share of twice ``cell_threshold``, (H, W), at most 1.

        Args:
            maps: ``cell`` (1, H, W) and ``neighbour`` (1, H, W).
        """
        most = 2 * max(self.cell_threshold, _LEAST_THRESHOLD)
        distance = np.asarray(maps[CELL][0], np.float32)
        share: npt.NDArray[np.float32] = np.clip(distance, 0, most) / np.float32(most)
        return share

    def activate(self, outputs: "Mapping[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
        """Return the outputs as they are: the original has no activation either.

        Args:
            outputs: ``cell`` (B, 1, H, W) and ``neighbour`` (B, 1, H, W).
        """
        return {name: outputs[name].float() for name in self.channels}

    def loss(
        self, outputs: "Mapping[str, torch.Tensor]", targets: "Mapping[str, torch.Tensor]"
    ) -> "torch.Tensor":
        """Return the sum of the smooth L1 losses of the two maps, as in the original.

        Args:
            outputs: ``cell`` (B, 1, H, W) and ``neighbour`` (B, 1, H, W), raw.
            targets: the same shapes, in [0, 1].
        """
        from torch.nn import functional

        cell, neighbour = (
            functional.smooth_l1_loss(outputs[name].float(), targets[name].float())
            for name in (CELL, NEIGHBOUR)
        )
        return cell + neighbour


def _sharpened(neighbour: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Raise high neighbour distances and lower low ones, the curve of the original."""
    curve = 1 / np.sqrt(0.65 + 0.5 * np.exp(-11 * (neighbour - 0.75))) - 0.19
    sharpened: npt.NDArray[np.float32] = np.clip(curve, 0, 1)
    return sharpened


def _borders(neighbour: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return what is subtracted from cell distances: the tangent of the square, 0 if it is small."""
    borders: npt.NDArray[np.float32] = np.tan(np.square(neighbour.clip(0, 1)))
    borders[borders < _FAINT] = 0
    return np.minimum(borders, 1, out=borders)


def _finite(values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return the only channel, with 0 for values that are not finite."""
    channel = np.ascontiguousarray(values[0], np.float32)
    return (
        channel if np.isfinite(channel).all() else np.nan_to_num(channel, nan=0, posinf=0, neginf=0)
    )


def _present(numbers: npt.NDArray[np.int32], largest: int) -> npt.NDArray[np.bool_]:
    """Return for each number from 0 to ``largest`` whether it occurs; for 0 always False."""
    present = np.zeros(largest + 1, bool)
    present[numbers] = True
    present[0] = False
    return present
