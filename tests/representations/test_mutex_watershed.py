"""The mutex watershed against a slow one, and what its options do."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import label

from cellbench.labels import LabelMap
from cellbench.representations import Affinity
from cellbench.representations.affinity_kernels import number_cells
from cellbench.representations.mutex_watershed import mutex_watershed

LEVELS = 65_535
OFFSETS = Affinity(near=2, middle=4, far=7).offsets()
DIRECT = 2


def partition(
    affinities: npt.NDArray[np.floating],
    inside: npt.NDArray[np.bool_],
    smallest_weight: float = 0.0,
    repulsion: float = 1.0,
    stride: int = 1,
) -> LabelMap:
    parents = mutex_watershed(
        affinities.astype(np.float32), inside, OFFSETS, DIRECT, smallest_weight, repulsion, stride
    )
    labels: LabelMap = number_cells(parents, inside, 1.0)
    return labels


def slow_partition(
    affinities: npt.NDArray[np.floating],
    inside: npt.NDArray[np.bool_],
    smallest_weight: float = 0.0,
    repulsion: float = 1.0,
    stride: int = 1,
) -> LabelMap:
    """The definition, without any speed: clusters are sets, and all forbidden pairs are searched."""
    edges = []
    for (channel, row, column), affinity in np.ndenumerate(affinities):
        far_row, far = row + OFFSETS[channel, 0], column + OFFSETS[channel, 1]
        if not (0 <= far_row < len(inside) and 0 <= far < inside.shape[1]):
            continue
        if channel >= DIRECT and (row % stride or column % stride):
            continue
        odds = repulsion * (1 - affinity)
        weight = affinity if channel < DIRECT else odds / (odds + affinity)
        if inside[row, column] and inside[far_row, far] and weight >= smallest_weight:
            edges.append((weight, channel < DIRECT, (row, column), (far_row, far)))
    clusters = {pixel: {pixel} for pixel in zip(*np.nonzero(inside), strict=True)}
    forbidden: list[tuple[tuple[int, int], tuple[int, int]]] = []
    for _, attracts, first, second in sorted(edges, key=lambda edge: -edge[0]):
        one, other = clusters[first], clusters[second]
        if one is other:
            continue
        if not attracts:
            forbidden.append((first, second))
        elif not any((a in one and b in other) or (a in other and b in one) for a, b in forbidden):
            one |= other
            for pixel in other:
                clusters[pixel] = one
    labels = np.zeros(inside.shape, np.int32)
    for pixel in zip(*np.nonzero(inside), strict=True):
        if labels[pixel] == 0:
            labels[tuple(zip(*clusters[pixel], strict=True))] = labels.max() + 1
    return labels


def random_affinities(
    shape: tuple[int, int], seed: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Affinities of which no two edges have the same weight, and most of the foreground."""
    rng = np.random.default_rng(seed)
    weights = rng.permutation(np.arange(1, LEVELS))[: len(OFFSETS) * shape[0] * shape[1]]
    weights = weights.reshape(len(OFFSETS), *shape) / LEVELS
    weights[DIRECT:] = 1 - weights[DIRECT:]
    return weights, rng.random(shape) < 0.9


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("smallest_weight", "repulsion", "stride"),
    [(0, 1, 1), (0.4, 1, 1), (0, 0.2, 1), (0.3, 0.05, 1), (0.2, 5, 1), (0, 1, 2), (0.1, 1, 3)],
)
def test_the_clusters_are_those_of_the_definition(
    seed: int, smallest_weight: float, repulsion: float, stride: int
) -> None:
    shape = ((12, 14), (9, 9), (1, 20), (17, 3), (11, 16))[seed]
    affinities, inside = random_affinities(shape, seed)
    found = partition(affinities, inside, smallest_weight, repulsion, stride)
    expected = slow_partition(affinities, inside, smallest_weight, repulsion, stride)
    np.testing.assert_array_equal(found, expected)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), levels=st.integers(1, 4))
def test_clusters_are_connected_parts_of_the_foreground(seed: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    affinities = rng.integers(0, levels + 1, (len(OFFSETS), 13, 15)) / levels
    inside = rng.random((13, 15)) < 0.8
    labels = partition(affinities, inside)
    np.testing.assert_array_equal(labels > 0, inside)
    assert labels.max() == label(labels, connectivity=1).max()
    first = [np.flatnonzero(labels == cell)[0] for cell in range(1, labels.max() + 1)]
    assert first == sorted(first)


def test_without_repulsion_the_parts_that_attract_are_the_clusters() -> None:
    rng = np.random.default_rng(0)
    inside = rng.random((40, 50)) < 0.6
    everything = np.ones((len(OFFSETS), 40, 50))
    np.testing.assert_array_equal(partition(everything, inside), label(inside, connectivity=1))


def test_a_strong_repulsion_separates_what_a_weaker_attraction_would_join() -> None:
    inside = np.ones((1, 8), bool)
    affinities = np.ones((len(OFFSETS), 1, 8))
    affinities[0, 0, 3] = 0.8  # between columns 3 and 4
    affinities[2, 0, 2] = 0.1  # columns 2 and 4
    assert partition(affinities, inside)[0].tolist() == [1, 1, 1, 1, 2, 2, 2, 2]
    affinities[0, 0, 3] = 0.95
    assert partition(affinities, inside).max() == 1
    assert partition(affinities, inside, repulsion=5)[0].tolist() == [1, 1, 1, 1, 2, 2, 2, 2]
    affinities[0, 0, 3] = 0.5
    assert partition(affinities, inside).max() == 2
    assert partition(affinities, inside, repulsion=0.1).max() == 1
    assert partition(affinities, inside, repulsion=0.1, smallest_weight=0.6).max() == 2


def test_many_forbidden_pairs_are_all_kept() -> None:
    """Pixels of which all repel each other at once: the table of pairs grows several times."""
    rng = np.random.default_rng(1)
    inside = np.ones((60, 60), bool)
    affinities = np.where(np.arange(len(OFFSETS)) < DIRECT, 0.5, 0.01)[:, None, None]
    affinities = affinities * rng.uniform(0.9, 1, (len(OFFSETS), 60, 60))
    labels = partition(affinities, inside)
    for channel, (down, right) in enumerate(OFFSETS.tolist()):
        left = max(0, -right)
        first = labels[: 60 - down, left : 60 - max(0, right)]
        second = labels[down:, left + right : 60 - max(0, right) + right]
        assert channel < DIRECT or (first != second).all()
    assert labels.max() < 3600  # neighbours are joined


def test_what_is_not_a_number_neither_attracts_nor_repels() -> None:
    inside = np.ones((9, 9), bool)
    lost = np.full((len(OFFSETS), 9, 9), np.nan)
    assert partition(lost, inside).max() == 81
    attracting = lost.copy()
    attracting[:DIRECT] = 0.01
    assert partition(attracting, inside).max() == 1
    assert partition(np.full_like(lost, np.inf), inside).max() == 1
    assert partition(np.full_like(lost, -np.inf), inside).max() == 81
