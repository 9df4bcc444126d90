"""The table of cells: where each cell is, its partner, and what is wrong with it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cellbench.evaluation.cell_errors import CellKind, Kinds
from cellbench.evaluation.overlap import Overlaps
from cellbench.evaluation.pairs import Ids
from cellbench.evaluation.pooled import PooledOverlaps
from cellbench.evaluation.rows import CellRow, MapName
from cellbench.labels.banded import BandedLabels
from cellbench.labels.maps import LabelMap

_Reals = npt.NDArray[np.float64]


class Centroids(NamedTuple):
    """Centres of mass of the cells of a label map, in pixels of the whole image.

    Attributes:
        ids: (N,) ids of the cells, ascending.
        rows: (N,) mean row of the cell's pixels; 0 is the centre of the first row.
        columns: (N,) mean column of the cell's pixels.
    """

    ids: Ids
    rows: _Reals
    columns: _Reals


def cell_rows(
    image: str,
    modality: str,
    parts: Sequence[Overlaps] | PooledOverlaps,
    truth_centroids: Sequence[Centroids],
    prediction_centroids: Sequence[Centroids],
) -> Iterator[CellRow]:
    """Yield the scored cells of one image, matched at IoU 0.5.

    Args:
        image: stem of the image.
        modality: modality of the image; empty if unknown.
        parts: overlaps of the image, or of each of its tiles; or these pooled.
        truth_centroids: centroids of the true cells of the same parts, see :func:`centroids`.
        prediction_centroids: centroids of the predicted cells of the same parts.

    Yields:
        One row per cell: part by part, truth before prediction, in the order of their ids.
    """
    pooled = parts if isinstance(parts, PooledOverlaps) else PooledOverlaps(parts)
    measured = zip(pooled.parts, pooled.matches, pooled.kinds_by_part, strict=True)
    places = zip(truth_centroids, prediction_centroids, strict=True)
    for (part, matches, kinds), (true_places, predicted_places) in zip(
        measured, places, strict=True
    ):
        partners = matches.truth_ids.tolist(), matches.prediction_ids.tolist()
        true = _Side(
            part.truth_ids,
            part.truth_areas,
            true_places,
            dict(zip(*partners, strict=True)),
            _largest(part.iou, part.pairs[:, 0], len(part.truth_ids)),
            kinds[0],
        )
        predicted = _Side(
            part.prediction_ids,
            part.prediction_areas,
            predicted_places,
            dict(zip(*reversed(partners), strict=True)),
            _largest(part.iou, part.pairs[:, 1], len(part.prediction_ids)),
            kinds[1],
        )
        yield from _rows(image, modality, MapName.TRUTH, true)
        yield from _rows(image, modality, MapName.PREDICTION, predicted)


class _Side(NamedTuple):
    """The scored cells of one map, or of one tile of it."""

    ids: Ids
    areas: Ids
    places: Centroids
    partners: dict[int, int]
    iou: _Reals
    kinds: Kinds


def _rows(image: str, modality: str, name: MapName, side: _Side) -> Iterator[CellRow]:
    place = np.searchsorted(side.places.ids, side.ids)
    cells = zip(
        side.ids.tolist(),
        side.areas.tolist(),
        side.places.rows[place].tolist(),
        side.places.columns[place].tolist(),
        map(side.partners.get, side.ids.tolist()),
        side.iou.tolist(),
        map(CellKind, side.kinds.tolist()),
        strict=True,
    )
    return (CellRow(image, modality, name, *cell) for cell in cells)


def _largest(iou: _Reals, index: Ids, cells: int) -> _Reals:
    """Return the largest IoU of each cell, 0 for a cell without overlap."""
    largest = np.zeros(cells)
    np.maximum.at(largest, index, iou)
    return largest


def centroids(labels: BandedLabels, part_shape: tuple[int, int] | None = None) -> list[Centroids]:
    """Compute the centres of the cells, cells on the frame included.

    Args:
        labels: label map, which is read band by band.
        part_shape: (H, W) of the tiles that are scored separately, as for
            :func:`cellbench.evaluation.overlap.count_overlaps`, because an id may name a cell in each
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
    return [_means(part) for part in sums]


class _Sums(NamedTuple):
    """Sums over the pixels of each cell: (3, N) of 1, of the row and of the column."""

    ids: Ids
    sums: _Reals


def _sum_runs(band: LabelMap, top: int, left: int) -> _Sums:
    """Sum over the cells of a band whose first pixel is at row ``top`` and column ``left``."""
    begins = np.ones(band.shape, bool)
    np.not_equal(band[:, 1:], band[:, :-1], out=begins[:, 1:])
    starts = np.flatnonzero(begins)
    rows, columns = np.divmod(starts, band.shape[1])
    ids = band[rows, columns].astype(np.int64)
    lengths = np.diff(starts, append=band.size)
    middles = columns + (lengths - 1) / 2
    sums = np.stack([lengths, lengths * (top + rows), lengths * (left + middles)])
    return _sum_by_id(ids[ids > 0], sums[:, ids > 0])


def _sum_by_id(ids: Ids, sums: _Reals) -> _Sums:
    found, index = np.unique(ids, return_inverse=True)
    totals = [np.bincount(index, weights=values, minlength=len(found)) for values in sums]
    return _Sums(found, np.stack(totals))


def _means(bands: list[_Sums]) -> Centroids:
    ids, sums = zip(*bands, strict=True)
    cells = _sum_by_id(np.concatenate(ids), np.concatenate(sums, axis=1))
    pixels, rows, columns = cells.sums
    return Centroids(cells.ids, rows / pixels, columns / pixels)
