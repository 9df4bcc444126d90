"""Star-convex cells against stardist, and what must hold for any maps."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from label_maps import blocky_maps, discs
from scipy.special import entr
from skimage.draw import polygon as polygon_pixels
from stardist.geometry import dist_to_coord, star_dist
from stardist.nms import non_maximum_suppression
from stardist.utils import edt_prob

from cellbench.errors import UsageError
from cellbench.evaluation import match_cells
from cellbench.labels import LabelMap, read_labels, relabel
from cellbench.representations import StarConvex
from cellbench.representations.star_maps import object_probability, star_distances
from cellbench.representations.star_polygons import (
    Polygons,
    draw_polygons,
    find_candidates,
    suppress_worse,
)

OPEN_CELLS = Path(__file__).parents[3] / "shared" / "data" / "open-cells"
Maps = dict[str, npt.NDArray[np.float32]]


def touching(shape: tuple[int, int] = (96, 112), cells: int = 30, seed: int = 0) -> LabelMap:
    """Cells that fill the whole image, each pixel given to the nearest of random points."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, shape, (cells, 2))
    pixels = np.stack(np.mgrid[: shape[0], : shape[1]], axis=-1)
    nearest = ((pixels[:, :, None] - points) ** 2).sum(axis=-1).argmin(axis=-1)
    return relabel(nearest + 1)


def noisy_maps(labels: LabelMap, seed: int = 0) -> tuple[Maps, npt.NDArray[np.float32]]:
    """Encode, and disturb as a network would; give the distances in stardist's order too."""
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


@pytest.mark.parametrize(
    "labels",
    [
        discs(),
        touching(seed=1),
        touching((300, 290), cells=3),
        touching((17, 600), cells=9),
        np.ones((1, 1), int),
        np.ones((40, 30), int),
        np.random.default_rng(0).integers(0, 3, (50, 300)),
    ],
)
@pytest.mark.filterwarnings("ignore:EDT of constant label image")
def test_distances_and_probabilities_are_those_of_stardist(labels: LabelMap) -> None:
    for grid in (1, 2, 3):
        truth = star_dist(labels, 32, grid=(grid, grid), mode="cpp").transpose(2, 0, 1)
        np.testing.assert_array_equal(star_distances(labels, 32, grid), truth)
    truth = edt_prob(labels.astype(np.int32))
    np.testing.assert_allclose(object_probability(labels), truth, atol=1e-6)


@settings(max_examples=20)
@given(labels=blocky_maps(), rays=st.sampled_from([4, 8, 20, 32]))
def test_distances_of_any_map_are_those_of_stardist(labels: LabelMap, rays: int) -> None:
    truth = star_dist(labels, rays, mode="cpp").transpose(2, 0, 1)
    np.testing.assert_array_equal(star_distances(labels, rays), truth)


def test_ids_beyond_16_bits_stay_apart() -> None:
    labels = touching().astype(np.int64)
    np.testing.assert_array_equal(star_distances(labels * 65_536), star_distances(labels))


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
    theirs = draw_polygons(Polygons(points.astype(np.float32), lengths, scores), labels.shape)
    candidates = find_candidates(probability, maps["distances"], 0.5, grid)
    kept = suppress_worse(candidates, 0.4, labels.shape)
    found = match_cells(theirs, draw_polygons(candidates.taken(kept), labels.shape), threshold=0.9)
    assert found.tp >= 0.99 * len(points)
    assert found.fp <= 0.01 * len(points)


@settings(max_examples=20)
@given(labels=blocky_maps(), looks=st.sampled_from([1, 2, 4, 6]), seed=st.integers(0, 99))
def test_rays_are_as_long_as_the_pixels_along_them_say(
    labels: LabelMap, looks: int, seed: int
) -> None:
    maps, _ = noisy_maps(labels, seed)
    probability, distances = maps["probability"][0], maps["distances"]
    rng = np.random.default_rng(seed)
    distances[rng.random(distances.shape) < 0.02] = np.inf
    found = find_candidates(probability, distances, 0.5, looks=looks)
    angles = 2 * np.pi / 32 * np.arange(32)
    directions = np.stack([np.sin(angles), np.cos(angles)], axis=-1).astype(np.float32)
    for point, lengths in zip(found.points[:20], found.distances[:20], strict=True):
        row, column = point.astype(int)
        for ray, direction in enumerate(directions):
            own = distances[ray, row, column]
            steps = np.float32(own) * np.arange(looks, dtype=np.float32) / np.float32(looks)
            places = np.floor(point + steps[:, None] * direction + 0.5).astype(int)
            inside = ((places >= 0) & (places < labels.shape)).all(axis=1)
            places = places[inside]
            seen = distances[ray][tuple(places.T)] + (places - point) @ direction
            weights = np.where(np.isfinite(seen), probability[tuple(places.T)], 0)
            expected = np.average(np.where(weights > 0, seen, 0), weights=weights)
            assert lengths[ray] == pytest.approx(max(expected, 1e-3), rel=1e-4, abs=1e-3)


