"""Cells as foreground and long-range affinities, decoded by the mutex watershed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from cellbench.errors import UsageError
from cellbench.labels import LabelMap, check_labels, relabel
from cellbench.representations.base import NumpyMaps, Representation
from cellbench.representations.components import components
from cellbench.representations.options import PIXELS, SHARE, WEIGHT, Allowed, WholeNumbers

if TYPE_CHECKING:
    import torch

_DIRECT = 2  # the first maps are those of direct neighbours
_LARGEST_ID = np.iinfo(np.int32).max


class Affinity(Representation):
    """Foreground, and whether two pixels belong to one cell (Wolf et al. 2018 and 2020, mutex watershed).

    An edge joins a pixel with the pixel at a fixed offset from it. Its affinity is 1 if both belong to
    the same cell, otherwise 0. There are twelve offsets: the direct neighbours below and to the right,
    and pixels at three distances. Decoding processes all edges in the order of how sure they are: edges
    of direct neighbours join their pixels, those of distant pixels forbid to join them. So nothing is
    assumed about the shape of cells, and neither a number of cells nor seeds are needed. Differences
    from the original:

    * The original has distances of 9 and 27 pixels for the neurites of electron microscopy. Cells of
      light microscopy are often smaller than 9 pixels, so here are edges of 3 pixels too, and fewer of
      the others.
    * The foreground is a map of its own. Edges with an end in the background have affinity 0, those with
      both ends there are not learned. Decoding joins pixels of the foreground only.
    * Edges of a weight below ``smallest_weight`` are ignored, and ``repulsion`` makes the repelling edges
      weaker or stronger. With 0 and 1, decoding is that of the original, which samples distant edges too.
      A single wrong edge that repels splits a cell for good: after 4 minutes of training on the sample,
      the mean F1 on its test split is 0.80 with 0, 1 and all edges, and 0.89 with the default options.

    Pixels are joined along direct neighbours only, so every decoded cell is one piece that is connected
    by the sides of pixels. The pieces of a cell are decoded as separate cells. Touching cells that are
    both narrower than ``near`` pixels are separated by the affinity of direct neighbours alone.

    Args:
        near: shortest distance in pixels of edges that repel, across and down; along the diagonals they
            reach as many pixels, rounded. At least 2.
        middle: middle distance in pixels, in the same four directions.
        far: largest distance in pixels, across and down only.
        foreground_threshold: smallest probability of a foreground pixel.
        smallest_weight: smallest weight of an edge that is used. The weight is the affinity where the
            edge attracts, and the probability of different cells where it repels.
        repulsion: factor on the odds of different cells, (1 − affinity) / affinity, of all edges that
            repel. Smaller values split fewer cells.
        stride: edges repel only if the row and the column of their first pixel are divisible by it. Each
            wrong edge can split a cell, so fewer edges split fewer cells.
        smallest_cell: smallest number of pixels of a cell.
        largest_hole: holes in a cell with fewer pixels than this are filled.

    Raises:
        UsageError: if an option does not allow its value, or the distances do not increase.
    """

    TUNED: ClassVar[Mapping[str, Sequence[float]]] = {
        "foreground_threshold": (0.3, 0.4, 0.5, 0.6, 0.7),
        "repulsion": (0.1, 0.3, 1.0),
        "stride": (1, 2, 3),
        "smallest_weight": (0.0, 0.5, 0.7),
        "smallest_cell": (10, 15, 30, 60),
    }

    OPTIONS: ClassVar[Mapping[str, Allowed]] = {
        "near": WholeNumbers(2),
        "middle": WholeNumbers(3),
        "far": WholeNumbers(4),
        "foreground_threshold": SHARE,
        "smallest_weight": SHARE,
        "repulsion": WEIGHT,
        "stride": WholeNumbers(1),
        "smallest_cell": PIXELS,
        "largest_hole": PIXELS,
    }

    def __init__(
        self,
        near: int = 3,
        middle: int = 9,
        far: int = 27,
        foreground_threshold: float = 0.5,
        smallest_weight: float = 0.5,
        repulsion: float = 0.3,
        stride: int = 2,
        smallest_cell: int = 15,
        largest_hole: int = 64,
    ) -> None:
        self.near = near
        self.middle = middle
        self.far = far
        if not near < middle < far:
            raise UsageError(
                f"near={near}, middle={middle}, far={far}: must be distances that increase, from 2 on, "
                "such as 3, 9 and 27"
            )
        self.channels = {"foreground": 1, "affinities": len(self.offsets())}
        self.foreground_threshold = foreground_threshold
        self.smallest_weight = smallest_weight
        self.repulsion = repulsion
        self.stride = stride
        self.smallest_cell = smallest_cell
        self.largest_hole = largest_hole

    def offsets(self) -> npt.NDArray[np.int32]:
        """Return rows and columns from the first pixel of an edge to the second, (12, 2).

        A quarter turn or a flip of the image changes the order of the offsets and the signs of some.

        Examples:
            >>> Affinity().offsets()[:4].tolist()
            [[0, 1], [1, 0], [0, 3], [3, 0]]
        """
        offsets = [(0, 1), (1, 0)]
        for distance in (self.near, self.middle):
            diagonal = round(distance / 2**0.5)
            offsets += [(0, distance), (distance, 0), (diagonal, diagonal), (diagonal, -diagonal)]
        return np.array([*offsets, (0, self.far), (self.far, 0)], np.int32)

    def encode(self, labels: LabelMap) -> dict[str, npt.NDArray[Any]]:
        """Return ``foreground``, (1, H, W), and ``affinities``, (12, H, W), 0 or 1, uint8.

        The affinity of an edge stands at its first pixel; it is 0 where the second is outside the map.

        Args:
            labels: (H, W) label map.

        Raises:
            InvalidLabelsError: if ``labels`` is not a label map.

        Examples:
            >>> Affinity().encode(np.array([[0, 7, 7, 9]]))["affinities"][0].tolist()
            [[0, 1, 0, 0]]
        """
        from cellbench.representations.affinity_kernels import same_cell

        labels = check_labels(labels)
        foreground = (labels > 0).view(np.uint8)[None]
        if labels.max() > _LARGEST_ID:
            labels = relabel(labels)
        ids = np.require(labels, np.int32, ["C", "W"])
        return {"foreground": foreground, "affinities": same_cell(ids, self.offsets())}

    def decode(self, maps: NumpyMaps) -> LabelMap:
        """Turn ``foreground`` and ``affinities``, encoded or predicted, into a label map, (H, W) int32.

        A foreground value of NaN is background; an affinity of NaN neither attracts nor repels.

        Args:
            maps: ``foreground`` (1, H, W) and ``affinities`` (12, H, W).
        """
        from cellbench.representations.affinity_kernels import number_cells
        from cellbench.representations.flow_sinks import fill_holes
        from cellbench.representations.mutex_watershed import mutex_watershed

        foreground = np.ascontiguousarray(maps["foreground"][0]) >= self.foreground_threshold
        affinities = np.require(maps["affinities"], np.float32, ["C", "W"])
        parents = mutex_watershed(
            affinities,
            foreground,
            self.offsets(),
            _DIRECT,
            float(self.smallest_weight),
            float(self.repulsion),
            int(self.stride),
        )
        labels: LabelMap = number_cells(parents, foreground, float(self.smallest_cell))
        gaps = components(labels == 0, 1, connectivity=4)
        fill_holes(labels, gaps, np.bincount(gaps.ravel()) < self.largest_hole)
        return labels

    def foreground(self, maps: NumpyMaps) -> npt.NDArray[np.float32]:
        """Return the map ``foreground``, (H, W).

        Args:
            maps: ``foreground`` (1, H, W) and ``affinities`` (12, H, W).
        """
        return np.asarray(maps["foreground"][0], np.float32)

    def activate(self, outputs: "Mapping[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
        """Turn logits into probabilities.

        Args:
            outputs: ``foreground`` (B, 1, H, W) and ``affinities`` (B, 12, H, W).
        """
        return {name: outputs[name].float().sigmoid() for name in self.channels}

    def loss(
        self, outputs: "Mapping[str, torch.Tensor]", targets: "Mapping[str, torch.Tensor]"
    ) -> "torch.Tensor":
        """Return the losses of the foreground and of the affinities, each cross-entropy plus Dice.

        See [`affinity_loss`][cellbench.representations.affinity_loss.affinity_loss].

        Args:
            outputs: ``foreground`` (B, 1, H, W) and ``affinities`` (B, 12, H, W), logits.
            targets: the encoded maps, of the same shapes.
        """
        from cellbench.representations.affinity_loss import affinity_loss

        return affinity_loss(outputs, targets, self.offsets())

    def turn_back(
        self, maps: NumpyMaps, quarter_turns: int, flipped: bool
    ) -> dict[str, npt.NDArray[Any]]:
        """Rotate maps back, see the base class; affinities move to the first pixel of their edge.

        An edge of the rotated image has another offset in the original image, perhaps with its ends
        exchanged. Affinities of edges that end outside the map become 0.

        Args:
            maps: ``foreground`` (1, H, W) and ``affinities`` (12, H, W).
            quarter_turns: number of quarter turns of the image.
            flipped: whether the image was flipped before it was rotated.
        """
        turned = super().turn_back(maps, quarter_turns, flipped)
        offsets = self.offsets()
        back = np.zeros_like(turned["affinities"])
        channels = {tuple(offset): channel for channel, offset in enumerate(offsets.tolist())}
        for source, (down, right) in zip(turned["affinities"], offsets.tolist(), strict=True):
            for _ in range(quarter_turns % 4):  # a quarter turn moves the right side to the top
                down, right = right, -down
            if flipped:
                right = -right
            _place_edges(source, back, channels, down, right)
        return turned | {"affinities": back}


def _place_edges(
    source: npt.NDArray[Any],
    back: npt.NDArray[Any],
    channels: Mapping[tuple[int, ...], int],
    down: int,
    right: int,
) -> None:
    """Write the affinities of edges with one offset into the map that has the offset or its opposite."""
    from cellbench.representations.affinity_loss import pair_slices

    rows, columns = pair_slices(down, source.shape[0]), pair_slices(right, source.shape[1])
    same = (down, right) in channels
    channel = channels[(down, right) if same else (-down, -right)]
    end = 0 if same else 1
    back[channel, rows[end], columns[end]] = source[rows[0], columns[0]]
