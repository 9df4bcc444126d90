"""Label maps as scores and Fourier coefficients of outlines, the targets of a Contour Proposal Network."""

import numpy as np
import numpy.typing as npt

from cellbench.labels import LabelMap, check_labels, relabel
from cellbench.representations.contour_kernels import Pieces, point_to_outlines, trace, transform
from cellbench.representations.star_maps import object_probability

Floats = npt.NDArray[np.float32]

UNDECIDED = 0.5
"""Score of pixels that are neither central nor near the outline; they do not count in the loss."""

_CENTRAL, _OUTER = 0.75, 0.5


def contour_maps(
    labels: LabelMap, order: int, grid: int, reach: float, step: int = 1
) -> dict[str, Floats]:
    """Return the maps of [`cellbench.representations.contour.Contour.encode`][].

    Args:
        labels: (H, W) label map.
        order: number of harmonics.
        grid: pixels whose row and column are divisible by it can be central, see [`centre_scores`][].
        reach: largest length of a refinement vector, in pixels.
        step: only pixels whose row and column are divisible by it are computed; 1, or ``grid``.

    Returns:
        ``score``, ``offset``, ``fourier``, ``refinement`` and ``uncertainty``, each (C, ⌈H / step⌉,
        ⌈W / step⌉) float32.
    """
    labels = check_labels(labels)
    pieces, count = find_pieces(labels)
    points, starts = trace(pieces, count)
    centres, coefficients = transform(points, starts, order)
    owners = pieces[::step, ::step]
    shape = owners.shape
    table = np.zeros((2 + 4 * order, count + 1), np.float32)
    table[:2, 1:], table[2:, 1:] = centres.T, coefficients.T
    values = np.take(table, owners, axis=1)
    inside = owners > 0
    values[0] -= step * np.arange(shape[0], dtype=np.float32)[:, None] * inside
    values[1] -= step * np.arange(shape[1], dtype=np.float32) * inside
    return {
        "score": centre_scores(labels, pieces, count, grid)[None, ::step, ::step],
        "offset": values[:2],
        "fourier": values[2:],
        "refinement": point_to_outlines(points, starts, pieces.shape, step, reach),
        "uncertainty": np.zeros((4, *shape), np.float32),
    }


def find_pieces(labels: LabelMap) -> tuple[Pieces, int]:
    """Number the pieces of cells that have an outline of their own; corners connect.

    Of a cell in several pieces these are the largest one, and the pieces at the border of the map:
    there, the parts of one cell look like several.

    Args:
        labels: (H, W) valid label map.

    Returns:
        (H, W) int32, 1 … N, 0 elsewhere; and N.
    """
    from skimage.measure import label

    numbered = relabel(labels).astype(np.int32)
    pieces, count = label(numbered, connectivity=2, return_num=True)
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
    owners = np.zeros(count + 1, np.int64)
    owners[pieces] = numbered
    order = np.lexsort((-sizes, owners[1:]))
    kept = np.zeros(count + 1, bool)
    # The first of each cell in this order is its largest piece.
    kept[1 + order[np.diff(owners[1:][order], prepend=0) > 0]] = True
    for edge in (pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]):
        kept[edge] = True
    kept[0] = False
    numbers = np.cumsum(kept, dtype=np.int32) * kept
    return np.take(numbers, pieces), int(numbers.max())


def centre_scores(labels: LabelMap, pieces: Pieces, count: int, grid: int) -> Floats:
    """Return 1 for central pixels, 0 for pixels near the outline and outside, and 0.5 between.

    A pixel is central if its distance to the outside is at least 0.75 of the largest in the piece, and
    near the outline if at most 0.5. The largest is that of pixels on the grid, so that a piece with a
    pixel on the grid has a central pixel there.

    Args:
        labels: (H, W) label map.
        pieces: (H, W) its numbered pieces; the other pixels of cells are undecided.
        count: number of pieces.
        grid: distance between the pixels of the grid.

    Returns:
        (H, W) float32.
    """
    depth = object_probability(pieces)
    on_grid = pieces[::grid, ::grid]
    largest = np.zeros(count + 1, np.float32)
    np.maximum.at(largest, on_grid.ravel(), depth[::grid, ::grid].ravel())
    largest[largest == 0] = 1  # the piece has no pixel on the grid
    share = depth / largest[pieces]
    score: Floats = np.full(share.shape, UNDECIDED, np.float32)
    score[share >= _CENTRAL] = 1
    score[(share <= _OUTER) & ((pieces > 0) | (labels == 0))] = 0
    return score
