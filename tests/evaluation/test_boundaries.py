"""Boundary F-score, Hausdorff 95, SEG and count error: SciPy, MONAI and literal definitions as oracles."""

import numpy as np
import pytest
from hypothesis import given
from label_maps import discs, pairs, touching
from scipy.ndimage import distance_transform_edt
from scipy.spatial.distance import cdist

from cellbench.evaluation import get_measure
from cellbench.evaluation.boundaries import Boundaries, boundary_f1, hausdorff_95
from cellbench.evaluation.details import image_details
from cellbench.evaluation.nearest import boundary_table
from cellbench.evaluation.overlap import count_overlaps
from cellbench.labels import LabelMap
from cellbench.labels.banded import BandedLabels, in_bands

NAMES = ("boundary_f1", "hausdorff_95", "seg", "count_error")


def measured(truth: LabelMap, prediction: LabelMap) -> dict[str, float]:
    maps = in_bands(truth), in_bands(prediction)
    details = image_details(count_overlaps(*maps), maps)
    return {name: details[name] for name in NAMES}


def slow_boundary(labels: LabelMap) -> np.ndarray:
    """The pixels of cells with one of four neighbours that is not in the cell."""
    padded = np.pad(labels, 1)
    sides = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
    return (labels > 0) & np.any([labels != side for side in sides], axis=0)


def slow_seg(truth: LabelMap, prediction: LabelMap) -> float:
    """SEG as Maška et al. 2014 write it: R matches S if |R ∩ S| > 0.5 |R|."""
    found = []
    for label in np.unique(truth[truth > 0]):
        cell, best = truth == label, 0.0
        for other in np.unique(prediction[cell & (prediction > 0)]):
            segment = prediction == other
            if (cell & segment).sum() > 0.5 * cell.sum():
                best = (cell & segment).sum() / (cell | segment).sum()
        found.append(best)
    return float(np.mean(found)) if found else 0.0


@given(pairs())
def test_boundaries_and_distances(pair: tuple[LabelMap, LabelMap]) -> None:
    edges = [slow_boundary(labels) for labels in pair]
    for labels, edge in zip(pair, edges, strict=True):
        assert ((boundary_table(labels) == 0) == edge).all()
    points = [np.argwhere(edge) for edge in edges]
    found = Boundaries(*pair).distances
    if not all(map(len, points)):
        assert all(np.isinf(each).all() for each in found)
        return
    between = cdist(*points)
    np.testing.assert_allclose(found[0], between.min(axis=1), rtol=1e-15)
    np.testing.assert_allclose(found[1], between.min(axis=0), rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.int64])
@pytest.mark.parametrize("shape", [(300, 420), (700, 3), (1, 900), (12, 800)])
def test_distances_beyond_a_byte(shape: tuple[int, int], dtype: type) -> None:
    truth = np.zeros(shape, dtype)
    truth[-1, -1] = 2
    truth[0, 0] = 1
    prediction = np.zeros(shape, dtype)
    prediction[0, 1] = 9
    first, second = Boundaries(truth, prediction).distances
    expected = distance_transform_edt(prediction == 0)
    assert first.tolist() == [expected[0, 0], expected[-1, -1]]
    assert second.tolist() == [1.0]


@pytest.mark.parametrize("shift", [0, 1, 2, 3, 7])
def test_boundary_f1_of_a_shift(shift: int) -> None:
    truth = np.zeros((60, 80), int)
    truth[20:40, 20:50] = 1
    prediction = np.roll(truth, shift, axis=1)
    distances = [
        distance_transform_edt(~slow_boundary(other))[slow_boundary(one)]
        for one, other in ((truth, prediction), (prediction, truth))
    ]
    recall, precision = ((each <= 2).mean() for each in distances)
    image = Boundaries(truth, prediction)
    assert boundary_f1(image) == pytest.approx(2 * precision * recall / (precision + recall))
    assert (boundary_f1(image) == 1) == (shift <= 2)
    assert hausdorff_95(image) == max(np.percentile(each, 95) for each in distances)


@pytest.mark.parametrize("seed", range(3))
def test_hausdorff_95_as_in_monai(seed: int) -> None:
    torch = pytest.importorskip("torch")
    metrics = pytest.importorskip("monai.metrics")
    truth, prediction = discs(seed=seed), np.roll(discs(seed=seed + 10), seed, axis=0)
    prediction[truth == 3] = 0
    masks = [torch.tensor(labels > 0)[None, None] for labels in (prediction, truth)]
    expected = metrics.compute_hausdorff_distance(
        *masks, include_background=True, percentile=95
    ).item()
    found = measured(truth, prediction)["hausdorff_95"]
    assert found == pytest.approx(expected, rel=1e-6)
    assert found > 0


@given(pairs())
def test_seg_as_published(pair: tuple[LabelMap, LabelMap]) -> None:
    truth, prediction = pair
    assert measured(truth, prediction)["seg"] == pytest.approx(slow_seg(truth, prediction))


@given(pairs())
def test_count_error_is_the_difference(pair: tuple[LabelMap, LabelMap]) -> None:
    cells = [len(np.unique(labels[labels > 0])) for labels in pair]
    assert measured(*pair)["count_error"] == abs(cells[0] - cells[1])


def test_touching_cells_have_a_boundary_between_them() -> None:
    truth = touching()
    merged = np.ones_like(truth)
    perfect = {"boundary_f1": 1.0, "hausdorff_95": 0.0, "seg": 1.0, "count_error": 0.0}
    assert measured(truth, truth) == perfect
    found = measured(truth, merged)
    assert found["boundary_f1"] < 0.6
    assert found["hausdorff_95"] > 10
    assert found["count_error"] == truth.max() - 1


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ((0, 0), (0.0, 0.0, 0.0, 0.0)),
        ((1, 0), (0.0, 5.0, 0.0, 1.0)),
        ((0, 1), (0.0, 5.0, 0.0, 1.0)),
        ((1, 1), (1.0, 0.0, 1.0, 0.0)),
    ],
)
def test_maps_without_cells(
    cells: tuple[int, int], expected: tuple[float, float, float, float]
) -> None:
    truth, prediction = (np.full((3, 4), id_) for id_ in cells)
    assert tuple(measured(truth, prediction).values()) == expected


def test_directions() -> None:
    assert [get_measure(name).higher_is_better for name in NAMES] == [True, False, True, False]


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 40])
@pytest.mark.parametrize("shape", [(1, 30), (2, 30), (3, 1), (40, 30)])
def test_a_map_in_bands_has_the_same_boundaries(shape: tuple[int, int], rows: int) -> None:
    labels = np.kron(np.random.default_rng(3).integers(0, 4, (10, 8)), np.ones((4, 4), int))
    labels = labels[: shape[0], : shape[1]].astype(np.uint16)
    whole = in_bands(labels)
    banded = BandedLabels(
        "map", whole.shape, whole.dtype, lambda _=None: whole.bands(min(rows, len(labels)))
    )
    padded = np.pad(labels, 1)
    sides = [padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]]
    expected = (labels != 0) & np.any([side != labels for side in sides], axis=0)
    np.testing.assert_array_equal(boundary_table(banded) == 0, expected)
    np.testing.assert_array_equal(boundary_table(banded), boundary_table(labels))
