"""Cells as distances to their outlines, flows uphill, and outlines (Omnipose)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from cellbench.labels import LabelMap, check_labels, relabel
from cellbench.representations.base import NumpyMaps, Representation
from cellbench.representations.components import components
from cellbench.representations.flow import vectors_turned_back

if TYPE_CHECKING:
    import torch

_LENGTH = 5
_OUTSIDE = -1
_LARGEST_ID = np.iinfo(np.uint16).max


class Omni(Representation):
    """Distances.

    Args:
        distance_threshold: smallest distance of a foreground pixel.
        flow_threshold: a cell is removed if its flows differ more than this from the predicted flows:
            the mean squared length of the difference of unit vectors.
        smallest_cell: smallest number of pixels of a cell.
        largest_hole: holes in a cell with fewer pixels than this are filled.
    """

    channels: Mapping[str, int] = {"distance": 1, "flows": 2, "boundary": 1}
    TUNED: ClassVar[Mapping[str, Sequence[float]]] = {
        "distance_threshold": (-0.5, -0.25, 0, 0.25, 0.5),
        "flow_threshold": (0.2, 0.4, 0.6, 0.8, 3.0),
        "smallest_cell": (10, 15, 30, 60),
    }

    def __init__(
        self,
        distance_threshold: float = 0.0,
        outline_threshold: float = 0.2,
        flow_threshold: float = 0.4,
        smallest_cell: int = 10,
        largest_hole: int = 64,
    ) -> None:
        self.distance_threshold = distance_threshold
        self.outline_threshold = outline_threshold
        self.flow_threshold = flow_threshold
        self.smallest_cell = smallest_cell
        self.largest_hole = largest_hole

    def encode(self, labels: LabelMap) -> dict[str, npt.NDArray[Any]]:
        """Return.

        Args:
            labels: (H, W) label map.
        """
        from cellbench.representations.omni_kernels import distances_and_flows, outlines

        labels = check_labels(labels)
        if labels.max() > _LARGEST_ID:
            labels = relabel(labels)
        ids = np.ascontiguousarray(labels, dtype=np.int32)
        distances, flows = distances_and_flows(ids)
        distances[ids == 0] = _OUTSIDE
        flows *= _LENGTH
        return {"distance": distances[None], "flows": flows, "boundary": outlines(ids)[None]}

    def decode(self, maps: NumpyMaps) -> LabelMap:
        from cellbench.representations.flow_sinks import keep_good_cells
        from cellbench.representations.omni_clusters import fragments, suppressed_ends
        from cellbench.representations.omni_kernels import distances_and_flows
        from cellbench.representations.omni_merge import merge_fragments

        foreground = np.asarray(maps["distance"])[0] >= self.distance_threshold
        flows = np.asarray(maps["flows"], np.float32) / np.float32(_LENGTH)
        if not np.isfinite(flows).all():
            flows = np.nan_to_num(flows, nan=0, posinf=0, neginf=0)
        outline = np.nan_to_num(np.asarray(maps["boundary"], np.float32)[0])
        labels, count = fragments(suppressed_ends(flows, foreground), foreground)
        merge_fragments(labels, count, flows, outline, self.outline_threshold, self.smallest_cell)
        labels = self._without_holes(labels)
        _, own = distances_and_flows(labels)
        keep_good_cells(labels, count, flows, own, self.flow_threshold, self.smallest_cell)
        return labels

    def _without_holes(self, labels: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        from cellbench.representations.flow_sinks import fill_holes

        gaps = components(labels == 0, 1, connectivity=4)
        fill_holes(labels, gaps, np.bincount(gaps.ravel()) < self.largest_hole)
        return labels

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
        """Return the loss, see :mod:`cellbench.representations.omni_loss`.

        Args:
            outputs: raw: ``distance`` (B, 1, H, W), ``flows`` (B, 2, H, W), ``boundary``, logits (B, 1, H, W).
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
