"""cell_rows and centroids: scikit-image as oracle, bands and tiles of any height, hand-worked rows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from label_maps import blocky_maps, pairs
from skimage.measure import regionprops

from cellbench.evaluation.cell_errors import CellKind
from cellbench.evaluation.cell_table import cell_rows, centroids
from cellbench.evaluation.overlap import count_overlaps
from cellbench.evaluation.rows import CellRow, MapName
from cellbench.labels import LabelMap
from cellbench.labels.banded import BandedLabels, in_bands


def banded(labels: LabelMap, rows: int) -> BandedLabels:
    def bands() -> list[LabelMap]:
        return [labels[top : top + rows] for top in range(0, len(labels), rows)]

    return BandedLabels("test", labels.shape, labels.dtype, lambda: iter(bands()))


@given(blocky_maps(), st.integers(1, 20), st.integers(1, 20), st.integers(1, 20))
def test_centroids_of_each_tile_equal_regionprops(
    labels: LabelMap, rows: int, height: int, width: int
) -> None:
    tiles = [
        (top, left, labels[top : top + height, left : left + width])
        for top in range(0, labels.shape[0], height)
        for left in range(0, labels.shape[1], width)
    ]
    found = centroids(banded(labels, rows), (height, width))
    for (top, left, tile), places in zip(tiles, found, strict=True):
        regions = regionprops(tile)
        assert places.ids.tolist() == [region.label for region in regions]
        corner = np.array([top, left])
        expected = np.array([region.centroid for region in regions]).reshape(-1, 2) + corner
        np.testing.assert_allclose(np.column_stack([places.rows, places.columns]), expected)


@given(blocky_maps(), st.integers(1, 20))
def test_the_whole_is_one_tile(labels: LabelMap, rows: int) -> None:
    maps = banded(labels, rows)
    np.testing.assert_equal(centroids(maps), centroids(maps, labels.shape))


def test_ids_of_63_bits() -> None:
    (found,) = centroids(in_bands(np.array([[2**63 - 1, 0], [2**63 - 2, 2**63 - 1]], np.uint64)))
    assert found.ids.tolist() == [2**63 - 2, 2**63 - 1]
    assert found.rows.tolist() == [1.0, 0.5]
    assert found.columns.tolist() == [0.0, 0.5]


def rows_of(truth: LabelMap, prediction: LabelMap) -> list[CellRow]:
    maps = in_bands(truth), in_bands(prediction)
    return list(cell_rows("x", "DIC", count_overlaps(*maps), *map(centroids, maps)))


def test_rows_by_hand() -> None:
    truth = np.array([[7, 7, 7, 7, 0, 9, 0, 0], [7, 7, 7, 7, 0, 9, 0, 0]])
    prediction = np.array([[3, 3, 3, 5, 0, 0, 0, 2**62], [3, 3, 3, 0, 0, 0, 0, 0]])
    true, predicted = MapName.TRUTH, MapName.PREDICTION
    assert rows_of(truth, prediction) == [
        CellRow("x", "DIC", true, 7, 8, 0.5, 1.5, 3, 0.75, CellKind.MATCHED),
        CellRow("x", "DIC", true, 9, 2, 0.5, 5.0, None, 0.0, CellKind.MISSED),
        CellRow("x", "DIC", predicted, 3, 6, 0.5, 1.0, 7, 0.75, CellKind.MATCHED),
        CellRow("x", "DIC", predicted, 5, 1, 0.0, 3.0, None, 0.125, CellKind.SPLIT),
        CellRow("x", "DIC", predicted, 2**62, 1, 0.0, 7.0, None, 0.0, CellKind.SPURIOUS),
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
    places = centroids(maps, (4, 4))
    rows = cell_rows("x", "", count_overlaps(maps, maps, 1, (4, 4)), places, places)
    assert [(row.map, row.centroid_row, row.centroid_column) for row in rows] == [
        ("truth", 1.5, 1.5),
        ("prediction", 1.5, 1.5),
        ("truth", 5.5, 5.5),
        ("prediction", 5.5, 5.5),
    ]
