"""Cells as outlines: scores, Fourier coefficients, local refinement and uncertainty (CPN)."""

from collections.abc import Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from cellbench.labels import LabelMap
from cellbench.representations.base import DecodedCells, NumpyMaps, Representation
from cellbench.representations.decoded import FAINT, painted
from cellbench.representations.options import SHARE, Allowed, Numbers, WholeNumbers

if TYPE_CHECKING:
    import torch

_TYPICAL_RADIUS = 10.0  # pixels
_COEFFICIENTS = 4
# A quarter turn back: what points to the right points down before, what points down points to the left.
_TURN = np.array([[0, 1], [-1, 0]])
_MIRROR = np.array([[1, 0], [0, -1]])
_SIDES_OF_TURN = (2, 3, 1, 0)  # the top was the left side before, and so on
_SIDES_OF_MIRROR = (0, 1, 3, 2)


class Contour(Representation):
    """Outlines of cells as elliptic Fourier coefficients: Contour Proposal Networks, T3's system.

    Source: Upschulte et al. 2022, Medical Image Analysis 77 (arXiv 2104.03393), and their entry of the
    challenge (Upschulte et al. 2023, PMLR 212). Each central pixel of a cell proposes the whole outline:
    an offset to its centre and Fourier coefficients (Kuhl and Giardina 1982). A score says whether a
    pixel is central; non-maximum suppression keeps the best outlines, and local refinement moves their
    points to the nearest edge in the image.

    Maps: ``score`` (1); ``offset`` (2), from the pixel to the mean of the outline, down and to the right,
    in pixels; ``fourier`` (4 · order), of each harmonic the cosine and sine of the rows, then of the
    columns, in pixels; ``refinement`` (2), from the pixel to the nearest point of any outline; and
    ``uncertainty`` (4) of the top, bottom, left and right sides, where 1 means a standard deviation of 7
    pixels.

    Differences from celldetection 0.4.9, the authors' code:

    * An outline runs through the middles of the pixels' outer sides. Theirs runs through the centres of the
      outermost pixels, so that cells are half a pixel smaller on each side, until they are drawn.
    * An outline begins where the matrix of the first harmonic becomes symmetric, with a positive trace.
      For an ellipse at the angle φ the coefficients then depend on 2 φ only, and change smoothly with the
      shape. Theirs begins at the topmost pixel: a corner that moves by a pixel can move the beginning
      from one side of a cell to the other, and with it all coefficients. It is also why maps of rotated
      images can be turned back exactly.
    * The refinement is learned at all pixels near outlines. Theirs is learned where predicted outlines
      pass, as the vector to the true point of the same number, for one to six parts of the outline.
    * Suppression compares the areas that polygons share instead of their boxes: the boxes of long cells
      beside each other overlap. It precedes refinement.
    * Where cells overlap, they grow only into pixels that they cover.
    * The uncertainty refers to the outline before refinement, a side is known to 0.1 px at best, and its
      likelihood is a weighted mean, see
      [`box_deviation_loss`][cellbench.representations.contour_loss.box_deviation_loss].

    A cell in several pieces is represented by the largest one, and by its pieces at the border of the map,
    where the parts of one cell look like several cells. Pixels of other pieces do not count in the loss of
    the score. Holes in cells are filled.

    Args:
        order: number of harmonics; 25 in T3. Order 1 are ellipses, 5 are most nuclei.
        grid: networks predict the maps at pixels whose row and column are divisible by it, and only
            these pixels propose outlines. 2 trains and decodes several times faster than 1, and misses
            cells of one or two pixels.
        samples: number of points of an outline; in the loss, and where cells are drawn. T3 uses 224.
        reach: largest refinement of a point in one step, in pixels; 3 in T3.
        score_threshold: score above which a pixel proposes an outline; 0.89 in T3. Scores are trained to
            be the IoU of a box, so a short training ends with lower ones.
        nms_threshold: largest share of the smaller cell's area that two cells may have in common. T3
            allows an IoU of 0.31 of their boxes.
        refinement_hops: number of refinement steps; 4 in T3.
        most_candidates: if an image has more candidates, only the best are used, with a warning.
        most_pixels: if a batch has more central pixels, the loss compares the outlines of so many.
    """

    TUNED: ClassVar[Mapping[str, Sequence[float]]] = {
        "score_threshold": (0.3, 0.4, 0.5, 0.6, 0.7),
        "nms_threshold": (0.2, 0.3, 0.4),
        "refinement_hops": (0, 1, 2, 4),
    }

    OPTIONS: ClassVar[Mapping[str, Allowed]] = {
        "order": WholeNumbers(1),
        "grid": WholeNumbers(1),
        "samples": WholeNumbers(8),
        "reach": Numbers(0.5),
        "score_threshold": SHARE,
        "nms_threshold": SHARE,
        "refinement_hops": WholeNumbers(0),
        "most_candidates": WholeNumbers(1),
        "most_pixels": WholeNumbers(1),
    }

    def __init__(
        self,
        order: int = 5,
        grid: int = 1,
        samples: int = 64,
        reach: float = 3.0,
        score_threshold: float = 0.5,
        nms_threshold: float = 0.3,
        refinement_hops: int = 4,
        most_candidates: int = 500_000,
        most_pixels: int = 16_384,
    ) -> None:
        self.order = order
        self.channels = {
            "score": 1,
            "offset": 2,
            "fourier": _COEFFICIENTS * self.order,
            "refinement": 2,
            "uncertainty": 4,
        }
        self.grid = grid
        self.samples = samples
        self.reach = reach
        self.score_threshold = score_threshold
        self.nms_threshold = nms_threshold
        self.refinement_hops = refinement_hops
        self.most_candidates = most_candidates
        self.most_pixels = most_pixels

    def encode(self, labels: LabelMap) -> dict[str, npt.NDArray[Any]]:
        """Return the five maps, (C, H, W) float32; the uncertainty of a true outline is 0.

        ``score`` is 1 for central pixels, 0 near outlines and outside, and 0.5 between. Offsets and
        coefficients are 0 outside of cells, refinements are 0 farther than ``reach`` from all outlines.

        Args:
            labels: (H, W) label map.

        Raises:
            InvalidLabelsError: if ``labels`` is not a label map.

        Examples:
            >>> maps = Contour(order=1).encode(np.pad(np.ones((5, 5), int), 1))
            >>> maps["offset"][:, 3, 1].tolist()
            [0.0, 2.0]
            >>> maps["fourier"][:, 3, 1].astype(float).round(2).tolist()
            [2.81, 0.0, 0.0, 2.81]
        """
        from cellbench.representations.contour_maps import contour_maps

        return {**contour_maps(labels, self.order, self.grid, self.reach)}

    def targets(self, labels: LabelMap) -> dict[str, npt.NDArray[Any]]:
        """Return the encoded maps on the grid; no other pixel is computed.

        Args:
            labels: (H, W) label map.
        """
        from cellbench.representations.contour_maps import contour_maps

        return {**contour_maps(labels, self.order, self.grid, self.reach, self.grid)}

    def foreground(self, maps: NumpyMaps) -> npt.NDArray[np.float32]:
        """Return the score, in cells that of the cell, (H, W).

        Scores are high in the middle of cells only. So each pixel has the ``score`` of the cell that covers
        it, if that is higher, also where the score is too low for a cell to be decoded.

        Args:
            maps: as for [`decode`][].
        """
        faint = copy(self)
        faint.score_threshold, faint.refinement_hops = FAINT, 0
        score = np.asarray(maps["score"][0], np.float32)
        return np.maximum(painted(faint.decode_cells(maps), "score"), score)

    def activate(self, outputs: "Mapping[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
        """Turn raw outputs into maps with the range of values of [`encode`][].

        The coefficients of harmonic k are the outputs divided by k², as fast as the coefficients of
        polygons fall, so that high harmonics do not begin as large as the cell. The outputs 0 are
        circles with a radius of 10 px.

        Args:
            outputs: (B, C, h, w) for each map.
        """
        import torch

        fourier = outputs["fourier"].float()
        harmonics = torch.arange(1, self.order + 1, device=fourier.device).repeat_interleave(4)
        circle = torch.zeros(len(harmonics), device=fourier.device)
        circle[[0, 3]] = _TYPICAL_RADIUS
        return {
            "score": outputs["score"].float().sigmoid(),
            "offset": outputs["offset"].float(),
            "fourier": fourier / harmonics[:, None, None] ** 2 + circle[:, None, None],
            "refinement": self.reach * outputs["refinement"].float().tanh(),
            "uncertainty": outputs["uncertainty"].float().sigmoid(),
        }

    def loss(
        self, outputs: "Mapping[str, torch.Tensor]", targets: "Mapping[str, torch.Tensor]"
    ) -> "torch.Tensor":
        """Return the sum of the losses of T3, with its weights.

        These are the cross-entropy of the score, whose target at a central pixel is the IoU of predicted
        and true box (central pixels 1, background 2, each a mean); the absolute errors of offset (1),
        coefficients (1, the first harmonic five times the last), points of the outline (1.5) and
        refinement (1); the generalised IoU of the boxes (1); and the negative log-likelihood of the
        sides of the boxes (1).

        Args:
            outputs: raw outputs, (B, C, h, w) for each map.
            targets: the true maps, of the same shapes.
        """
        import torch

        from cellbench.representations.contour_cells import basis
        from cellbench.representations.contour_loss import contour_loss

        logits = outputs["score"].float()
        waves = torch.from_numpy(basis(self.order, self.samples)).to(logits.device)
        with torch.autocast(logits.device.type, enabled=False):
            return contour_loss(logits, self.activate(outputs), targets, waves, self.most_pixels)

    def decode(self, maps: NumpyMaps) -> LabelMap:
        """Turn the five maps, encoded or predicted, into a label map.

        Pixels whose maps are not finite are ignored. Ids are 1 … N, the best cell first.

        Args:
            maps: (C, H, W) for each map.
        """
        return self.decode_cells(maps).labels

    def decode_cells(self, maps: NumpyMaps) -> DecodedCells:
        """Return the label map with the ``score`` and the ``uncertainty`` of each cell, both in [0, 1].

        The score is that of the pixel that proposed the outline, the uncertainty the mean of its four
        sides. Cells are ordered by score × (1 − uncertainty), the best first.

        Args:
            maps: as for [`decode`][].
        """
        from cellbench.representations.contour_cells import (
            draw_contours,
            find_candidates,
            suppress_worse,
        )

        refinement = np.asarray(maps["refinement"])
        found = find_candidates(maps, self.score_threshold, self.grid, self.most_candidates)
        found = found.taken(suppress_worse(found, self.nms_threshold, refinement.shape[1:]))
        return draw_contours(found, refinement, int(self.refinement_hops), self.samples)

    def turn_back(
        self, maps: NumpyMaps, quarter_turns: int, flipped: bool
    ) -> dict[str, npt.NDArray[Any]]:
        """Rotate maps back, see the base class; vectors, sides and outlines are corrected.

        Args:
            maps: (C, H, W) for each map.
            quarter_turns: number of quarter turns of the image.
            flipped: whether the image was flipped before it was rotated.
        """
        turned = super().turn_back(maps, quarter_turns, flipped)
        for _ in range(quarter_turns % 4):
            turned = _moved(turned, _TURN, _SIDES_OF_TURN)
        return _moved(turned, _MIRROR, _SIDES_OF_MIRROR) if flipped else turned


def _moved(
    maps: NumpyMaps, matrix: npt.NDArray[Any], sides: Sequence[int]
) -> dict[str, npt.NDArray[Any]]:
    """Return maps whose vectors, sides and outlines are moved by an orthogonal matrix.

    With M the 2 × 2 matrix of a harmonic and Q the orthogonal one, the points of the moved outline have
    the matrix Q M; where the moved outline begins, and in which direction it runs, is corrected from
    the right.
    """
    fourier = maps["fourier"].reshape(-1, 2, 2, *maps["fourier"].shape[1:])
    mirrored = matrix is _MIRROR
    moved = np.empty_like(fourier)
    for index, harmonic in enumerate(fourier):
        begin = matrix if mirrored else np.linalg.matrix_power(matrix.T, index + 1)
        moved[index] = np.einsum("ij,jkhw,kl->ilhw", matrix, harmonic, begin)
    vectors = {
        name: np.einsum("ij,jhw->ihw", matrix, maps[name]) for name in ("offset", "refinement")
    }
    return {
        **maps,
        **vectors,
        "fourier": moved.reshape(maps["fourier"].shape),
        "uncertainty": maps["uncertainty"][list(sides)],
    }
