"""Star-convex cells as maps and back: stardist's maps, and what must hold for any."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from label_maps import blocky_maps, discs, touching
from scipy.special import entr
from stardist.geometry import star_dist
from stardist.utils import edt_prob

from cellbench.errors import UsageError
from cellbench.evaluation import match_cells
from cellbench.labels import LabelMap, read_labels
from cellbench.representations import StarConvex
from cellbench.representations.star_maps import object_probability, star_distances

OPEN_CELLS = Path(__file__).parents[3] / "shared" / "data" / "open-cells"


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


def test_a_cell_too_large_to_be_overseen_from_its_centre_comes_back_whole() -> None:
    labels = discs((64, 64), radius=25, spacing=64)
    assert labels.max() == 1
    maps = StarConvex().encode(labels)
    maps["distances"] = maps["distances"].clip(max=15)
    for ray_samples, whole in ((1, 0), (4, 1)):
        found = match_cells(labels, StarConvex(ray_samples=ray_samples).decode(maps))
        assert (found.tp, found.fp) == (whole, 1 - whole)


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
    with pytest.warns(UserWarning, match=r"only the best 40 .* increase"):
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
    with pytest.raises(UsageError, match=r"=\d+: must be"):
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
    predicted, true = weights * distances, weights * truth
    shared, squares = (
        (a * b).sum(axis=(2, 3)) for a, b in ((predicted, true), (predicted, predicted))
    )
    jaccard = 1 - shared / (squares + (true**2).sum(axis=(2, 3)) - shared)
    outputs = {"probability": torch.from_numpy(logits), "distances": torch.from_numpy(distances)}
    targets = {"probability": torch.from_numpy(weights), "distances": torch.from_numpy(truth)}
    for weight in (1, 20):
        value = StarConvex(rays=8, probability_weight=weight).loss(outputs, targets).item()
        expected = weight * excess.mean() + 0.5 * error + jaccard.mean()
        assert value == pytest.approx(expected, rel=1e-3)


@pytest.mark.slow
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


@pytest.mark.parametrize("options", [{"rays": 6}, {"rays": 0}, {"grid": 0}, {"ray_samples": 0}])
def test_senseless_options(options: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=next(iter(options))):
        StarConvex(**options)  # type: ignore[arg-type]


def test_the_score_is_the_probability_at_the_centre_of_the_cell() -> None:
    truth = discs()
    maps = StarConvex().encode(truth)
    factors = np.random.default_rng(0).permutation(np.linspace(0.6, 1, truth.max()))
    maps["probability"] *= np.append(factors, 0)[truth.astype(int) - 1].astype(np.float32)
    labels, measures = StarConvex().decode_cells(maps)
    assert labels.max() == truth.max()
    for cell, score in enumerate(measures["score"], start=1):
        own = np.bincount(truth[labels == cell]).argmax()
        assert score == maps["probability"][0][truth == own].max()
