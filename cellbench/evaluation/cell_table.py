"""The table of cells: where each cell is, its partner, and what is wrong with it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cellbench.evaluation.cell_errors import CellKind, Kinds
from cellbench.evaluation.cell_shapes import CellShapes
from cellbench.evaluation.overlap import Overlaps
from cellbench.evaluation.pairs import Ids
from cellbench.evaluation.pooled import PooledOverlaps
from cellbench.evaluation.rows import CellRow, MapName

_Reals = npt.NDArray[np.float64]


def cell_rows(
    image: str,
    modality: str,
    parts: Sequence[Overlaps] | PooledOverlaps,
    truth_shapes: Sequence[CellShapes],
    prediction_shapes: Sequence[CellShapes],
) -> Iterator[CellRow]:
    """Yield the scored cells of one image, matched at IoU 0.5.

    Args:
        image: stem of the image.
        modality: modality of the image; empty if unknown.
        parts: overlaps of the image, or of each of its tiles; or these pooled.
        truth_shapes: places and shapes of the true cells of the same parts.
        prediction_shapes: places and shapes of the predicted cells of the same parts.

    Yields:
        One row per cell: part by part, truth before prediction, in the order of their ids.
    """
    pooled = parts if isinstance(parts, PooledOverlaps) else PooledOverlaps(parts)
    measured = zip(pooled.parts, pooled.matches, pooled.kinds_by_part, strict=True)
    shapes = zip(truth_shapes, prediction_shapes, strict=True)
    for (part, matches, kinds), (true_shapes, predicted_shapes) in zip(
        measured, shapes, strict=True
    ):
        partners = matches.truth_ids.tolist(), matches.prediction_ids.tolist()
        true = _Side(
            part.truth_ids,
            part.truth_areas,
            true_shapes.of(part.truth_ids),
            dict(zip(*partners, strict=True)),
            _largest(part.iou, part.pairs[:, 0], len(part.truth_ids)),
            kinds[0],
        )
        predicted = _Side(
            part.prediction_ids,
            part.prediction_areas,
            predicted_shapes.of(part.prediction_ids),
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
    shapes: CellShapes
    partners: dict[int, int]
    iou: _Reals
    kinds: Kinds


def _rows(image: str, modality: str, name: MapName, side: _Side) -> Iterator[CellRow]:
    cells = zip(
        side.ids.tolist(),
        side.areas.tolist(),
        side.shapes.rows.tolist(),
        side.shapes.columns.tolist(),
        side.shapes.elongations.tolist(),
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
