"""Cell and neighbour distances against a slow implementation with SciPy and scikit-image."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_maps import blocky_maps, discs, touching
from real_images import REAL
from slow_distances import slow_distances, slow_gaps, slow_maps

from cellbench.labels import LabelMap, read_labels, relabel
from cellbench.representations import CellDistance
from cellbench.representations.distance_gaps import gaps_between_cells
from cellbench.representations.distance_kernels import (
    cell_depths,
    neighbour_distances,
    scaled_distances,
)

SIDE = 300


def random_discs(seed: int, shape: tuple[int, int] = (110, 130), cells: int = 30) -> LabelMap:
    """Discs of many sizes, some of which touch, overlap, nearly touch, or are cut at the border."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(shape, np.int32)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    for number in range(1, cells + 1):
        row, column = rng.uniform(0, shape)
        labels[np.hypot(rows - row, columns - column) < rng.uniform(1, 14)] = number
    return labels


def fast_distances(labels: LabelMap) -> tuple[np.ndarray, np.ndarray]:
    depths, deepest = cell_depths(labels, int(labels.max()))
    cell, neighbour = scaled_distances(
        labels, depths, deepest, *neighbour_distances(labels, deepest)
    )
    return cell, neighbour


def check(labels: LabelMap) -> None:
    labels = labels.astype(np.int32)
    for ours, theirs in zip(fast_distances(labels), slow_distances(labels), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    neighbour = fast_distances(labels)[1]
    np.testing.assert_allclose(
        gaps_between_cells(labels, neighbour), slow_gaps(labels, neighbour), atol=1e-6
    )
    maps = CellDistance().encode(labels)
    for name, theirs in slow_maps(labels).items():
        np.testing.assert_allclose(maps[name], theirs, atol=1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_maps_of_discs_are_those_of_the_slow_steps(seed: int) -> None:
    check(random_discs(seed))


@pytest.mark.parametrize(
    "labels",
    [discs(), touching(), touching((17, 300), cells=9), np.ones((30, 40)), np.ones((1, 1))],
)
def test_maps_of_odd_maps_are_those_of_the_slow_steps(labels: LabelMap) -> None:
    check(labels)


@settings(max_examples=20)
@given(labels=blocky_maps(), seed=st.integers(0, 999), share=st.floats(0, 0.3))
def test_maps_of_any_map_are_those_of_the_slow_steps(
    labels: LabelMap, seed: int, share: float
) -> None:
    speckled = np.where(np.random.default_rng(seed).random(labels.shape) < share, 0, labels)
    check(relabel(speckled))


def real_maps() -> Iterator[LabelMap]:
    for path in sorted(REAL.glob("t*/labels/*"))[::58]:
        labels = relabel(read_labels(path)[-SIDE:, -SIDE:])
        if labels.any():
            yield labels


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real label maps in {REAL}")
def test_maps_of_real_cells_are_those_of_the_slow_steps() -> None:
    cells = 0
    for labels in real_maps():
        check(labels)
        cells += int(labels.max())
    assert cells >= 150
