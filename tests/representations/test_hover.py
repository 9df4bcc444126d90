"""HoVer against the original's steps, and on maps that a network might give."""

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from label_maps import blocky_maps, discs
from original_hover import MARGIN, original_cells, original_maps
from real_images import REAL
from scipy import ndimage

from cellbench.evaluation import match_cells
from cellbench.labels import LabelMap, read_labels
from cellbench.representations import HoVer
from cellbench.representations.hover_loss import dice_loss, gradient_loss


def touching(side: int = 160, cells: int = 40, seed: int = 0) -> LabelMap:
    """Crowded cells of uneven shapes: what is nearest to a centre, and near enough."""
    rng = np.random.default_rng(seed)
    grid = round(cells**0.5)
    spacing = side / grid
    centres = (np.mgrid[:grid, :grid].reshape(2, -1) + 0.5) * spacing
    centres += rng.uniform(-spacing / 5, spacing / 5, centres.shape)
    distances = np.hypot(*(np.mgrid[:side, :side][:, None] - centres[..., None, None]))
    nearest = distances.argmin(axis=0)
    within = distances.min(axis=0) < rng.uniform(0.35, 0.6, centres.shape[1])[nearest] * spacing
    return np.where(within, nearest + 1, 0).astype(np.int32)


def f1(truth: LabelMap, prediction: LabelMap, threshold: float) -> float:
    found = match_cells(truth, prediction, threshold=threshold)
    return 2 * found.tp / (found.true_cells + found.predicted_cells)


@pytest.mark.parametrize("labels", [discs(), touching(), touching(cells=90, seed=1)])
def test_the_distances_are_the_originals_off_the_border(labels: LabelMap) -> None:
    edges = (labels[:MARGIN], labels[:, :MARGIN])
    off_border = ~np.isin(labels, np.concatenate([edge.ravel() for edge in edges]))
    hv = HoVer().encode(labels)["hv"]
    assert off_border.any()
    np.testing.assert_array_equal(hv[:, off_border], original_maps(labels)[:, off_border])


def test_small_cells_have_no_distances_but_are_foreground() -> None:
    labels = np.zeros((20, 20), np.int32)
    labels[3:8, 3:9], labels[12:17, 12:18] = 1, 2
    labels[12, 12] = 0  # 29 px
    maps = HoVer().encode(labels)
    assert maps["foreground"].sum() == 59
    assert np.abs(maps["hv"][:, labels == 1]).max() == 1
    assert not maps["hv"][:, labels == 2].any()


def test_a_cell_on_the_border_counts_with_its_visible_part() -> None:
    labels = np.zeros((30, 30), np.int32)
    labels[:7, :9] = 3
    hv = HoVer(exact_centres=True).encode(labels)["hv"]
    np.testing.assert_allclose(hv[0, 2, :9], np.arange(-4, 5) / 4)
    np.testing.assert_allclose(hv[1, :7, 2], np.arange(-3, 4) / 3, rtol=1e-6)


def test_ids_may_be_large() -> None:
    labels = touching()
    large = labels.astype(np.int64) * 10**12
    np.testing.assert_array_equal(HoVer().encode(large)["hv"], HoVer().encode(labels)["hv"])


@pytest.mark.parametrize("quarter_turns", range(4))
@pytest.mark.parametrize("flipped", [False, True])
def test_maps_of_a_turned_map_are_turned_back(quarter_turns: int, flipped: bool) -> None:
    hover, labels = HoVer(exact_centres=True), touching()[:, :130]
    turned = np.rot90(labels[:, ::-1] if flipped else labels, quarter_turns)
    back = hover.turn_back(hover.encode(turned), quarter_turns, flipped)
    for name, expected in hover.encode(labels).items():
        np.testing.assert_array_equal(back[name], expected)


@pytest.mark.parametrize("noise", [0, 0.1, 0.2])
def test_decoding_gives_the_originals_cells(noise: float) -> None:
    labels = touching(side=256, cells=70, seed=2)
    rng = np.random.default_rng(0)
    hv = HoVer().encode(labels)["hv"]
    hv += rng.normal(0, noise, hv.shape).astype(np.float32)
    foreground = (labels > 0) * 0.8 + 0.1 + rng.normal(0, noise / 2, labels.shape)
    ours = HoVer().decode({"foreground": foreground[None], "hv": hv})
    assert f1(original_cells(foreground, hv).astype(np.int32), ours, 0.95) == 1
    assert f1(labels, ours, 0.9) == 1


