"""Inner distances against SciPy and scikit-image, and maps that a network might predict."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_maps import blocky_maps, discs, touching
from real_images import REAL
from scipy import ndimage
from skimage.segmentation import find_boundaries

from cellbench.data.folder import read_dataset
from cellbench.evaluation import match_cells
from cellbench.labels import LabelMap, read_labels
from cellbench.representations import InnerDistance
from cellbench.representations.inner_distance_kernels import BACKGROUND, BORDER, INTERIOR


def expected_inner(labels: LabelMap, alpha: float, relative: bool) -> npt.NDArray[np.float64]:
    """The formula of the paper, cell by cell."""
    inner = np.zeros(labels.shape)
    for cell in np.unique(labels[labels > 0]):
        inside = labels == cell
        centre = ndimage.center_of_mass(inside)
        distance = np.hypot(*(np.argwhere(inside) - centre).T)
        scale = 1 / np.sqrt(inside.sum()) if relative else 1
        inner[inside] = 1 / (1 + alpha * scale * distance)
    return inner


@pytest.mark.parametrize("labels", [discs(), touching(), touching(cells=90, seed=1)])
@pytest.mark.parametrize(("alpha", "relative"), [(0.1, False), (1, True), (2, True)])
def test_inner_distances_are_those_of_the_formula(
    labels: LabelMap, alpha: float, relative: bool
) -> None:
    inner = InnerDistance(alpha=alpha, relative=relative).encode(labels)["inner"]
    np.testing.assert_allclose(inner[0], expected_inner(labels, alpha, relative), rtol=1e-5)


@pytest.mark.parametrize("labels", [discs(), touching(), touching(cells=300, seed=1)])
def test_classes_are_those_of_scikit_image(labels: LabelMap) -> None:
    classes = InnerDistance().encode(labels)["pixelwise"]
    border = find_boundaries(labels, connectivity=1, mode="inner")
    np.testing.assert_array_equal(classes[BORDER], border)
    np.testing.assert_array_equal(classes[BACKGROUND], labels == 0)
    np.testing.assert_array_equal(classes[INTERIOR], (labels > 0) & ~border)


def test_cells_in_pieces_cut_by_the_border_and_of_one_pixel() -> None:
    labels = np.zeros((20, 30), np.int64)
    labels[:4, :6] = 4 * 10**9  # the border of the image cuts it
    labels[10:13, 10:13] = labels[10:13, 20:23] = 7
    labels[18, 3] = 2
    maps = InnerDistance(alpha=1, relative=False).encode(labels)
    assert maps["inner"][0, 18, 3] == 1
    assert maps["pixelwise"][BORDER, 18, 3] == 1
    assert maps["pixelwise"][INTERIOR, 0, 0] == 1  # there is no other cell beside it
    assert maps["inner"][0, 1, 2] == pytest.approx(1 / (1 + np.hypot(0.5, 0.5)))
    # The centre of both pieces together is in the middle between them.
    assert maps["inner"][0, 11, 12] == pytest.approx(1 / (1 + 4))
    assert maps["inner"][0, 11, 20] == pytest.approx(1 / (1 + 4))


def test_ids_may_be_large() -> None:
    labels = touching()
    large = InnerDistance().encode(labels.astype(np.int64) * 10**8)
    np.testing.assert_array_equal(large["inner"], InnerDistance().encode(labels)["inner"])


@pytest.mark.parametrize("quarter_turns", range(4))
@pytest.mark.parametrize("flipped", [False, True])
def test_maps_of_a_turned_map_are_turned_back(quarter_turns: int, flipped: bool) -> None:
    inner, labels = InnerDistance(), touching()
    turned = np.rot90(labels[:, ::-1] if flipped else labels, quarter_turns)
    back = inner.turn_back(inner.encode(turned), quarter_turns, flipped)
    for name, expected in inner.encode(labels).items():
        np.testing.assert_array_equal(back[name], expected)


def noisy_maps(labels: LabelMap, noise: float, seed: int = 0) -> dict[str, npt.NDArray[np.float32]]:
    """Blurred maps with errors that neighbours share, as networks predict them."""
    rng = np.random.default_rng(seed)
    maps = InnerDistance().encode(labels)
    errors = ndimage.gaussian_filter(rng.normal(size=maps["inner"].shape), (0, 1, 1))
    inner = ndimage.gaussian_filter(maps["inner"], (0, 0.7, 0.7)) + noise * errors / errors.std()
    classes = 0.8 * ndimage.gaussian_filter(maps["pixelwise"].astype(np.float32), (0, 0.7, 0.7))
    classes += 0.2 / 3 + noise * rng.normal(size=classes.shape)
    return {"inner": inner.astype(np.float32), "pixelwise": classes.astype(np.float32)}


@pytest.mark.parametrize(("noise", "threshold"), [(0, 0.075), (0.02, 0.075), (0.04, 0.1)])
def test_noisy_maps_give_the_cells(noise: float, threshold: float) -> None:
    labels = touching((200, 220), cells=40)
    inner = InnerDistance(maxima_threshold=threshold)
    decoded = inner.decode(noisy_maps(labels, noise))
    found = match_cells(labels, decoded, threshold=0.8)
    assert (found.fp, found.fn) == (0, 0)


@settings(max_examples=20)
@given(labels=blocky_maps(scale=7), seed=st.integers(0, 99))
def test_any_maps_give_cells(labels: LabelMap, seed: int) -> None:
    rng = np.random.default_rng(seed)
    maps = {
        "inner": rng.normal(0, 2, (1, *labels.shape)),
        "pixelwise": rng.random((3, *labels.shape)) + (labels > 0),
    }
    decoded = InnerDistance(smallest_cell=1).decode(maps)
    assert decoded.shape == labels.shape
    assert decoded.dtype == np.int32
    np.testing.assert_array_equal(np.unique(decoded[decoded > 0]), np.arange(decoded.max()) + 1)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_no_cell(value: float) -> None:
    labels = touching((120, 120), cells=20)
    inner = InnerDistance()
    maps = {name: each.astype(np.float32) for name, each in inner.encode(labels).items()}
    assert not inner.decode({name: np.full_like(each, value) for name, each in maps.items()}).any()
    lost = labels == labels.max()
    for each in maps.values():
        each[:, lost] = value
    decoded = inner.decode(maps)
    found = match_cells(np.where(lost, 0, labels), decoded, threshold=0.8)
    assert (found.fp, found.fn) == (0, 0)


def square(side: int, at: int = 10) -> LabelMap:
    labels = np.zeros((40, 60), np.int32)
    labels[at : at + side, at : at + side] = 1
    return labels


def test_a_part_without_a_maximum_is_dropped() -> None:
    inner = InnerDistance(maxima_threshold=0.075, maxima_smoothing=0)
    maps = inner.encode(square(9))
    maps["inner"] *= 0.074
    assert not inner.decode(maps).any()
    maps["inner"] *= 1.05
    assert inner.decode(maps).max() == 1


@pytest.mark.parametrize(("smallest", "cells"), [(64, 1), (65, 0)])
def test_cells_below_the_smallest_size_are_dropped(smallest: int, cells: int) -> None:
    maps = {"inner": square(8)[None], "pixelwise": np.stack([square(8)] * 3)}
    assert InnerDistance(interior_smoothing=0, smallest_cell=smallest).decode(maps).max() == cells


@pytest.mark.parametrize(("largest", "filled"), [(9, False), (10, True)])
def test_small_holes_are_filled(largest: int, filled: bool) -> None:
    labels = square(15)
    labels[16:19, 16:19] = 0
    maps = {"inner": labels[None], "pixelwise": np.stack([labels] * 3)}
    decoded = InnerDistance(interior_smoothing=0, largest_hole=largest).decode(maps)
    assert bool(decoded[17, 17]) == filled
    assert decoded[15, 15] == 1


def test_smoothing_restores_the_border_of_a_cell() -> None:
    labels = square(16)
    for smoothing, reach in ((0, -1), (1, 0), (2, 1)):
        decoded = InnerDistance(interior_smoothing=smoothing).decode(InnerDistance().encode(labels))
        side = 16 + 2 * reach
        assert decoded.any(axis=0).sum() == decoded.any(axis=1).sum() == side


def test_wide_smoothing_loses_small_cells() -> None:
    maps = InnerDistance().encode(square(5))
    assert InnerDistance(interior_smoothing=1).decode(maps).max() == 1
    assert not InnerDistance(interior_smoothing=2).decode(maps).any()


def test_a_shallow_valley_does_not_split_a_cell() -> None:
    labels = square(21)
    maps = InnerDistance().encode(labels)
    rows, columns = np.mgrid[:40, :60]
    inner = np.maximum(*(np.exp(-np.hypot(rows - 20, columns - at) / 10) for at in (16, 24)))
    valley = 1 - np.exp(-4 / 10)
    maps["inner"] = (inner * labels)[None].astype(np.float32)
    for threshold, cells in ((valley - 0.01, 2), (valley + 0.01, 1)):
        decoded = InnerDistance(maxima_threshold=threshold, maxima_smoothing=0).decode(maps)
        assert decoded.max() == cells


def test_fitted_options_change_the_cells() -> None:
    inner, maps = InnerDistance(), noisy_maps(touching((200, 220), cells=40), 0.05)
    assert inner.decoding().keys() == InnerDistance.TUNED.keys()
    before = inner.decode(maps).max()
    inner.set_decoding({"maxima_threshold": 0.4})
    assert inner.decode(maps).max() < before


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real label maps in {REAL}")
def test_real_cells_of_every_source_are_given_back() -> None:
    counts: dict[str, npt.NDArray[np.int64]] = {}
    for number, item in enumerate(read_dataset(REAL, ["train", "tune", "test"])):
        if item.labels is None or number % 8:
            continue
        labels = read_labels(item.labels)
        found = match_cells(labels, InnerDistance().decode(InnerDistance().encode(labels)))
        counts.setdefault(item.source, np.zeros(2, int))
        counts[item.source] += found.tp, found.true_cells
    assert len(counts) == 6
    for source, (given_back, true_cells) in counts.items():
        print(f"\n{source}: {given_back} of {true_cells} cells")
        # What is missing are cells of fewer than 15 pixels or without an interior.
        assert given_back >= 0.97 * true_cells
