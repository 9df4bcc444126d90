"""Cells as foreground and flows to their centres (Cellpose, MEDIAR)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from cellbench.labels import LabelMap, check_labels, relabel
from cellbench.representations.base import NumpyMaps, Representation
from cellbench.representations.components import components
from cellbench.representations.options import PIXELS, SHARE, WEIGHT, Allowed

if TYPE_CHECKING:
    import torch

DOWN, RIGHT = range(2)
_LENGTH = 5
_FLOW_WEIGHT = 0.5
_UNSEEDED = 4
_LARGEST_ID = np.iinfo(np.uint16).max


class Flow(Representation):
    """Foreground, and flows to the cell's centre (Stringer et al. 2021, Cellpose; Lee et al. 2022, MEDIAR).

    Heat that spreads from the centre of a cell, and is lost outside of it, shows from every pixel a way
    to the centre that stays inside the cell. Decoding lets the pixels follow these flows: those that
    end in the same place are a cell. Differences from Cellpose's dynamics.py:

    * The centre is the pixel nearest to the median. Where several are equally near, all of them are
      heated, so that the maps of a rotated or mirrored label map are the rotated or mirrored maps.
    * How far heat spreads depends on the cell itself, not on the largest cell of the image.
    * A pixel stops where the flow is nearly 0. One that still moves after 100 steps continues from where
      its neighbour ended, up to 6,400 steps; Cellpose ends after 200 and cuts longer cells.
    * A part of the foreground in which no pixel ends at a seed is one cell if it has at most four times
      ``smallest_seed`` pixels. Cellpose loses it.
    * A cell may cover the whole image. Cellpose removes cells that cover 40 % of it, MEDIAR 90 %.

    Args:
        foreground_threshold: smallest probability of a foreground pixel; 0.5 in both originals.
        flow_threshold: a cell is removed if its flows differ more than this from the predicted flows:
            the mean squared length of the difference of unit vectors; 0.4 in both originals.
        smallest_cell: smallest number of pixels of a cell; 15 in Cellpose.
        smallest_seed: a place is a seed if more pixels than this end there; 10 in both originals.
        largest_hole: holes in a cell with fewer pixels than this are filled. Cellpose fills all, MEDIAR
            none.
    """

    channels: Mapping[str, int] = {"foreground": 1, "flows": 2}
    TUNED: ClassVar[Mapping[str, Sequence[float]]] = {
        "foreground_threshold": (0.3, 0.4, 0.5, 0.6, 0.7),
        "flow_threshold": (0.2, 0.4, 0.6, 0.8, 3.0),
        "smallest_seed": (5, 10, 20, 40),
        "smallest_cell": (10, 15, 30, 60),
    }

    OPTIONS: ClassVar[Mapping[str, Allowed]] = {
        "foreground_threshold": SHARE,
        "flow_threshold": WEIGHT,
        "smallest_cell": PIXELS,
        "smallest_seed": PIXELS,
        "largest_hole": PIXELS,
    }

    def __init__(
        self,
        foreground_threshold: float = 0.5,
        flow_threshold: float = 0.4,
        smallest_cell: int = 10,
        smallest_seed: int = 10,
        largest_hole: int = 64,
    ) -> None:
        self.foreground_threshold = foreground_threshold
        self.flow_threshold = flow_threshold
        self.smallest_cell = smallest_cell
        self.smallest_seed = smallest_seed
        self.largest_hole = largest_hole

    def encode(self, labels: LabelMap) -> dict[str, npt.NDArray[Any]]:
        """Return ``foreground``, (1, H, W) uint8, and ``flows``, (2, H, W) float32.

        ``flows`` holds vectors of length 5, first down, then to the right, and 0 in the background. For
        a cell at the border, only the visible part counts. Of a cell in several pieces the largest has
        flows, and the pieces at the border of the map: there, the parts of one cell look like several.
        Other pieces have none, as in Cellpose.

        Args:
            labels: (H, W) label map.

        Raises:
            InvalidLabelsError: if ``labels`` is not a label map.

        Examples:
            >>> Flow().encode(np.array([[0, 7, 7, 7, 7, 7]]))["flows"][1].tolist()
            [[0.0, 5.0, 5.0, 0.0, -5.0, -5.0]]
        """
        labels = check_labels(labels)
        foreground = (labels > 0).view(np.uint8)[None]
        if labels.max() > _LARGEST_ID:
            labels = relabel(labels)
        flows = _unit_flows(np.require(labels, np.int32, ["C", "W"]))
        return {"foreground": foreground, "flows": np.multiply(flows, _LENGTH, out=flows)}

    def decode(self, maps: NumpyMaps) -> LabelMap:
        """Turn ``foreground`` and ``flows``, encoded or predicted, into a label map, (H, W) int32.

        A foreground value of NaN is background; a flow that is not finite counts as 0.

        Args:
            maps: ``foreground`` (1, H, W) and ``flows`` (2, H, W).
        """
        from cellbench.representations.flow_sinks import (
            add_unseeded,
            cells_of_ends,
            follow_flows,
            keep_good_cells,
        )

        foreground = np.ascontiguousarray(maps["foreground"][0]) >= self.foreground_threshold
        flows = np.ascontiguousarray(maps["flows"], np.float32) / np.float32(_LENGTH)
        if not np.isfinite(flows).all():
            flows = np.nan_to_num(flows, nan=0, posinf=0, neginf=0)
        ends = follow_flows(flows, foreground)
        labels, count = cells_of_ends(ends, self.smallest_seed)
        parts = components(foreground, 1, connectivity=8)
        count = add_unseeded(labels, parts, count, int(_UNSEEDED * self.smallest_seed))
        own = _unit_flows(labels)
        keep_good_cells(labels, count, flows, own, self.flow_threshold, self.smallest_cell)
        return without_holes(labels, self.largest_hole)

    def foreground(self, maps: NumpyMaps) -> npt.NDArray[np.float32]:
        """Return the map ``foreground``, (H, W).

        Args:
            maps: ``foreground`` (1, H, W) and ``flows`` (2, H, W).
        """
        return np.asarray(maps["foreground"][0], np.float32)

    def activate(self, outputs: "Mapping[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
        """Turn logits into probabilities; flows stay as they are.

        Args:
            outputs: ``foreground`` (B, 1, H, W) and ``flows`` (B, 2, H, W).
        """
        return {
            "foreground": outputs["foreground"].float().sigmoid(),
            "flows": outputs["flows"].float(),
        }

    def loss(
        self, outputs: "Mapping[str, torch.Tensor]", targets: "Mapping[str, torch.Tensor]"
    ) -> "torch.Tensor":
        """Return the cross-entropy of the foreground plus half the mean squared error of the flows.

        Both are means over all pixels, as in Cellpose and MEDIAR.

        Args:
            outputs: ``foreground``, logits (B, 1, H, W), and ``flows`` (B, 2, H, W), raw.
            targets: ``foreground``, 0 or 1, and ``flows`` of length 5 or 0, of the same shapes.
        """
        from torch.nn import functional

        cross_entropy = functional.binary_cross_entropy_with_logits(
            outputs["foreground"].float(), targets["foreground"].float()
        )
        squared = functional.mse_loss(outputs["flows"].float(), targets["flows"].float())
        return cross_entropy + _FLOW_WEIGHT * squared

    def turn_back(
        self, maps: NumpyMaps, quarter_turns: int, flipped: bool
    ) -> dict[str, npt.NDArray[Any]]:
        """Rotate maps back, see the base class; ``flows`` are corrected to the axes of the original image.

        Args:
            maps: ``foreground`` (1, H, W) and ``flows`` (2, H, W).
            quarter_turns: number of quarter turns of the image.
            flipped: whether the image was flipped before it was rotated.
        """
        turned = super().turn_back(maps, quarter_turns, flipped)
        return turned | {"flows": vectors_turned_back(turned["flows"], quarter_turns, flipped)}


def vectors_turned_back(
    vectors: npt.NDArray[Any], quarter_turns: int, flipped: bool
) -> npt.NDArray[Any]:
    """Correct the directions of vectors whose map has been rotated back.

    Args:
        vectors: (2, H, W), down and to the right.
        quarter_turns: number of quarter turns of the image.
        flipped: whether the image was flipped before it was rotated.
    """
    down, right = vectors[DOWN], vectors[RIGHT]
    for _ in range(quarter_turns % 4):  # a quarter turn moves the right side to the top
        down, right = right, -down
    if flipped:
        right = -right
    return np.stack([down, right])


def without_holes(labels: npt.NDArray[np.int32], largest_hole: float) -> npt.NDArray[np.int32]:
    """Fill small holes that a single cell encloses.

    Args:
        labels: (H, W) ids, changed.
        largest_hole: holes of fewer pixels are filled.
    """
    from cellbench.representations.flow_sinks import fill_holes

    gaps = components(labels == 0, 1, connectivity=4)
    fill_holes(labels, gaps, np.bincount(gaps.ravel()) < largest_hole)
    return labels


def _unit_flows(labels: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
    from cellbench.representations.flow_kernels import diffusion_flows

    flows: npt.NDArray[np.float32] = diffusion_flows(labels, int(labels.max()))
    return flows
