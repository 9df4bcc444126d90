"""Where each cell of a label map is, and how long it is for its width, from sums over its pixels.

The sums of several bands can be added, so a whole slide needs a few numbers for each cell. Measures that
need the outline of a cell, such as its convex hull for solidity, do not have this property.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cellbench.evaluation.pairs import Ids
from cellbench.labels.banded import BandedLabels
from cellbench.labels.maps import LabelMap

_Reals = npt.NDArray[np.float64]

_FEW_UNUSED = 1000
"""Ids larger than this plus the number of runs of pixels are renumbered before sums are made."""


class CellShapes(NamedTuple):
    """Places and shapes of the cells of a label map, in pixels of the whole image.

    Attributes:
        ids: (N,) ids of the cells, ascending.
        rows: (N,) mean row of the cell's pixels; 0 is the centre of the first row.
        columns: (N,) mean column of the cell's pixels.
        elongations: (N,) ratio of the long to the short axis of the ellipse with the same second moments
            as the cell, whose pixels are squares: 1 for a disc, a square or a single pixel, n for a line
            of n pixels.
    """

    ids: Ids
    rows: _Reals
    columns: _Reals
    elongations: _Reals

    def of(self, ids: Ids) -> "CellShapes":
        """Return the places and shapes of some of the cells.

        Args:
            ids: ids that are among those of these cells.
        """
        place = np.searchsorted(self.ids, ids)
        return CellShapes(ids, self.rows[place], self.columns[place], self.elongations[place])


def measure_shapes(
    labels: BandedLabels, part_shape: tuple[int, int] | None = None
) -> list[CellShapes]:
    """Compute the places and shapes of the cells, cells on the frame included.

    Args:
        labels: label map, which is read band by band.
        part_shape: (H, W) of the tiles that are scored separately, as for
            [`cellbench.evaluation.overlap.count_overlaps`][], because an id may name a cell in each
            tile; by default the whole image.

    Returns:
        One result for each tile, row by row.

    Raises:
        LabelMapError: if the file is damaged.
    """
    height, width = part_shape or labels.shape
    lefts = range(0, labels.shape[1], width)
    sums: list[list[_Sums]] = [[] for _ in range(0, labels.shape[0], height) for _ in lefts]
    row = 0
    for band in labels.bands():
        for piece in np.split(band, list(range(height - row % height, len(band), height))):
            for place, left in enumerate(lefts, start=row // height * len(lefts)):
                sums[place].append(_sum_runs(piece[:, left : left + width], row, left))
            row += len(piece)
    return [_shapes(part) for part in sums]


class _Sums(NamedTuple):
    """Sums over the pixels of each cell: (6, N) of 1, row, column, row², column² and row · column."""

    ids: Ids
    sums: _Reals


def _sum_runs(band: LabelMap, top: int, left: int) -> _Sums:
    """Sum over the cells of a band whose first pixel is at row ``top`` and column ``left``."""
    begins = np.ones(band.shape, bool)
    np.not_equal(band[:, 1:], band[:, :-1], out=begins[:, 1:])
    bounds = np.append(np.flatnonzero(begins), band.size)
    ids = band.reshape(-1)[bounds[:-1]]
    cells = np.flatnonzero(ids > 0)
    starts = bounds[cells]
    pixels = (bounds[cells + 1] - starts).astype(float)
    rows = starts // band.shape[1]
    down = rows + float(top)
    across = (starts - rows * band.shape[1]) + (left + (pixels - 1) / 2)
    sum_down, sum_across = pixels * down, pixels * across
    return _sum_by_id(
        ids[cells].astype(np.int64),
        np.stack(
            [
                *(pixels, sum_down, sum_across, sum_down * down),
                sum_across * across + pixels * (pixels * pixels - 1) / 12,
                sum_down * across,
            ]
        ),
    )


def _sum_by_id(ids: Ids, sums: _Reals) -> _Sums:
    if ids.size and ids.max() <= _FEW_UNUSED + ids.size:  # faster than sorting the ids
        dense = np.array([np.bincount(ids, weights=values) for values in sums], float)
        found = np.flatnonzero(dense[0])  # every cell has pixels
        return _Sums(found, dense[:, found])
    found, index = np.unique(ids, return_inverse=True)
    totals = [np.bincount(index, weights=values, minlength=len(found)) for values in sums]
    return _Sums(found, np.stack(totals))


def _shapes(bands: list[_Sums]) -> CellShapes:
    cells = bands[0]
    if len(bands) > 1:
        ids, sums = zip(*bands, strict=True)
        cells = _sum_by_id(np.concatenate(ids), np.concatenate(sums, axis=1))
    pixels, rows, columns, *squares = cells.sums
    elongations = _elongations(pixels, rows, columns, *squares)
    return CellShapes(cells.ids, rows / pixels, columns / pixels, elongations)


def _elongations(
    pixels: _Reals, rows: _Reals, columns: _Reals, rows2: _Reals, columns2: _Reals, both: _Reals
) -> _Reals:
    """Return the ratio of the axes, the root of the ratio of the eigenvalues of the second moments.

    The moments are multiplied by 12 pixels², so that they are whole numbers and their differences exact
    for all but the largest cells. The added pixels² is the moment of the square pixels themselves,
    without which a line would have no width.
    """
    own = pixels * pixels
    down = 12 * (pixels * rows2 - rows * rows) + own
    across = 12 * (pixels * columns2 - columns * columns) + own
    mixed = 12 * (pixels * both - rows * columns)
    middle, half = (down + across) / 2, np.hypot((down - across) / 2, mixed)
    ratio: _Reals = (middle + half) / np.maximum(middle - half, own)
    return np.sqrt(np.maximum(ratio, 1))