def test_one_look_takes_the_lengths_as_they_are() -> None:
    maps, distances = noisy_maps(discs())
    found = find_candidates(maps["probability"][0], maps["distances"], 0.5, looks=1)
    rows, columns = found.points.astype(int).T
    np.testing.assert_array_equal(found.distances, distances[rows, columns])


def test_a_cell_too_large_to_be_overseen_from_its_centre_comes_back_whole() -> None:
    labels = discs((64, 64), radius=25, spacing=64)
    assert labels.max() == 1
    maps = StarConvex().encode(labels)
    maps["distances"] = maps["distances"].clip(max=15)
    for looks, whole in ((1, 0), (4, 1)):
        found = match_cells(labels, StarConvex(looks=looks).decode(maps))
        assert (found.tp, found.fp) == (whole, 1 - whole)


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
    np.testing.assert_array_equal(draw_polygons(star, expected.shape), expected)


def test_the_better_polygon_lies_on_top_and_hidden_ones_vanish() -> None:
    first, second = one(10, 10, [6.0] * 32), one(10, 14, [6.0] * 32)
    labels = draw_polygons(together(first, one(11, 10, [2.0] * 32), second), (20, 30))
    assert labels[10, 15] == 1
    assert labels[10, 18] == 2
    assert labels.max() == 2


def test_a_polygon_never_shrinks_to_nothing() -> None:
    assert draw_polygons(one(3, 4, [1e-3] * 32), (8, 9)).nonzero() == (3, 4)


@pytest.mark.parametrize(
    "labels",
    [
        np.eye(9, dtype=int) * np.arange(1, 10),  # cells of one pixel
        np.arange(1, 31).reshape(5, 6),
        np.ones((1, 1), int),
        np.ones((30, 40), int),
        np.pad(np.ones((20, 20), int), [(0, 9), (0, 9)]),  # cut by two borders
        np.kron(np.arange(400) % 2 * np.arange(400), np.ones((17, 12), int)),  # 17 × 4800
    ],
)
def test_small_cut_and_lonely_cells_come_back(labels: LabelMap) -> None:
    decoded = StarConvex().decode(StarConvex().encode(labels))
    found = match_cells(labels, decoded, threshold=0.9)
    assert (found.fp, found.fn) == (0, 0)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_not_finite_make_no_cells(value: float) -> None:
    maps = StarConvex().encode(discs())
    cells = StarConvex().decode(maps)
    for name in maps:
        broken = maps | {name: np.full_like(maps[name], value)}
        assert not StarConvex().decode(broken).any()
    maps["distances"][5, cells == 1] = value
    assert StarConvex().decode(maps).max() == cells.max() - 1


@pytest.mark.parametrize("length", [-5, 0, 1e30])
def test_absurd_distances_are_kept_within_the_image(length: float) -> None:
    maps = {name: np.full_like(each, length) for name, each in StarConvex().encode(discs()).items()}
    maps["probability"][:] = 0
    maps["probability"][0, 40, 50] = 1
    labels = StarConvex().decode(maps)
    assert labels.max() == 1
    assert (labels > 0).sum() == (labels.size if length > 0 else 1)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), reach=st.floats(0.1, 60), share=st.floats(0, 1))
def test_any_maps_give_a_label_map(seed: int, reach: float, share: float) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 40, 2))
    maps = {
        "probability": rng.random((1, *shape)) * (rng.random((1, *shape)) < share),
        "distances": rng.exponential(reach, (32, *shape)),
    }
    labels = StarConvex().decode(maps)
    assert labels.shape == shape
    assert set(np.unique(labels)) | {0} == set(range(labels.max() + 1))
    np.testing.assert_array_equal(labels, StarConvex().decode(maps))
    assert bool(labels.any()) == bool((maps["probability"] > 0.5).any())


