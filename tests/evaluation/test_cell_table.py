"""cell_rows: hand-worked rows, agreement with the maps, and tiles."""

import numpy as np
from hypothesis import given
from label_maps import pairs
from skimage.measure import regionprops

from cellbench.evaluation.cell_errors import CellKind
from cellbench.evaluation.cell_shapes import measure_shapes
from cellbench.evaluation.cell_table import cell_rows
from cellbench.evaluation.overlap import count_overlaps
from cellbench.evaluation.rows import CellRow, MapName
from cellbench.labels import LabelMap
from cellbench.labels.banded import in_bands


def rows_of(truth: LabelMap, prediction: LabelMap) -> list[CellRow]:
    maps = in_bands(truth), in_bands(prediction)
    return list(cell_rows("x", "DIC", count_overlaps(*maps), *map(measure_shapes, maps)))


def test_rows_by_hand() -> None:
    truth = np.array([[7, 7, 7, 7, 0, 9, 0, 0], [7, 7, 7, 7, 0, 9, 0, 0]])
    prediction = np.array([[3, 3, 3, 5, 0, 0, 0, 2**62], [3, 3, 3, 0, 0, 0, 0, 0]])
    true, predicted = MapName.TRUTH, MapName.PREDICTION
    assert rows_of(truth, prediction) == [
        CellRow("x", "DIC", true, 7, 8, 0.5, 1.5, 2.0, 3, 0.75, CellKind.MATCHED),
        CellRow("x", "DIC", true, 9, 2, 0.5, 5.0, 2.0, None, 0.0, CellKind.MISSED),
        CellRow("x", "DIC", predicted, 3, 6, 0.5, 1.0, 1.5, 7, 0.75, CellKind.MATCHED),
        CellRow("x", "DIC", predicted, 5, 1, 0.0, 3.0, 1.0, None, 0.125, CellKind.SPLIT),
        CellRow("x", "DIC", predicted, 2**62, 1, 0.0, 7.0, 1.0, None, 0.0, CellKind.SPURIOUS),
    ]


@given(pairs())
def test_rows_agree_with_the_maps(pair: tuple[LabelMap, LabelMap]) -> None:
    rows = rows_of(*pair)
    for name, labels, other in zip(("truth", "prediction"), pair, pair[::-1], strict=True):
        own_rows = {row.id: row for row in rows if row.map == name}
        other_rows = {row.id: row for row in rows if row.map != name}
        assert [(row.id, row.area) for row in own_rows.values()] == [
            (region.label, region.area) for region in regionprops(labels)
        ]
        for row in own_rows.values():
            cell = labels == row.id
            ious = {
                k: (cell & (other == k)).sum() / (cell | (other == k)).sum() for k in other_rows
            }
            assert row.iou == max(ious.values(), default=0)
            assert (row.partner is not None) == (row.kind is CellKind.MATCHED)
            if row.partner is not None:
                assert other_rows[row.partner].partner == row.id
                assert row.iou == ious[row.partner]


def test_one_id_for_a_cell_in_each_of_two_tiles() -> None:
    labels = np.kron(np.eye(2, dtype=int), np.pad(np.ones((2, 2), int), 1))
    maps = in_bands(labels)
    places = measure_shapes(maps, (4, 4))
    rows = cell_rows("x", "", count_overlaps(maps, maps, 1, (4, 4)), places, places)
    assert [(row.map, row.centroid_row, row.centroid_column) for row in rows] == [
        ("truth", 1.5, 1.5),
        ("prediction", 1.5, 1.5),
        ("truth", 5.5, 5.5),
        ("prediction", 5.5, 5.5),
    ]
