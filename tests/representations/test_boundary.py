"""Boundary against the steps of the challenge's pre_process_3class.py, done with scikit-image."""

import numpy as np
import pytest
from label_maps import discs
from scipy import ndimage
from skimage.measure import label
from skimage.morphology import dilation, disk
from skimage.segmentation import expand_labels, find_boundaries

from cellbench.labels import LabelMap
from cellbench.representations import Boundary
from cellbench.representations.boundary import BACKGROUND, INTERIOR


def official_classes(labels: LabelMap) -> LabelMap:
    boundary = dilation(find_boundaries(labels, mode="inner"), disk(1))
    interior = (labels > 0) & ~boundary
    parts = label(interior, connectivity=2)
    areas = np.bincount(parts.ravel())
    interior &= areas[parts] >= 16
    return np.where(interior, 1, np.where(boundary, 2, 0))


@pytest.mark.parametrize("seed", range(4))
def test_classes_are_the_official_ones(seed: int) -> None:
    labels = np.kron(discs(seed=seed, radius=4, spacing=11), np.ones((2, 3), int))
    classes = Boundary().encode(labels)["classes"]
    assert (classes.sum(axis=0) == 1).all()
    assert (classes.argmax(axis=0) == official_classes(labels)).all()


def test_cells_keep_their_size() -> None:
    labels = discs()
    decoded = Boundary().decode(Boundary().encode(labels))
    assert decoded.astype(bool).sum() > 0.97 * labels.astype(bool).sum()


def test_small_holes_are_filled_and_specks_dropped() -> None:
    probability = np.zeros((3, 40, 40))
    probability[1, 5:30, 5:30] = 0.9
    probability[1, 10:17, 10:19] = 0.1  # a hole of 63 px
    probability[1, 35:38, 35:40] = 0.9  # a speck of 15 px
    decoded = Boundary().decode({"classes": probability})
    assert decoded.max() == 1
    assert decoded[12, 12] == 1
    assert not decoded[35:, 35:].any()
    probability[1, 10:18, 10:18] = 0.1  # a hole of 64 px and more stays
    assert Boundary().decode({"classes": probability})[13, 13] == 0


def test_predicted_background_is_not_given_to_cells() -> None:
    probability = np.zeros((3, 20, 20))
    probability[1, 5:15, 5:15] = 0.9
    probability[0] = np.where(probability[1] > 0, 0.05, 0.9)
    decoded = Boundary().decode({"classes": probability})
    assert (decoded > 0).sum() == 100


@pytest.mark.parametrize("seed", range(4))
def test_interiors_grow_as_expand_labels_grows_them(seed: int) -> None:
    interior = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(90, 80)), 2) > 0.02
    probability = np.zeros((3, 90, 80))
    probability[INTERIOR] = interior
    decoded = Boundary(largest_hole=0, smallest_interior=5).decode({"classes": probability})
    cores = label(interior, connectivity=2)
    cores[(np.bincount(cores.ravel()) < 5)[cores]] = 0
    np.testing.assert_array_equal(decoded > 0, expand_labels(cores, distance=2) > 0)
    away = ndimage.distance_transform_edt(cores == 0)
    for cell in range(1, decoded.max() + 1):
        (core,) = np.unique(cores[(decoded == cell) & (cores > 0)])
        to_core = ndimage.distance_transform_edt(cores != core)
        np.testing.assert_array_equal(to_core[decoded == cell], away[decoded == cell])
    probability[BACKGROUND] = 1
    kept = Boundary(largest_hole=0, smallest_interior=5).decode({"classes": probability})
    np.testing.assert_array_equal(kept > 0, cores > 0)
