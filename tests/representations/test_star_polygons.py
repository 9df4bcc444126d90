"""Star-convex polygons: candidates, suppression and drawing, against stardist and scikit-image."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from label_maps import blocky_maps, discs, touching
from skimage.draw import polygon as polygon_pixels
from stardist.geometry import dist_to_coord
from stardist.nms import non_maximum_suppression

from cellbench.evaluation import match_cells
from cellbench.labels import LabelMap
from cellbench.representations import StarConvex
from cellbench.representations.star_polygons import (
    Polygons,
    draw_polygons,
    find_candidates,
    suppress_worse,
)

Maps = dict[str, npt.NDArray[np.float32]]


def noisy_maps(labels: LabelMap, seed: int = 0) -> tuple[Maps, npt.NDArray[np.float32]]:
    """Encode, and disturb as a network would; return the distances in stardist's order too."""
    rng = np.random.default_rng(seed)
    maps = StarConvex().encode(labels)
    maps["probability"] *= rng.normal(1, 0.05, maps["probability"].shape).astype(np.float32)
    maps["distances"] *= rng.normal(1, 0.1, maps["distances"].shape).astype(np.float32)
    maps["distances"] = maps["distances"].clip(1e-3)
    return maps, np.ascontiguousarray(maps["distances"].transpose(1, 2, 0))


def one(row: float, column: float, lengths: list[float], score: float = 1.0) -> Polygons:
    arrays = [[row, column]], [lengths], [score]
    return Polygons(*(np.array(each, np.float32) for each in arrays))


def together(*polygons: Polygons) -> Polygons:
    return Polygons(*(np.concatenate(each) for each in zip(*polygons, strict=True)))


@pytest.mark.parametrize("labels", [touching((150, 160)), discs((150, 160))])
@pytest.mark.parametrize("grid", [1, 2])
def test_suppression_keeps_the_polygons_that_stardist_keeps(labels: LabelMap, grid: int) -> None:
    maps, distances = noisy_maps(labels)
    probability = maps["probability"][0]
    points, scores, lengths = non_maximum_suppression(
        distances[::grid, ::grid],
        probability[::grid, ::grid],
        grid=(grid, grid),
        b=0,
        nms_thresh=0.4,
        prob_thresh=0.5,
    )
    peer = Polygons(points.astype(np.float32), lengths, scores)
    theirs = draw_polygons(peer, labels.shape).labels
    candidates = find_candidates(probability, maps["distances"], 0.5, grid)
    kept = suppress_worse(candidates, 0.4, labels.shape)
    found = match_cells(
        theirs, draw_polygons(candidates.taken(kept), labels.shape).labels, threshold=0.9
    )
    assert found.tp >= 0.99 * len(points)
    assert found.fp <= 0.01 * len(points)


@settings(max_examples=20)
@given(labels=blocky_maps(), ray_samples=st.sampled_from([1, 2, 4, 6]), seed=st.integers(0, 99))
# Noise that is longer than the image's diagonal.
@example(labels=np.ones((3, 3), int), ray_samples=1, seed=6)
def test_rays_are_as_long_as_the_pixels_along_them_say(
    labels: LabelMap, ray_samples: int, seed: int
) -> None:
    maps, _ = noisy_maps(labels, seed)
    probability, distances = maps["probability"][0], maps["distances"]
    rng = np.random.default_rng(seed)
    distances[rng.random(distances.shape) < 0.02] = np.inf
    found = find_candidates(probability, distances, 0.5, ray_samples=ray_samples)
    angles = 2 * np.pi / 32 * np.arange(32)
    directions = np.stack([np.sin(angles), np.cos(angles)], axis=-1).astype(np.float32)
    longest = np.hypot(*labels.shape)
    for point, lengths in zip(found.points[:20], found.distances[:20], strict=True):
        row, column = point.astype(int)
        for ray, direction in enumerate(directions):
            own = float(np.clip(distances[ray, row, column], 0, longest))
            steps = own * np.arange(ray_samples) / ray_samples
            places = np.floor(point + np.outer(steps, direction.astype(float)) + 0.5).astype(int)
            inside = ((places >= 0) & (places < labels.shape)).all(axis=1)
            places = places[inside]
            seen = distances[ray][tuple(places.T)] + (places - point) @ direction
            weights = np.where(np.isfinite(seen), probability[tuple(places.T)], 0)
            expected = np.average(np.where(weights > 0, seen, 0), weights=weights)
            bounded = np.clip(expected, 1e-3, longest)
            assert lengths[ray] == pytest.approx(bounded, rel=1e-4, abs=1e-3)


def test_one_look_takes_the_lengths_as_they_are() -> None:
    maps, distances = noisy_maps(discs())
    found = find_candidates(maps["probability"][0], maps["distances"], 0.5, ray_samples=1)
    rows, columns = found.points.astype(int).T
    np.testing.assert_array_equal(found.distances, distances[rows, columns])


@pytest.mark.parametrize(("threshold", "cells"), [(0.24, 1), (0.26, 2)])
@pytest.mark.parametrize("scale", [0.01, 1, 100])
def test_shared_areas_are_exact(threshold: float, cells: int, scale: float) -> None:
    # Diamonds of area 2 r² whose centres lie r apart share a diamond of a quarter of that.
    side = max(4, int(9 * scale))
    better = one(side, side, [4 * scale] * 4)
    worse = one(side, side + 4 * scale, [4 * scale] * 4, score=0.5)
    kept = suppress_worse(together(better, worse), threshold, (3 * side, 3 * side))
    assert kept.sum() == cells


def test_a_small_polygon_within_a_large_one_is_suppressed_wherever_it_lies() -> None:
    large = one(100, 100, [90.0] * 32)
    rows, columns = np.mgrid[60:141:8, 60:141:8]
    small = [one(*place, [3.0] * 32, 0.5) for place in zip(rows.flat, columns.flat, strict=True)]
    assert suppress_worse(together(large, *small), 0.4, (200, 200)).sum() == 1


@pytest.mark.parametrize("seed", range(12))
def test_polygons_are_drawn_as_scikit_image_draws_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    star = one(*rng.integers(0, 60, 2), rng.uniform(1, 30, 32).tolist())
    expected = np.zeros((60, 60), np.uint16)
    corners = dist_to_coord(star.distances, star.points)[0]
    expected[polygon_pixels(*corners, expected.shape)] = 1
    np.testing.assert_array_equal(draw_polygons(star, expected.shape).labels, expected)


def test_the_better_polygon_lies_on_top_and_hidden_ones_vanish() -> None:
    first, second = one(10, 10, [6.0] * 32), one(10, 14, [6.0] * 32, score=0.5)
    hidden = one(11, 10, [2.0] * 32, score=0.75)
    labels, measures = draw_polygons(together(first, hidden, second), (20, 30))
    assert labels[10, 15] == 1
    assert labels[10, 18] == 2
    assert labels.max() == 2
    assert measures["score"].tolist() == [1, 0.5]


def test_a_polygon_never_shrinks_to_nothing() -> None:
    assert draw_polygons(one(3, 4, [1e-3] * 32), (8, 9)).labels.nonzero() == (3, 4)