def test_candidates_are_capped_with_a_warning() -> None:
    maps = StarConvex().encode(discs())
    with pytest.warns(UserWarning, match=r"only the best 40 .* raise"):
        labels = StarConvex(most_candidates=40).decode(maps)
    assert labels.max() == 20  # the best of every disc are among them


def test_on_a_grid_the_cells_stay() -> None:
    found = match_cells(discs(), StarConvex(grid=2).decode(StarConvex().encode(discs())), 0.8)
    assert (found.fp, found.fn) == (0, 0)


@pytest.mark.parametrize("grid", [1, 2, 3])
def test_targets_are_the_encoded_maps_on_the_grid(grid: int) -> None:
    star, labels = StarConvex(rays=8, grid=grid), discs()
    encoded = star.encode(labels)
    for name, target in star.targets(labels).items():
        np.testing.assert_array_equal(target, encoded[name][:, ::grid, ::grid])


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("quarter_turns", range(4))
@pytest.mark.parametrize("rays", [4, 32])
def test_turned_maps_are_turned_back(rays: int, quarter_turns: int, flipped: bool) -> None:
    representation = StarConvex(rays=rays)
    labels = touching()
    turned = np.rot90(labels[:, ::-1] if flipped else labels, quarter_turns)
    back = representation.turn_back(representation.encode(turned), quarter_turns, flipped)
    for name, map_ in representation.encode(labels).items():
        close = np.isclose(back[name], map_, atol=1e-3)
        # Where a ray runs along pixels' corners, either way is right.
        assert close.mean() > 0.999, name


@pytest.mark.parametrize("options", [{"rays": 30}, {"rays": 0}, {"grid": 0}])
def test_impossible_options_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=r"=\d+: give"):
        StarConvex(**options)


def test_without_cells_only_the_probability_counts() -> None:
    targets = {
        name: torch.from_numpy(each[None])
        for name, each in StarConvex().encode(np.zeros((16, 16), int)).items()
    }
    outputs = {
        name: torch.full(each.shape, 3.0, requires_grad=True) for name, each in targets.items()
    }
    loss = StarConvex(probability_weight=1).loss(outputs, targets)
    loss.backward()
    assert loss.item() == pytest.approx(np.log1p(np.exp(3)))
    distances = outputs["distances"].grad
    assert distances is not None
    assert not distances.any()


def test_the_loss_is_that_of_the_formulas() -> None:
    labels = np.stack([discs(), touching()])
    encoded = [StarConvex(rays=8).encode(each) for each in labels]
    weights, truth = (np.stack([each[name] for each in encoded]) for name in encoded[0])
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, weights.shape)
    distances = truth + rng.normal(0, 2, truth.shape)
    excess = np.log1p(np.exp(-logits)) + (1 - weights) * logits - entr(weights) - entr(1 - weights)
    error = (weights * abs(distances - truth)).sum() / (8 * weights.sum())
    mine, theirs = weights * distances, weights * truth
    shared, squares = ((a * b).sum(axis=(2, 3)) for a, b in ((mine, theirs), (mine, mine)))
    jaccard = 1 - shared / (squares + (theirs**2).sum(axis=(2, 3)) - shared)
    outputs = {"probability": torch.from_numpy(logits), "distances": torch.from_numpy(distances)}
    targets = {"probability": torch.from_numpy(weights), "distances": torch.from_numpy(truth)}
    for weight in (1, 20):
        value = StarConvex(rays=8, probability_weight=weight).loss(outputs, targets).item()
        expected = weight * excess.mean() + 0.5 * error + jaccard.mean()
        assert value == pytest.approx(expected, rel=1e-3)


@pytest.mark.skipif(
    not OPEN_CELLS.is_dir(), reason="needs the open-cells labels beside the project"
)
def test_real_cells_come_back() -> None:
    counts = {0.5: np.zeros(3), 0.8: np.zeros(3)}
    for path in sorted(OPEN_CELLS.glob("*/labels/*.tiff"))[::20]:
        labels = read_labels(path)
        decoded = StarConvex().decode(StarConvex().encode(labels))
        for threshold, count in counts.items():
            found = match_cells(labels, decoded, threshold)
            count += found.tp, found.fp, found.fn
    f1 = {threshold: 2 * c[0] / (2 * c[0] + c[1] + c[2]) for threshold, c in counts.items()}
    assert f1[0.5] >= 0.99
    assert f1[0.8] >= 0.97
