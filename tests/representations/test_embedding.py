"""Embeddings: centres of cells, encoded and decoded maps, and a slow decoder that follows the paper."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_maps import blocky_maps, discs, touching
from real_images import REAL

from cellbench.errors import UsageError
from cellbench.evaluation import match_cells
from cellbench.labels import LabelMap, read_labels, relabel
from cellbench.representations import Embedding

Maps = dict[str, npt.NDArray[np.float32]]


def same_cells(first: LabelMap, second: LabelMap) -> bool:
    """Whether two label maps show the same cells, under any ids."""
    pairs = np.unique(np.stack([first.ravel(), second.ravel()]).astype(np.int64), axis=1)
    ids = [len(np.unique(each)) for each in pairs]
    return ids == [pairs.shape[1]] * 2 and np.array_equal(first > 0, second > 0)


def noise_maps() -> st.SearchStrategy[LabelMap]:
    """Maps in which each pixel has an id of its own choice, so that nearly all cells are in pieces."""
    return st.integers(0, 2**32 - 1).map(
        lambda seed: np.random.default_rng(seed).integers(0, 9, (12, 15))
    )


def noisy_maps(labels: LabelMap, noise: float, seed: int = 0) -> Maps:
    """Maps with errors in all values, as networks predict them."""
    rng = np.random.default_rng(seed)
    maps = {name: each.copy() for name, each in Embedding().encode(labels).items()}
    errors = noise * rng.normal(0, 1, maps["offset"].shape)
    maps["offset"] += errors.astype(np.float32)
    maps["sigma"] = (
        np.maximum(maps["sigma"], 1) * rng.uniform(0.9, 1.1, maps["sigma"].shape)
    ).astype(np.float32)
    hit = np.exp(-(errors**2).sum(axis=0) / (2 * maps["sigma"][0] ** 2))
    maps["seed"] = (maps["seed"] * hit + rng.uniform(0, 0.1, hit.shape)).astype(np.float32)
    return maps


def slow_cells(maps: Maps, options: Embedding) -> tuple[LabelMap, list[float]]:
    """Decode as the paper describes, with the documented differences, without any short cut."""
    seed = maps["seed"][0].astype(np.float64)
    positions = np.stack(np.mgrid[: seed.shape[0], : seed.shape[1]])
    embeddings = (positions + maps["offset"]).astype(np.float64)
    foreground = seed >= options.foreground_threshold
    left = foreground & (seed >= options.seed_threshold)
    unclustered = foreground.copy()
    labels, scores = np.zeros(seed.shape, np.int32), []
    while left.any():
        best = np.unravel_index(np.where(left, seed, -1).argmax(), seed.shape)
        widths = np.broadcast_to(maps["sigma"][:, best[0], best[1]], 2).astype(np.float64)
        gaps = (embeddings - embeddings[:, best[0], best[1], None, None]) / widths[:, None, None]
        membership = np.exp(-(gaps**2).sum(axis=0) / 2)
        proposal = foreground & (membership > options.membership_threshold)
        fresh = (proposal & unclustered).sum()
        free = proposal & (labels == 0)
        if free.sum() >= options.smallest_cell and fresh > 0.5 * proposal.sum():
            scores.append(float(seed[best]))
            labels[free] = len(scores)
        unclustered &= ~proposal
        left &= ~proposal
        left[best] = False
    return labels, scores


@settings(max_examples=50)
@given(labels=st.one_of(blocky_maps(scale=1), blocky_maps(scale=4), noise_maps()))
def test_every_label_map_is_given_back_exactly(labels: LabelMap) -> None:
    for sigmas in (1, 2):
        embedding = Embedding(sigmas=sigmas, smallest_cell=1)
        assert same_cells(embedding.decode(embedding.encode(labels)), labels)


def test_a_ring_around_a_disc_and_a_cell_in_pieces_are_given_back() -> None:
    rows, columns = np.mgrid[:41, :41] - 20
    radius = np.hypot(rows, columns)
    labels = np.where(radius < 6, 4_000_000_000, np.where((radius > 8) & (radius < 14), 7, 0))
    labels[:3, :4] = labels[-4:, -3:] = 12
    assert same_cells(Embedding().decode(Embedding().encode(labels)), labels)


def test_real_cells_are_given_back() -> None:
    files = sorted(REAL.glob("tune/labels/*"))[::5]
    if not files:
        pytest.skip(f"no real label maps in {REAL}")
    embedding = Embedding(smallest_cell=1)
    for file in files:
        labels = read_labels(file)[:500, :500]
        assert same_cells(embedding.decode(embedding.encode(labels)), labels), file.name


@pytest.mark.parametrize(
    ("cell", "centre"),
    [
        (np.ones((1, 1)), (0, 0)),
        (np.ones((2, 2)), (0.5, 0.5)),
        (np.ones((3, 4)), (1, 1.5)),
        ([[1, 0], [0, 1]], (0, 0)),
        ([[1, 1], [0, 1]], (0, 1)),
        ([[1, 1, 1], [1, 0, 1], [1, 1, 1]], (0, 1)),
        ([[1, 1, 1, 1, 0, 0, 0, 0, 1]], (0, 3)),
    ],
)
def test_the_centre_is_the_pixel_nearest_to_the_centre_of_mass(
    cell: npt.ArrayLike, centre: tuple[float, float]
) -> None:
    labels = np.pad(np.asarray(cell, int) * 5, ((2, 1), (3, 0)))
    offset = Embedding().encode(labels)["offset"]
    ends = (offset + np.stack(np.mgrid[: labels.shape[0], : labels.shape[1]]))[:, labels > 0]
    np.testing.assert_array_equal(np.unique(ends, axis=1), np.array(centre)[:, None] + [[2], [3]])
    assert not offset[:, labels == 0].any()


def test_the_centre_of_a_huge_cell_is_found() -> None:
    offset = Embedding().encode(np.ones((3001, 4000), np.uint8))["offset"]
    assert offset[:, 0, 0].tolist() == [1500, 1999.5]


def test_encoded_sigmas_reach_half_the_radius_but_not_the_next_centre() -> None:
    labels = np.zeros((60, 60), int)
    labels[10:20, 10:20], labels[10:20, 40:50], labels[40, 10:30], labels[41, 10:30] = 1, 2, 3, 4
    sigma = Embedding().encode(labels)["sigma"]
    half = math.sqrt(2 * math.log(2))
    assert sigma[:, 15, 15] * half == pytest.approx(0.5 * 10 / math.sqrt(math.pi), rel=1e-5)
    assert sigma[:, 40, 15] * half == pytest.approx(0.4, rel=1e-5)
    assert not sigma[:, labels == 0].any()


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("quarter_turns", [0, 1, 2, 3])
@pytest.mark.parametrize("labels", [touching((70, 96)), discs()])
def test_maps_of_a_turned_map_are_turned_back(
    labels: LabelMap, quarter_turns: int, flipped: bool
) -> None:
    turned = np.rot90(labels[:, ::-1] if flipped else labels, quarter_turns)
    maps = Embedding().turn_back(Embedding().encode(turned), quarter_turns, flipped)
    for name, each in Embedding().encode(labels).items():
        np.testing.assert_allclose(maps[name], each, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("quarter_turns", [0, 1, 2, 3])
def test_two_sigmas_change_places_where_the_axes_do(quarter_turns: int) -> None:
    maps = Embedding().encode(discs())
    maps["sigma"] *= np.array([[[2.0]], [[5.0]]], np.float32)
    back = Embedding().turn_back(maps, quarter_turns, flipped=True)["sigma"]
    ratio = back[1][back[1] > 0] / back[0][back[1] > 0]
    np.testing.assert_allclose(ratio, 2.5 if quarter_turns % 2 == 0 else 0.4, rtol=1e-6)


@pytest.mark.parametrize("noise", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("sigmas", [1, 2])
def test_cells_are_those_of_a_slow_decoder(noise: float, sigmas: int) -> None:
    maps = noisy_maps(touching((90, 80), cells=12), noise)
    maps["sigma"] = maps["sigma"][:sigmas]
    options = Embedding(sigmas=sigmas, seed_threshold=0.55, membership_threshold=0.4)
    expected, scores = slow_cells(maps, options)
    labels, measures = options.decode_cells(maps)
    np.testing.assert_array_equal(labels, expected)
    np.testing.assert_allclose(measures["score"], scores, rtol=1e-6)
    assert (np.diff(measures["score"]) <= 0).all()


def test_noise_does_not_change_the_cells() -> None:
    labels = touching((200, 200), cells=20)
    found = match_cells(labels, Embedding().decode(noisy_maps(labels, 1.0)), threshold=0.8)
    assert (found.fp, found.fn) == (0, 0)


def two_proposals(second_sigma: float) -> Maps:
    """A line of pixels at their own places: the best seed takes 0 … 10, the second is at 16."""
    seed, sigma = np.full((1, 1, 40), 0.6, np.float32), np.ones((2, 1, 40), np.float32)
    seed[0, 0, 5], seed[0, 0, 16] = 0.9, 0.8
    sigma[:, 0, 5], sigma[:, 0, 16] = 4.6, second_sigma
    return {"offset": np.zeros((2, 1, 40), np.float32), "sigma": sigma, "seed": seed}


def test_the_better_seed_keeps_its_pixels_where_cells_overlap() -> None:
    maps = two_proposals(second_sigma=8)
    labels = Embedding().decode(maps)
    assert labels[0].tolist() == [1] * 11 + [2] * 15 + [0] * 14
    larger = Embedding(smallest_cell=12).decode(maps)
    assert larger[0].tolist() == [0] * 7 + [1] * 19 + [0] * 14


def test_a_proposal_that_is_mostly_taken_is_no_cell() -> None:
    maps = two_proposals(second_sigma=8)
    maps["offset"][1, 0, 20:26] = 100
    labels = Embedding(smallest_cell=1).decode(maps)
    assert labels[0, 11:20].tolist() == [2] * 9
    maps["offset"][1, 0, 13:26] = 100
    maps["offset"][1, 0, 16] = 0
    assert Embedding(smallest_cell=1).decode(maps).max() == 1


def test_what_is_no_number_is_no_cell() -> None:
    labels = discs()
    for name in ("offset", "sigma", "seed"):
        for value in (np.nan, np.inf, -np.inf):
            maps = {key: each.copy() for key, each in Embedding().encode(labels).items()}
            maps[name][0, :50] = value
            expected = np.where(np.arange(len(labels))[:, None] < 50, 0, labels)
            assert same_cells(Embedding(smallest_cell=1).decode(maps), relabel(expected))


def test_enormous_values_do_no_harm() -> None:
    maps = Embedding().encode(discs())
    huge = {"offset": maps["offset"] * 1e36, "sigma": maps["sigma"] * 1e30, "seed": maps["seed"]}
    assert Embedding().decode(huge).shape == discs().shape


def test_no_other_number_of_sigmas() -> None:
    with pytest.raises(UsageError, match=r"sigmas=3: must be 1"):
        Embedding(sigmas=3)