def test_one_cell_does_not_move_the_edges_of_another() -> None:
    labels = touching()
    maps = HoVer().encode(np.pad(labels, ((0, 0), (0, 40))))
    alone = HoVer().decode(maps)
    maps["hv"][:, 150:, 190:] = [[[-1]], [[1]]]  # nonsense far away
    maps["hv"][:, 155:, 195:] = [[[1]], [[-1]]]
    np.testing.assert_array_equal(HoVer().decode(maps), alone)


@settings(max_examples=20)
@given(labels=blocky_maps(scale=7), seed=st.integers(0, 99))
def test_any_maps_give_cells_in_the_foreground(labels: LabelMap, seed: int) -> None:
    hv = np.random.default_rng(seed).normal(0, 2, (2, *labels.shape))
    foreground = (labels > 0)[None]
    decoded = HoVer(smallest_cell=1).decode({"foreground": foreground, "hv": hv})
    np.testing.assert_array_equal(decoded > 0, foreground[0])
    np.testing.assert_array_equal(np.unique(decoded[decoded > 0]), np.arange(decoded.max()) + 1)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (17, 5000), (3, 2), (64, 64)])
def test_all_foreground_is_one_cell(shape: tuple[int, int]) -> None:
    hover = HoVer(smallest_cell=1, smallest_target=1)
    decoded = hover.decode(hover.encode(np.ones(shape, np.int32)))
    np.testing.assert_array_equal(decoded, np.ones(shape))


def test_what_is_no_number_is_no_cell() -> None:
    labels = touching()
    maps = {name: each.astype(np.float32) for name, each in HoVer().encode(labels).items()}
    assert not HoVer().decode({name: each * np.nan for name, each in maps.items()}).any()
    assert not HoVer().decode(maps | {"foreground": maps["foreground"] * np.nan}).any()
    lost = ~np.isfinite(np.where(labels == labels.max(), np.nan, 0))
    maps["foreground"][0, lost] = np.nan
    maps["hv"][:, lost] = np.inf
    decoded = HoVer().decode(maps)
    assert not decoded[lost].any()
    assert f1(np.where(lost, 0, labels), decoded, 0.9) > 0.9


def test_the_same_maps_give_the_same_cells() -> None:
    maps = HoVer().encode(touching())
    first = HoVer().decode(maps)
    assert first.dtype == np.int32
    for _ in range(3):
        np.testing.assert_array_equal(HoVer().decode(maps), first)


@pytest.mark.parametrize(("pixels", "cells"), [(9, 0), (10, 1)])
def test_a_part_of_exactly_the_smallest_size_stays(pixels: int, cells: int) -> None:
    foreground = np.zeros((1, 9, 20))
    foreground[0, 4, 2 : 2 + pixels] = 1
    decoded = HoVer(smallest_cell=10).decode({"foreground": foreground, "hv": np.zeros((2, 9, 20))})
    assert decoded.max() == cells


def test_fitted_options_change_the_cells() -> None:
    hover, maps = HoVer(), HoVer().encode(touching())
    assert hover.decoding().keys() == HoVer.TUNED.keys()
    before = hover.decode(maps).max()
    hover.set_decoding({"gradient_size": 21.0, "edge_threshold": 0.9})
    assert hover.decode(maps).max() < before


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real label maps in {REAL}")
def test_real_cells_are_given_back() -> None:
    counts = np.zeros((2, 3))
    for path in sorted(REAL.glob("tune/labels/*"))[::4]:
        labels = read_labels(path)
        decoded = HoVer().decode(HoVer().encode(labels))
        for row, threshold in enumerate((0.5, 0.8)):
            found = match_cells(labels, decoded, threshold=threshold)
            counts[row] += found.tp, found.true_cells, found.predicted_cells
    at_half, at_four_fifths = 2 * counts[:, 0] / counts[:, 1:].sum(axis=1)
    assert at_half >= 0.99
    assert at_four_fifths >= 0.97


