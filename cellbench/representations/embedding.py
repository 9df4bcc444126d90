"""Cells as offsets to their centres, with a bandwidth and a seed map (EmbedSeg, InstanSeg)."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from cellbench.labels import LabelMap, check_labels, relabel
from cellbench.representations.base import DecodedCells, NumpyMaps, Representation
from cellbench.representations.options import PIXELS, SHARE, WEIGHT, Allowed, Numbers, WholeNumbers

if TYPE_CHECKING:
    import torch

TYPICAL_SIGMA = 8.0
"""Sigma in pixels where a network predicts 0: half of the members are within 9.4 px of the centre."""

LARGEST_LOGARITHM = 8.0
"""Logarithms of sigma / 8 px are kept between minus this value and this value."""

_LARGEST_ID = np.iinfo(np.uint16).max
_HALF = math.sqrt(2 * math.log(2))  # sigmas from the centre where the membership is one half
_OF_RADIUS, _OF_GAP = (
    0.5,
    0.4,
)  # how far encoded cells reach, of their radius and of the next centre


class Embedding(Representation):
    """Offsets to the centre, sigma and seed (EmbedSeg, Lalit et al. 2021, after Neven et al. 2019).

    The offset of a pixel points to the centre of its cell; the place where it ends is the pixel's
    embedding. The membership of a pixel in a cell is a Gaussian of the distance from its embedding to the
    cell's centre, with the cell's own ``sigma``. ``seed`` says how well a pixel's embedding hits the
    centre, and is 0 in the background. Decoding starts with the best seed: pixels whose membership is
    above a threshold are its cell; then the best seed of the others follows. Goldsborough et al. 2024
    (InstanSeg, arXiv 2408.15954) found such embeddings better and faster than StarDist, Cellpose and
    HoVer-Net on nuclei. Differences from EmbedSeg:

    * Offsets are in pixels; in EmbedSeg they are hyperbolic tangents times 1024 px.
    * The centre is the pixel nearest to the centre of mass (see [`encode`][]), not the medoid, which
      takes much longer to compute.
    * Where two cells overlap, the better seed keeps its pixels; in EmbedSeg the later cell takes them.
    * ``smallest_cell`` counts the pixels that a cell really gets, and a cell has at least as many.
    * The membership in training is computed in and around a cell, not in the whole patch.

    InstanSeg's small network that corrects the memberships is not part of it.

    Args:
        sigmas: 2, one along each axis as in EmbedSeg, or 1 for both axes, as in InstanSeg.
        seed_threshold: smallest value of a seed that starts a cell; 0.9 in EmbedSeg. Networks that are
            trained briefly seldom reach it.
        foreground_threshold: smallest value of a seed whose pixel can belong to a cell; 0.5 in EmbedSeg.
        membership_threshold: smallest membership of a cell's pixels; 0.5 in EmbedSeg.
        smallest_cell: smallest number of pixels of a cell; EmbedSeg uses 10 to 128, and 36 by default.
        hinge_weight: weight of the Lovász hinge loss; 1 in EmbedSeg.
        evenness_weight: weight of the variance of log(sigma) in a cell. EmbedSeg has a weight of 10 for
            log(1 / (2 sigma²)) / 10, which equals 0.4 here.
        seed_weight: weight of the squared error of the seeds; 1 in EmbedSeg.
        foreground_weight: how many times more the error of seeds in cells counts; 10 in EmbedSeg.

    Raises:
        UsageError: if an option does not allow its value, for example ``sigmas`` other than 1 or 2.
    """

    TUNED: ClassVar[Mapping[str, Sequence[float]]] = {
        "seed_threshold": (0.5, 0.6, 0.7, 0.8, 0.9),
        "foreground_threshold": (0.3, 0.4, 0.5, 0.6, 0.7),
        "membership_threshold": (0.3, 0.4, 0.5, 0.6),
        "smallest_cell": (10, 15, 30, 60),
    }

    OPTIONS: ClassVar[Mapping[str, Allowed]] = {
        "sigmas": WholeNumbers(1, 2),
        "seed_threshold": SHARE,
        "foreground_threshold": SHARE,
        "membership_threshold": Numbers(0, 1, above=True),
        "smallest_cell": PIXELS,
        "hinge_weight": WEIGHT,
        "evenness_weight": WEIGHT,
        "seed_weight": WEIGHT,
        "foreground_weight": WEIGHT,
    }

    def __init__(
        self,
        sigmas: int = 2,
        seed_threshold: float = 0.7,
        foreground_threshold: float = 0.5,
        membership_threshold: float = 0.5,
        smallest_cell: int = 10,
        hinge_weight: float = 1.0,
        evenness_weight: float = 0.4,
        seed_weight: float = 1.0,
        foreground_weight: float = 10.0,
    ) -> None:
        self.sigmas = sigmas
        self.channels = {"offset": 2, "sigma": self.sigmas, "seed": 1}
        self.seed_threshold = seed_threshold
        self.foreground_threshold = foreground_threshold
        self.membership_threshold = membership_threshold
        self.smallest_cell = smallest_cell
        self.hinge_weight = hinge_weight
        self.evenness_weight = evenness_weight
        self.seed_weight = seed_weight
        self.foreground_weight = foreground_weight

    def encode(self, labels: LabelMap) -> dict[str, npt.NDArray[Any]]:
        """Return ``offset`` (2, H, W) and ``sigma`` (S, H, W) in pixels, and ``seed`` (1, H, W), float32.

        ``offset`` points down and to the right. It ends at the pixel of the cell nearest to its centre of
        mass, or in the middle of two or four such pixels that touch, so that the maps of a rotated or
        mirrored label map are the rotated or mirrored maps. (If other pixels are equally near, as in a
        ring, it is the first of them.) No two cells have the same centre. A cell in several pieces has
        one centre; of a cell at the border only the visible part counts.

        The loss does not use ``sigma``, networks find their own: the membership of encoded maps is above
        one half up to half of the cell's radius, or to 0.4 of the distance to the next centre if that is
        less. ``seed`` is 1 in cells, because encoded offsets hit the centres. All are 0 in the background.

        Args:
            labels: (H, W) label map.

        Raises:
            InvalidLabelsError: if ``labels`` is not a label map.

        Examples:
            >>> Embedding().encode(np.array([[0, 7, 7, 7, 7, 0]]))["offset"][1].tolist()
            [[0.0, 1.5, 0.5, -0.5, -1.5, 0.0]]
        """
        from cellbench.labels.measures import COLUMN_SUM, PIXELS, ROW_SUM, measure_cells
        from cellbench.representations.embedding_kernels import doubled_centres

        labels = check_labels(labels)
        if labels.max() > _LARGEST_ID:
            labels = relabel(labels)
        ids = np.require(labels, np.int32, ["C", "W"])
        cells = measure_cells(ids, int(ids.max()))
        sizes, rows, columns = (cells[:, each].copy() for each in (PIXELS, ROW_SUM, COLUMN_SUM))
        centres = (doubled_centres(ids, sizes, rows, columns) / 2).astype(np.float32)
        offset = np.moveaxis(centres[ids], -1, 0).copy()
        offset[0] -= np.arange(ids.shape[0], dtype=np.float32)[:, None]
        offset[1] -= np.arange(ids.shape[1], dtype=np.float32)
        offset[:, ids == 0] = 0
        sigma = np.repeat(_sigmas(centres, sizes)[ids][None], self.channels["sigma"], axis=0)
        seed = (ids[None] > 0).astype(np.float32)
        return {"offset": offset, "sigma": sigma, "seed": seed}

    def foreground(self, maps: NumpyMaps) -> npt.NDArray[np.float32]:
        """Return the map ``seed``, (H, W); it falls a little towards the outlines of predicted cells.

        Args:
            maps: ``offset`` (2, H, W), ``sigma`` (S, H, W) and ``seed`` (1, H, W).
        """
        return np.asarray(maps["seed"][0], np.float32)

    def activate(self, outputs: "Mapping[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
        """Turn raw outputs into sigmas in pixels and seeds between 0 and 1; offsets stay as they are.

        Args:
            outputs: ``offset`` (B, 2, H, W), ``sigma`` (B, S, H, W), logarithms of sigma / 8 px, and
                ``seed`` (B, 1, H, W), logits.
        """
        spread = outputs["sigma"].float().clamp(-LARGEST_LOGARITHM, LARGEST_LOGARITHM)
        return {
            "offset": outputs["offset"].float(),
            "sigma": TYPICAL_SIGMA * spread.exp(),
            "seed": outputs["seed"].float().sigmoid(),
        }

    def decode(self, maps: NumpyMaps) -> LabelMap:
        """Turn ``offset``, ``sigma`` and ``seed`` into a label map, (H, W) int32; the best seed is cell 1.

        Pixels with a value that is not finite are background. A proposed cell is refused if half of its
        pixels or more belong to earlier proposals, or if fewer than ``smallest_cell`` are left for it.

        Args:
            maps: the three maps, encoded or predicted.
        """
        return self.decode_cells(maps).labels

    def decode_cells(self, maps: NumpyMaps) -> DecodedCells:
        """Decode as [`decode`][] does; the ``score`` of a cell is the value of its seed.

        Args:
            maps: the three maps, encoded or predicted.
        """
        from cellbench.representations.embedding_kernels import BIN, gather_cells, sorted_into_bins

        offset, sigma = (np.asarray(maps[name], np.float32) for name in ("offset", "sigma"))
        seed = np.asarray(maps["seed"], np.float32)[0]
        with np.errstate(invalid="ignore"):
            usable = (seed >= self.foreground_threshold) & (sigma > 0).all(axis=0)
        for each in (*offset, *sigma, seed):
            usable &= np.isfinite(each)
        rows, columns = np.nonzero(usable)
        embeddings = offset[:, rows, columns].T + np.stack([rows, columns], 1).astype(np.float32)
        bins = (seed.shape[0] // BIN + 1, seed.shape[1] // BIN + 1)
        starts, order = sorted_into_bins(embeddings, bins)
        rows, columns = rows[order], columns[order]
        scores = seed[rows, columns]
        # Values of one sigma are repeated for the second axis.
        widths = np.broadcast_to(sigma[:, rows, columns].T, (len(rows), 2)).astype(np.float64)
        precisions = (0.5 / (widths * widths).clip(1e-12)).astype(np.float32)
        places = rows * seed.shape[1] + columns
        best_first = np.lexsort([places, -scores])
        cells, found = gather_cells(
            np.ascontiguousarray(embeddings[order]),
            precisions,
            best_first[scores[best_first] >= self.seed_threshold],
            starts,
            bins,
            -math.log(self.membership_threshold),
            max(1, int(self.smallest_cell)),
        )
        labels = np.zeros(seed.shape, np.int32)
        labels[rows, columns] = cells
        return DecodedCells(labels, {"score": scores[found]})

    def loss(
        self, outputs: "Mapping[str, torch.Tensor]", targets: "Mapping[str, torch.Tensor]"
    ) -> "torch.Tensor":
        """Return the loss of EmbedSeg: Lovász hinge per cell, variance of sigma in cells, and seeds.

        Memberships use the mean of log(sigma) in a cell. The first two losses are means over the cells of
        an image, and then over images, so that a crowded image does not count more. The seeds learn the
        memberships as they are, 0 in the background. Pixels of a cell are those whose encoded offsets end
        in the same place.

        Args:
            outputs: raw maps, see [`activate`][].
            targets: encoded maps of the same shapes.
        """
        from cellbench.representations.embedding_loss import embedding_loss

        return embedding_loss(
            outputs,
            targets,
            (self.hinge_weight, self.evenness_weight, self.seed_weight, self.foreground_weight),
        )

    def turn_back(
        self, maps: NumpyMaps, quarter_turns: int, flipped: bool
    ) -> dict[str, npt.NDArray[Any]]:
        """Rotate maps back, see the base class; offsets and sigmas are those of the original axes.

        Args:
            maps: ``offset`` (2, H, W), ``sigma`` (S, H, W) and ``seed`` (1, H, W).
            quarter_turns: number of quarter turns of the image.
            flipped: whether the image was flipped before it was rotated.
        """
        turned = super().turn_back(maps, quarter_turns, flipped)
        down, right = turned["offset"]
        sigma = turned["sigma"]
        for _ in range(quarter_turns % 4):  # a quarter turn moves the right side to the top
            down, right = right, -down
            sigma = sigma[::-1]
        if flipped:
            right = -right
        return turned | {"offset": np.stack([down, right]), "sigma": sigma}


def _sigmas(
    centres: npt.NDArray[np.float32], sizes: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Return the sigma of each cell, by id; 0 for ids without a pixel."""
    from scipy.spatial import KDTree

    reach = _OF_RADIUS * np.sqrt(sizes / np.pi)
    cells = 1 + np.flatnonzero(sizes[1:])
    if len(cells) > 1:
        gaps = np.asarray(KDTree(centres[cells]).query(centres[cells], k=2)[0])
        reach[cells] = np.minimum(reach[cells], _OF_GAP * gaps[:, 1])
    reach[0] = 0
    sigmas: npt.NDArray[np.float32] = (reach / _HALF).astype(np.float32)
    return sigmas
