"""Cells as star-convex polygons: object probability, and distances along rays."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from cellbench.errors import UsageError
from cellbench.labels import LabelMap
from cellbench.representations.base import NumpyMaps, Representation
from cellbench.representations.star_maps import object_probability, star_distances
from cellbench.representations.star_polygons import (
    draw_polygons,
    find_candidates,
    suppress_worse,
)

if TYPE_CHECKING:
    import torch

_SHORTEST = 1e-3  # pixels; what T2 and StarDist clamp predicted distances to


class StarConvex(Representation):
    """Object probability and star distances (Schmidt et al. 2018), as T2-sribdmed trained them.

    Each pixel of a cell says how central it lies, and how far the cell reaches along each ray: a
    polygon. Decoding keeps the most central polygons that do not cover each other. Only what is
    star-convex about a cell's middle comes back whole.

    Other than in T2's code, distances are linear outputs, clamped only when they are decoded, as in
    StarDist: behind a ReLU a ray that starts below 0 would never learn. Pixels at the image border are
    candidates too: leaving out the outer two, as both do, loses small cells cut by the border.

    Args:
        rays: directions, a multiple of four, so that maps can be turned by quarters.
        grid: networks give the maps at pixels with row and column divisible by it, and decoding looks
            there alone: 2 learns and decodes several times faster, and misses cells of a pixel or two.
        probability_threshold: object probability above which a pixel's polygon is a candidate; T2's .5.
        nms_threshold: share of the smaller polygon's area that two cells may have in common; T2's .4.
        looks: pixels along a ray that are asked where it ends, from the centre outwards, see
            :func:`~cellbench.representations.star_kernels.measure`; StarDist asks the centre
            alone, 1. Those nearer to the outline know better: cells that two small polygons shared get
            one whole one.
        most_candidates: of more candidates in an image only the best are looked at, with a warning.
        probability_weight: weight of the cross-entropy in the loss. With the originals' 1, distances
            drown it: after 200 steps from scratch its excess over the targets' own entropy is .13,
            with 20 it is .08.
        distance_weight: weight of the distances' mean absolute error in the loss. With StarDist's .2,
            trained from scratch on the sample for 500 steps, pooled F1 on tune at a probability of .6 is
            .74; with .5 it is .81.
        overlap_weight: weight of the distances' Jaccard loss; T2's 1.
    """

    TUNED: ClassVar[Mapping[str, Sequence[float]]] = {
        "probability_threshold": (0.3, 0.4, 0.5, 0.6, 0.7),
        "nms_threshold": (0.3, 0.4, 0.5),
        "looks": (1, 2, 4, 6),
    }

    def __init__(
        self,
        rays: int = 32,
        grid: int = 1,
        probability_threshold: float = 0.5,
        nms_threshold: float = 0.4,
        looks: int = 4,
        most_candidates: int = 2_000_000,
        probability_weight: float = 20.0,
        distance_weight: float = 0.5,
        overlap_weight: float = 1.0,
    ) -> None:
        if rays < 4 or rays % 4:
            raise UsageError(f"rays={rays}: give a multiple of four, such as 32")
        if grid < 1:
            raise UsageError(f"grid={grid}: give 1 for every pixel, or 2 for every second")
        if looks < 1:
            raise UsageError(f"looks={looks}: give 1 to ask the centre alone, or more")
        self.channels = {"probability": 1, "distances": rays}
        self.rays = rays
        self.grid = grid
        self.probability_threshold = probability_threshold
        self.nms_threshold = nms_threshold
        self.looks = looks
        self.most_candidates = most_candidates
        self.probability_weight = probability_weight
        self.distance_weight = distance_weight
        self.overlap_weight = overlap_weight

    def encode(self, labels: LabelMap) -> dict[str, npt.NDArray[Any]]:
        """Give ``probability`` (1, H, W) in [0, 1] and ``distances`` (rays, H, W) in pixels, float32.

        Example:
            >>> maps = StarConvex(rays=4).encode(np.pad(np.ones((5, 7), int), 1))
            >>> maps["distances"][:, 3, 4].tolist()
            [3.5, 2.5, 3.5, 2.5]
        """
        return {
            "probability": object_probability(labels)[None],
            "distances": star_distances(labels, self.rays),
        }

    def targets(self, labels: LabelMap) -> dict[str, npt.NDArray[Any]]:
        """Give the encoded maps on the grid; no ray is walked from elsewhere."""
        return {
            "probability": object_probability(labels)[None, :: self.grid, :: self.grid],
            "distances": star_distances(labels, self.rays, self.grid),
        }

    def activate(self, outputs: "Mapping[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
        """Turn raw outputs into probabilities and distances of at least 0.001 px."""
        return {
            "probability": outputs["probability"].float().sigmoid(),
            "distances": outputs["distances"].float().clamp(min=_SHORTEST),
        }

    def decode(self, maps: NumpyMaps) -> LabelMap:
        """Turn ``probability`` (1, H, W) and ``distances`` (rays, H, W) into a label map.

        Pixels whose maps are not finite make no cells. Where cells overlap, the more probable lies on
        top; ids are 1 … N, the most probable first.
        """
        probability = np.asarray(maps["probability"])[0]
        candidates = find_candidates(
            probability,
            np.asarray(maps["distances"]),
            self.probability_threshold,
            self.grid,
            self.most_candidates,
            int(self.looks),
        )
        kept = suppress_worse(candidates, self.nms_threshold, probability.shape)
        return draw_polygons(candidates.taken(kept), probability.shape)

    def loss(
        self, outputs: "Mapping[str, torch.Tensor]", targets: "Mapping[str, torch.Tensor]"
    ) -> "torch.Tensor":
        """Give the losses of T2: cross-entropy, weighted absolute error and Jaccard of the distances.

        From the cross-entropy the targets' own entropy is taken off, which changes no gradient: all three
        are 0 at the truth. Both of the latter weight a pixel with its true object probability: what is
        central decides how a cell is drawn. The error is divided by the sum of the weights, as in
        StarDist; in T2's code it is not, and counts the less, the fewer cells a patch has.
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
        """Turn maps back, see the base class; each ray gets the distance along its turned self."""
        turned = super().turn_back(maps, quarter_turns, flipped)
        rays = np.arange(self.rays)
        mirrored = self.rays // 2 - rays if flipped else rays
        source = (mirrored - quarter_turns * (self.rays // 4)) % self.rays
        return turned | {"distances": turned["distances"][source]}