def maps_and_truth() -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Raw outputs with errors, and targets, for two patches."""
    generator = torch.Generator().manual_seed(0)
    encoded = [HoVer().encode(touching(side=64, cells=8, seed=seed)) for seed in (0, 1)]
    targets = {
        name: torch.stack([torch.from_numpy(maps[name]) for maps in encoded])
        for name in ("foreground", "hv")
    }
    outputs = {name: torch.randn(each.shape, generator=generator) for name, each in targets.items()}
    return outputs, targets


def gradient(values: npt.NDArray[np.float64], axis: int) -> npt.NDArray[np.float64]:
    """Correlate with distance / squared distance along an axis, pixel by pixel."""
    offsets = np.mgrid[-2:3, -2:3]
    kernel = offsets[axis] / np.maximum((offsets**2).sum(axis=0), 1)
    return ndimage.correlate(values, kernel, mode="constant")


def test_the_loss_is_that_of_the_paper() -> None:
    outputs, targets = maps_and_truth()
    probability = 1 / (1 + np.exp(-outputs["foreground"][:, 0].double().numpy()))
    truth = targets["foreground"][:, 0].numpy()
    cross_entropy = -np.log(np.where(truth == 1, probability, 1 - probability)).mean()
    dice = sum(
        1 - (2 * (p * t).sum() + 1e-3) / (p.sum() + t.sum() + 1e-3)
        for p, t in ((probability, truth), (1 - probability, 1 - truth))
    )
    error = (outputs["hv"].double() - targets["hv"]).numpy()
    slopes = [
        gradient(image[channel], axis) ** 2
        for image in error
        for channel, axis in ((0, 1), (1, 0))  # the horizontal map along columns
    ]
    inside = np.repeat(truth, 2, axis=0) == 1
    expected = cross_entropy + dice + (error**2).mean() + np.stack(slopes)[inside].mean()
    assert HoVer().loss(outputs, targets).item() == pytest.approx(expected, rel=1e-5)


def test_the_truth_itself_has_no_loss() -> None:
    _, targets = maps_and_truth()
    outputs = {"foreground": (targets["foreground"] * 2.0 - 1) * 50, "hv": targets["hv"]}
    assert HoVer().loss(outputs, targets).item() == pytest.approx(0, abs=1e-5)


def test_patches_without_cells_have_a_finite_loss() -> None:
    empty = {"foreground": torch.zeros(1, 1, 8, 8), "hv": torch.zeros(1, 2, 8, 8)}
    outputs = {name: each.clone().requires_grad_() for name, each in empty.items()}
    HoVer().loss(outputs, empty).backward()
    assert all(each.grad is not None and each.grad.isfinite().all() for each in outputs.values())
    assert dice_loss(torch.full((1, 1, 8, 8), -50.0), empty["foreground"]).item() == 0
    assert gradient_loss(torch.ones(1, 2, 8, 8), empty["foreground"]).item() == 0


def test_half_precision_gives_nearly_the_same_loss() -> None:
    outputs, targets = maps_and_truth()
    halved = {name: each.bfloat16() for name, each in outputs.items()}
    loss = HoVer().loss(halved, targets)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(HoVer().loss(outputs, targets).item(), rel=0.01)


def test_small_gradients_count_in_half_precision_too() -> None:
    error, foreground = torch.full((1, 2, 16, 16), 0.7), torch.zeros(1, 1, 16, 16)
    foreground[..., 4:-4, 4:-4] = 1
    error[..., 8] += 1e-4
    loss = gradient_loss(error, foreground)
    with torch.autocast("cpu", torch.bfloat16):
        assert gradient_loss(error, foreground).item() == loss.item() > 0


def test_activated_maps_have_the_range_of_encoded_ones() -> None:
    outputs, _ = maps_and_truth()
    maps = HoVer().activate({name: 9 * each.bfloat16() for name, each in outputs.items()})
    assert maps["foreground"].dtype == maps["hv"].dtype == torch.float32
    assert 0 <= maps["foreground"].min() < 0.01 < 0.99 < maps["foreground"].max() <= 1
    assert (maps["hv"].min(), maps["hv"].max()) == (-1, 1)
