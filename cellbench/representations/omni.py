"""Cells as distances to their outlines, flows uphill, and outlines (Omnipose)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from cellbench.labels import LabelMap, check_labels, relabel
from cellbench.representations.base import NumpyMaps, Representation
from cellbench.representations.flow import vectors_turned_back, without_holes
from cellbench.representations.options import PIXELS, SHARE, WEIGHT, Allowed, Numbers

if TYPE_CHECKING:
    import torch

_LENGTH = 5
_OUTSIDE = -1  # the middle between this and the outermost pixels of a cell, 1, is 0
_LARGEST_ID = np.iinfo(np.uint16).max


class Omni(Representation):
    """Distances to the outline, flows away from it, and the outlines (Cutler et al. 2022, Omnipose).

    The distance field φ of a cell solves the eikonal equation |∇φ| = 1 with φ = 0 outside of the cell. Its
    numerical solution is smoother than the exact distance, whose slope follows every step of an outline of
    pixels. The flows are the slope of φ, of length 5. They depend on the outline nearby alone, so that
    long, curved and branched cells of any size are learned from a part of them. Decoding moves the pixels
    of the foreground along the flows by steps whose lengths fall as 1 / (1 + t), and clusters the places
    where they end.

    This follows the paper. The original code, whose version 1.1.4 allows no commercial use, was not used.
    Differences:

    * The upwind solution is the mean of one along rows and columns and one along diagonals, iterated until
      it changes no more. The slope is that of 3 × 3 pixels (Scharr's kernel). Maps of a rotated or mirrored
      label map are the rotated or mirrored maps.
    * At the border of the map, cells continue as their mirror image. What a window shows of a long cell has
      nearly the maps that it has in the whole cell, and windows fit together.
    * The distance in the background is −1, as far from 0 as in the outermost pixels of cells.
    * Near the middle line, where the slope turns, flows are shorter than 5.
    * Clusters of end points begin as small fragments, hardly any of which is in two cells, and are merged
      where neither flows nor outlines separate them (see
      [`merge_fragments`][cellbench.representations.omni_merge.merge_fragments]). DBSCAN, in the
      paper, joins two cells if a single gap in the predicted border between them is wide enough.
    * The pieces of a cell in several pieces are separate cells.
    * The loss has no integral along the flows (see [`cellbench.representations.omni_loss`][]).

    Args:
        distance_threshold: smallest distance of a foreground pixel.
        outline_threshold: how sure an outline must be to separate two fragments of cells, from 0 to 1, see
            [`merge_fragments`][cellbench.representations.omni_merge.merge_fragments].
        flow_threshold: a cell is removed if its flows differ more than this from the predicted flows:
            the mean squared length of the difference of unit vectors.
        smallest_cell: smallest number of pixels of a cell.
        largest_hole: holes in a cell with fewer pixels than this are filled.
    """

    channels: Mapping[str, int] = {"distance": 1, "flows": 2, "boundary": 1}
    TUNED: ClassVar[Mapping[str, Sequence[float]]] = {
        "distance_threshold": (-0.5, -0.25, 0, 0.25, 0.5),
        "outline_threshold": (0.05, 0.1, 0.15, 0.2, 0.25),
        "flow_threshold": (0.2, 0.4, 0.6, 0.8, 3.0),
        "smallest_cell": (10, 15, 30, 60),
    }

    OPTIONS: ClassVar[Mapping[str, Allowed]] = {
        "distance_threshold": Numbers(),
        "outline_threshold": SHARE,
        "flow_threshold": WEIGHT,
        "smallest_cell": PIXELS,
        "largest_hole": PIXELS,
    }

    def __init__(
        self,
        distance_threshold: float = 0.0,
        outline_threshold: float = 0.15,
        flow_threshold: float = 0.6,
        smallest_cell: int = 10,
        largest_hole: int = 64,
    ) -> None:
        self.distance_threshold = distance_threshold
        self.outline_threshold = outline_threshold
        self.flow_threshold = flow_threshold
        self.smallest_cell = smallest_cell
        self.largest_hole = largest_hole

    def encode(self, labels: LabelMap) -> dict[str, npt.NDArray[Any]]:
        """Return ``distance``, (1, H, W) float32, ``flows``, (2, H, W) float32, and ``boundary``, uint8.

        ``distance`` is in pixels, 1 in the outermost pixels of a cell with a straight outline, and −1 in
        the background. A cell that fills the whole map has the map's longer side as distance. ``flows``
        points uphill, first down, then to the right; it is 0 in the background, in cells of one pixel and
        exactly on middle lines. ``boundary``, (1, H, W), is 1 in pixels of cells that have an edge in
        common with another cell or with the background.

        Args:
            labels: (H, W) label map.

        Raises:
            InvalidLabelsError: if ``labels`` is not a label map.

        Examples:
            >>> Omni().encode(np.full((3, 4), 7) * [0, 1, 1, 1])["distance"][0, 1].round(1).tolist()
            [-1.0, 1.0, 2.0, 3.0]
        """
        from cellbench.representations.omni_kernels import distances_and_flows, outlines

        labels = check_labels(labels)
        if labels.max() > _LARGEST_ID:
            labels = relabel(labels)
        ids = np.require(labels, np.int32, ["C", "W"])
        distances, flows = distances_and_flows(ids)
        distances[ids == 0] = _OUTSIDE
        flows *= _LENGTH
        return {"distance": distances[None], "flows": flows, "boundary": outlines(ids)[None]}

    def decode(self, maps: NumpyMaps) -> LabelMap:
        """Turn ``distance``, ``flows`` and ``boundary`` into a label map, (H, W) int32.

        A distance of NaN is background; a flow or an outline that is not finite counts as 0.

        Args:
            maps: ``distance`` (1, H, W), ``flows`` (2, H, W) and ``boundary`` (1, H, W).
        """
        from cellbench.representations.flow_sinks import keep_good_cells
        from cellbench.representations.omni_clusters import fragments, suppressed_ends
        from cellbench.representations.omni_kernels import distances_and_flows
        from cellbench.representations.omni_merge import merge_fragments

        foreground = np.ascontiguousarray(maps["distance"][0]) >= self.distance_threshold
        flows = np.ascontiguousarray(maps["flows"], np.float32) / np.float32(_LENGTH)
        flows = _within(flows, -1)
        outline = _within(np.ascontiguousarray(maps["boundary"][0], np.float32), 0)
        labels, count = fragments(suppressed_ends(flows, foreground), foreground)
        merge_fragments(labels, count, flows, outline, self.outline_threshold, self.smallest_cell)
        labels = without_holes(labels, self.largest_hole)
        _, own = distances_and_flows(labels)
        keep_good_cells(labels, count, flows, own, self.flow_threshold, self.smallest_cell)
        return labels

    def foreground(self, maps: NumpyMaps) -> npt.NDArray[np.float32]:
        """Return 0 where the distance is that of the background, 1 where it is 1 px or more, (H, W).

        Args:
            maps: ``distance`` (1, H, W), ``flows`` (2, H, W) and ``boundary`` (1, H, W).
        """
        distance = np.asarray(maps["distance"][0], np.float32)
        share: npt.NDArray[np.float32] = np.clip((distance - _OUTSIDE) / (1 - _OUTSIDE), 0, 1)
        return share

    def activate(self, outputs: "Mapping[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
        """Turn the logits of outlines into probabilities; distances and flows stay as they are.

        Args:
            outputs: ``distance`` (B, 1, H, W), ``flows`` (B, 2, H, W) and ``boundary`` (B, 1, H, W).
        """
        return {
            "distance": outputs["distance"].float(),
            "flows": outputs["flows"].float(),
            "boundary": outputs["boundary"].float().sigmoid(),
        }

    def loss(
        self, outputs: "Mapping[str, torch.Tensor]", targets: "Mapping[str, torch.Tensor]"
    ) -> "torch.Tensor":
        """Return the loss, see [`cellbench.representations.omni_loss`][].

        Args:
            outputs: raw ``distance`` (B, 1, H, W), ``flows`` (B, 2, H, W) and logits ``boundary``
                (B, 1, H, W).
            targets: encoded maps of the same shapes.
        """
        from cellbench.representations.omni_loss import omni_loss

        return omni_loss(outputs, targets)

    def turn_back(
        self, maps: NumpyMaps, quarter_turns: int, flipped: bool
    ) -> dict[str, npt.NDArray[Any]]:
        """Rotate maps back, see the base class; ``flows`` are corrected to the axes of the original image.

        Args:
            maps: ``distance`` (1, H, W), ``flows`` (2, H, W) and ``boundary`` (1, H, W).
            quarter_turns: number of quarter turns of the image.
            flipped: whether the image was flipped before it was rotated.
        """
        turned = super().turn_back(maps, quarter_turns, flipped)
        return turned | {"flows": vectors_turned_back(turned["flows"], quarter_turns, flipped)}


def _within(values: npt.NDArray[np.float32], lowest: float) -> npt.NDArray[np.float32]:
    """Return values from ``lowest`` to 1, and 0 for those that are not finite."""
    if not np.isfinite(values).all():
        values = np.nan_to_num(values, nan=0, posinf=0, neginf=0)
    return np.clip(values, lowest, 1)
