"""The table of cells: where each one is, its partner, and what went wrong with it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cellbench.evaluation.cell_errors import Kinds, classify_cells
from cellbench.evaluation.matching import match_overlaps
from cellbench.evaluation.overlap import Overlaps
from cellbench.evaluation.pairs import Ids
from cellbench.labels.banded import BandedLabels
from cellbench.labels.maps import LabelMap

CELL_COLUMNS = (
    "map", "id", "area", "centroid_row", "centroid_column", "partner", "iou", "kind",
)  # fmt: skip
"""What :func:`cell_rows` gives for each cell."""

_Reals = npt.NDArray[np.float64]


class Centroids(NamedTuple):
    """Centres of mass of the cells of a label map, in pixels of the whole image.

    Attributes:
        ids: (N,) ascending.
        rows: (N,) mean row of the cell's pixels, 0 being the centre of the first row.
        columns: (N,) their mean column.
    """

    ids: Ids
    rows: _Reals
    columns: _Reals


def cell_rows(
    parts: Sequence[Overlaps],
    truth_centroids: Sequence[Centroids],
    prediction_centroids: Sequence[Centroids],
) -> list[dict[str, Any]]:
    """List the scored cells of one image, matched at IoU 0.5.

    Columns, :data:`CELL_COLUMNS`: ``map`` is ``truth`` or ``prediction``; ``area`` is in pixels;
    ``partner`` is the id of the matched cell, empty where there is none; ``iou`` is the largest with
    any cell of the other map, which is the partner where there is one; ``kind`` as told by
    :func:`cellbench.evaluation.cell_errors.classify_cells`.

    Args:
        parts: overlaps of the image, or of each of its tiles.
        truth_centroids: of the same parts, see :func:`centroids`.
        prediction_centroids: likewise.

    Returns:
        One row per cell: part by part, truth before prediction, in the order of their ids.
    """
    rows = []
    for part, true_places, predicted_places in zip(
        parts, truth_centroids, prediction_centroids, strict=True
    ):
        matches = match_overlaps(part, 0.5)
        truth_kinds, prediction_kinds = classify_cells(part, matches)
        true_ids, predicted_ids = matches.truth_ids.tolist(), matches.prediction_ids.tolist()
        rows += _rows(
            "truth",
            part.truth_ids,
            part.truth_areas,
            true_places,
            dict(zip(true_ids, predicted_ids, strict=True)),
            _largest(part.iou, part.pairs[:, 0], len(part.truth_ids)),
            truth_kinds,
        )
        rows += _rows(
            "prediction",
            part.prediction_ids,
            part.prediction_areas,
            predicted_places,
            dict(zip(predicted_ids, true_ids, strict=True)),
            _largest(part.iou, part.pairs[:, 1], len(part.prediction_ids)),
            prediction_kinds,
        )
    return rows


def _rows(
    name: str,
    ids: Ids,
    areas: Ids,
    places: Centroids,
    partners: dict[int, int],
    iou: _Reals,
    kinds: Kinds,
) -> list[dict[str, Any]]:
    place = np.searchsorted(places.ids, ids)
    cells = zip(
        ids.tolist(),
        areas.tolist(),
        places.rows[place].tolist(),
        places.columns[place].tolist(),
        (partners.get(cell, "") for cell in ids.tolist()),
        iou.tolist(),
        kinds.tolist(),
        strict=True,
    )
    return [dict(zip(CELL_COLUMNS, (name, *cell), strict=True)) for cell in cells]


def _largest(iou: _Reals, index: Ids, cells: int) -> _Reals:
    """Give the largest IoU of each cell, 0 where it overlaps none."""
    largest = np.zeros(cells)
    np.maximum.at(largest, index, iou)
    return largest


def centroids(labels: BandedLabels, part_shape: tuple[int, int] | None = None) -> list[Centroids]:
    """Compute where the cells are, band by band, frame cells included.

    Args:
        labels: ids of up to 63 bits.
        part_shape: (H, W) of the tiles that are scored apart, as for
            :func:`cellbench.evaluation.overlap.count_overlaps`: an id may name a cell in each of them.

    Returns:
        One result for each tile, row by row; one for the whole image where there are none.

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
    """Over the pixels of each cell: (3, N) sums of 1, of the row and of the column."""

    ids: Ids
    sums: _Reals


def _sum_runs(band: LabelMap, top: int, left: int) -> _Sums:
    """Sum over the cells of a band whose first pixel is at this row and column of the image."""
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
