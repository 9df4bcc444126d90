"""Cells as star-convex polygons: object probability, and distances along rays."""

from collections.abc import Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from cellbench.labels import LabelMap
from cellbench.representations.base import DecodedCells, NumpyMaps, Representation
from cellbench.representations.decoded import FAINT, painted
from cellbench.representations.options import SHARE, WEIGHT, Allowed, WholeNumbers
from cellbench.representations.star_maps import object_probability, star_distances
from cellbench.representations.star_polygons import (
    draw_polygons,
    find_candidates,
    suppress_worse,
)

if TYPE_CHECKING:
    import torch

_SHORTEST = 1e-3  # pixels; T2 and StarDist clamp predicted distances to it


class StarConvex(Representation):
    """Object probability and star distances (Schmidt et al. 2018), as T2-sribdmed trained them.

    Each pixel of a cell stores how central it is, and how far the cell reaches along each ray; these
    distances describe a polygon. Decoding keeps the most central polygons that do not cover each
    other. A cell is recovered as far as it is star-convex, seen from its centre.

    Differences from T2's code: distances are linear outputs and clamped only when they are decoded, as
    in StarDist, because behind a ReLU a ray that starts below 0 would never learn. Pixels at the image
    border are candidates too, because leaving out the outer two pixels, as both do, loses small cells
    that the border cuts.

    Args:
        rays: number of directions, a multiple of four, so that maps can be rotated by quarter turns.
        grid: networks predict the maps at pixels whose row and column are divisible by it, and only
            these pixels are decoded. 2 trains and decodes several times faster than 1, and misses cells
            of one or two pixels.
        probability_threshold: object probability above which the polygon of a pixel is a candidate;
            0.5 in T2.
        nms_threshold: largest share of the smaller polygon's area that two cells may have in common;
            0.4 in T2.
        ray_samples: number of pixels along a ray whose distances determine where the ray ends, from
            the centre outwards, see [`measure`][cellbench.representations.star_kernels.measure]. StarDist
            uses the centre only (1). Pixels near the outline are more accurate, so large cells are
            found whole that would otherwise be split in two.
        most_candidates: if an image has more candidates, only the best are used, with a warning.
        probability_weight: weight of the cross-entropy in the loss. The originals use 1, but then the
            distances dominate: after 200 steps from scratch the cross-entropy exceeds the entropy of
            the targets by 0.13, with a weight of 20 by 0.08.
        distance_weight: weight of the mean absolute error of the distances in the loss. Trained from
            scratch on the sample for 500 steps, F1 on the tune split is 0.74 with StarDist's 0.2, and
            0.81 with 0.5 (all cells pooled, probability threshold 0.6).
        overlap_weight: weight of the Jaccard loss of the distances; 1 in T2.
    """

    TUNED: ClassVar[Mapping[str, Sequence[float]]] = {
        "probability_threshold": (0.3, 0.4, 0.5, 0.6, 0.7),
        "nms_threshold": (0.3, 0.4, 0.5),
        "ray_samples": (1, 2, 4, 6),
    }

    OPTIONS: ClassVar[Mapping[str, Allowed]] = {
        "rays": WholeNumbers(4, step=4),
        "grid": WholeNumbers(1),
        "probability_threshold": SHARE,
        "nms_threshold": SHARE,
        "ray_samples": WholeNumbers(1),
        "most_candidates": WholeNumbers(1),
        "probability_weight": WEIGHT,
        "distance_weight": WEIGHT,
        "overlap_weight": WEIGHT,
    }

    def __init__(
        self,
        rays: int = 32,
        grid: int = 1,
        probability_threshold: float = 0.5,
        nms_threshold: float = 0.4,
        ray_samples: int = 4,
        most_candidates: int = 2_000_000,
        probability_weight: float = 20.0,
        distance_weight: float = 0.5,
        overlap_weight: float = 1.0,
    ) -> None:
        self.rays = rays
        self.channels = {"probability": 1, "distances": self.rays}
        self.grid = grid
        self.probability_threshold = probability_threshold
        self.nms_threshold = nms_threshold
        self.ray_samples = ray_samples
        self.most_candidates = most_candidates
        self.probability_weight = probability_weight
        self.distance_weight = distance_weight
        self.overlap_weight = overlap_weight

    def encode(self, labels: LabelMap) -> dict[str, npt.NDArray[Any]]:
        """Return ``probability`` (1, H, W) in [0, 1] and ``distances`` (rays, H, W) in pixels, float32.

        Args:
            labels: (H, W) label map.

        Examples:
            >>> maps = StarConvex(rays=4).encode(np.pad(np.ones((5, 7), int), 1))
            >>> maps["distances"][:, 3, 4].tolist()
            [3.5, 2.5, 3.5, 2.5]
        """
        return {
            "probability": object_probability(labels)[None],
            "distances": star_distances(labels, self.rays),
        }

    def targets(self, labels: LabelMap) -> dict[str, npt.NDArray[Any]]:
        """Return the encoded maps on the grid; no other pixel is computed.

        Args:
            labels: (H, W) label map.
        """
        return {
            "probability": object_probability(labels)[None, :: self.grid, :: self.grid],
            "distances": star_distances(labels, self.rays, self.grid),
        }

    def foreground(self, maps: NumpyMaps) -> npt.NDArray[np.float32]:
        """Return the object probability, in cells that of the cell, (H, W).

        The object probability falls towards the outline of a cell. So each pixel has the ``score`` of the
        cell that covers it, if that is higher, also where the score is too low for a cell to be decoded.

        Args:
            maps: ``probability`` (1, H, W) and ``distances`` (rays, H, W).
        """
        faint = copy(self)
        faint.probability_threshold = FAINT
        probability = np.asarray(maps["probability"][0], np.float32)
        return np.maximum(painted(faint.decode_cells(maps), "score"), probability)

    def activate(self, outputs: "Mapping[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
        """Turn raw outputs into probabilities and distances of at least 0.001 px.

        Args:
            outputs: ``probability`` (B, 1, h, w) and ``distances`` (B, rays, h, w).
        """
        return {
            "probability": outputs["probability"].float().sigmoid(),
            "distances": outputs["distances"].float().clamp(min=_SHORTEST),
        }

    def decode(self, maps: NumpyMaps) -> LabelMap:
        """Turn ``probability`` (1, H, W) and ``distances`` (rays, H, W) into a label map.

        Pixels whose maps are not finite are ignored. Where cells overlap, the more probable one is
        drawn on top; ids are 1 … N, the most probable first.

        Args:
            maps: the two maps, encoded or predicted.
        """
        return self.decode_cells(maps).labels

    def decode_cells(self, maps: NumpyMaps) -> DecodedCells:
        """Decode as [`decode`][] does; the ``score`` of a cell says how sure the network is of it.

        It is the object probability of the pixel whose distances describe the cell.

        Args:
            maps: the two maps, encoded or predicted.
        """
        probability = np.asarray(maps["probability"])[0]
        candidates = find_candidates(
            probability,
            np.asarray(maps["distances"]),
            self.probability_threshold,
            self.grid,
            self.most_candidates,
            int(self.ray_samples),
        )
        kept = suppress_worse(candidates, self.nms_threshold, probability.shape)
        return draw_polygons(candidates.taken(kept), probability.shape)

    def loss(
        self, outputs: "Mapping[str, torch.Tensor]", targets: "Mapping[str, torch.Tensor]"
    ) -> "torch.Tensor":
        """Return the losses of T2: cross-entropy, weighted absolute error and Jaccard of the distances.

        The entropy of the targets is subtracted from the cross-entropy, which changes no gradient; so
        all three losses are 0 at the truth. The last two weight a pixel by its true object probability,
        because central pixels determine how a cell is drawn. The error is divided by the sum of the
        weights, as in StarDist. In T2's code it is not, so it has less weight in patches with few cells.

        Args:
            outputs: raw ``probability`` (B, 1, h, w) and ``distances`` (B, rays, h, w).
            targets: the true maps, of the same shapes.
        """
        import torch
        from torch.nn.functional import binary_cross_entropy_with_logits

        weights, truth = targets["probability"].float(), targets["distances"].float()
        distances = outputs["distances"].float()
        entropy = torch.special.entr(weights) + torch.special.entr(1 - weights)
        objects = binary_cross_entropy_with_logits(outputs["probability"].float(), weights)
        objects = objects - entropy.mean()
        weighted, true = weights * distances, weights * truth
        error = (weighted - true).abs().sum() / (self.rays * weights.sum() + 1)
        overlap = self._jaccard(weighted, true)
        value: torch.Tensor = (
            self.probability_weight * objects
            + self.distance_weight * error
            + self.overlap_weight * overlap
        )
        return value

    @cached_property
    def _jaccard(self) -> Any:  # noqa: ANN401  (MONAI ships no types)
        from monai.losses import DiceLoss

        return DiceLoss(squared_pred=True, jaccard=True)

    def turn_back(
        self, maps: NumpyMaps, quarter_turns: int, flipped: bool
    ) -> dict[str, npt.NDArray[Any]]:
        """Rotate maps back, see the base class; the distances are assigned to their rotated rays.

        Args:
            maps: ``probability`` (1, H, W) and ``distances`` (rays, H, W).
            quarter_turns: number of quarter turns of the image.
            flipped: whether the image was flipped before it was rotated.
        """
        turned = super().turn_back(maps, quarter_turns, flipped)
        rays = np.arange(self.rays)
        mirrored = self.rays // 2 - rays if flipped else rays
        source = (mirrored - quarter_turns * (self.rays // 4)) % self.rays
        return turned | {"distances": turned["distances"][source]}
