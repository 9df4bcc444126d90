"""Cell and neighbour distances: what the maps say, and what they decode to."""

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from label_maps import discs, touching
from real_images import REAL
from scipy import ndimage

from cellbench.evaluation import match_cells
from cellbench.labels import LabelMap, read_labels
from cellbench.representations import CellDistance


def bars(*widths: int, height: int = 24) -> LabelMap:
    """Upright bars side by side: a positive width is a cell, a negative one background."""
    ids = np.cumsum([width > 0 for width in widths]) * [width > 0 for width in widths]
    return np.repeat(np.repeat(ids, np.abs(widths))[None], height, axis=0)


def in_pieces() -> LabelMap:
    """Two discs, one with a small spot of the same id far from it."""
    labels = discs((40, 80), radius=12, spacing=40).astype(int)
    labels[:4, 36:40] = 1
    return labels


ROUND_TRIPS = {
    "huge ids": discs().astype(np.int64) * 10**15,
    "squares": np.kron(np.arange(1, 109).reshape(12, 9), np.ones((20, 20), int)),
    "rods": np.kron(np.arange(1, 109).reshape(12, 9), np.ones((6, 50), int)),
    "bars": bars(-3, 8, -2, 9, 7, -12, 12),
    "pieces": in_pieces(),
    "all one cell": np.ones((64, 64), int),
    "longer than 400 pixels": np.ones((17, 3000), int),
    "one row": np.ones((1, 300), int),
    "large": discs((300, 300), radius=120, spacing=300),
}


@pytest.mark.parametrize("name", ROUND_TRIPS)
def test_cells_of_all_shapes_are_given_back(name: str) -> None:
    labels = ROUND_TRIPS[name]
    decoded = CellDistance().decode(CellDistance().encode(labels))
    assert decoded.dtype == np.int32
    found = match_cells(labels, decoded, threshold=0.8)
    assert (found.fp, found.fn) == (0, 0)


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real label maps in {REAL}")
def test_real_cells_are_given_back() -> None:
    counts = np.zeros((2, 3))
    for path in sorted(REAL.glob("tune/labels/*"))[::3]:
        labels = read_labels(path)
        decoded = CellDistance().decode(CellDistance().encode(labels))
        for row, threshold in enumerate((0.5, 0.8)):
            found = match_cells(labels, decoded, threshold=threshold)
            counts[row] += found.tp, found.true_cells, found.predicted_cells
    given_back = counts[0, 0] / counts[0, 1]
    at_half, at_four_fifths = 2 * counts[:, 0] / counts[:, 1:].sum(axis=1)
    print(f"\n{given_back:.1%} of {counts[0, 1]:.0f} cells are given back at an IoU of 0.5")
    assert given_back >= 0.98
    assert at_half >= 0.99
    assert at_four_fifths >= 0.97


def test_cells_that_touch_have_a_border_of_one_pixel_each() -> None:
    maps = CellDistance().encode(bars(8, 8))
    # The border of the map is no outline, so that each cell is deepest there.
    np.testing.assert_allclose(maps["cell"][0, 5, :8], np.arange(8, 0, -1) / 8)
    neighbour = maps["neighbour"][0, 5]
    assert (neighbour[7:9] == 1).all()
    np.testing.assert_allclose(neighbour, neighbour[::-1])
    assert (np.diff(neighbour[:8]) >= 0).all()
    assert neighbour[0] == 0


def test_a_narrow_gap_between_cells_is_filled_and_a_wide_one_is_not() -> None:
    for width in range(1, 12):
        neighbour = CellDistance().encode(bars(9, -width, 9))["neighbour"][0, :, 9 : 9 + width]
        if width < 3:
            assert (neighbour == 1).all()
        elif width <= 6:
            assert (neighbour[:, 1:-1] == 1).all()
            np.testing.assert_allclose(neighbour[:, [0, -1]], 0.842, atol=1e-3)  # the rim, raised
        elif width >= 9:
            assert neighbour.max() < 0.2


def test_a_notch_in_a_single_cell_is_no_gap() -> None:
    labels = bars(12, -3, 12, -30, 12)
    assert CellDistance().encode(labels)["neighbour"][0, :, 12:15].min() > 0.8
    labels[:, 15:27] = labels[8:, 12:15] = 1  # the first two bars are arms of one cell
    assert not CellDistance().encode(labels)["neighbour"].any()


def test_a_cell_does_not_depend_on_cells_far_away() -> None:
    labels = discs((96, 112))
    maps = CellDistance().encode(labels)
    padded = np.pad(labels.astype(int), ((0, 0), (0, 80)))
    padded[10:90, 130:190] = 99
    for name, expected in maps.items():
        np.testing.assert_array_equal(CellDistance().encode(padded)[name][:, :, :112], expected)


@pytest.mark.parametrize("quarter_turns", range(4))
@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("labels", [touching()[:, :90], discs(), touching(cells=9)])
def test_maps_of_a_turned_map_are_turned_back(
    quarter_turns: int, flipped: bool, labels: LabelMap
) -> None:
    labels = np.where(labels % 4 == 0, 0, labels)
    turned = np.rot90(labels[:, ::-1] if flipped else labels, quarter_turns)
    back = CellDistance().turn_back(CellDistance().encode(turned), quarter_turns, flipped)
    for name, expected in CellDistance().encode(labels).items():
        np.testing.assert_array_equal(back[name], expected)


def predicted(labels: LabelMap, noise: float) -> dict[str, npt.NDArray[np.float32]]:
    """Lower maps with errors that neighbouring pixels share, as networks predict them."""
    rng = np.random.default_rng(0)
    maps = {}
    for name, each in CellDistance().encode(labels).items():
        errors = ndimage.gaussian_filter(rng.normal(0, 1, each.shape), (0, 1, 1))
        maps[name] = (0.9 * each + noise * errors / errors.std()).astype(np.float32)
    return maps


@pytest.mark.parametrize("noise", [0.02, 0.05])
def test_noise_does_not_change_the_cells(noise: float) -> None:
    labels = touching((260, 260), cells=50, seed=3)
    labels[labels % 6 == 0] = 0
    decoded = CellDistance(cell_threshold=0.15).decode(predicted(labels, noise))
    found = match_cells(labels, decoded, threshold=0.7)
    assert (found.fp, found.fn) == (0, 0)


def test_without_neighbour_distances_touching_cells_are_joined() -> None:
    labels = discs((48, 64), radius=14, spacing=64).astype(int)
    labels = np.where((labels > 0) & (np.arange(64) >= 32), 2, labels)  # two halves of a disc
    maps = CellDistance().encode(labels)
    assert CellDistance().decode(maps).max() == 2
    joined = ndimage.distance_transform_edt(labels > 0)[None] / 14
    decoded = CellDistance().decode({"cell": joined, "neighbour": 0 * maps["neighbour"]})
    assert decoded.max() == 1
    assert CellDistance().decode({"cell": joined, "neighbour": maps["neighbour"]}).max() == 2


def test_where_no_pixel_is_high_enough_the_threshold_of_seeds_is_lowered() -> None:
    inside = (discs() > 0).astype(np.float32)[None]
    faint = {"cell": 0.2 * inside, "neighbour": 0 * inside}
    assert CellDistance().decode(faint).max() == discs().max()
    beside = faint | {"cell": np.where(discs() == 1, 1, 0.2) * inside}
    assert CellDistance().decode(beside).max() == 1


@pytest.mark.parametrize(("joined", "cells"), [(False, 2), (True, 1)])
def test_a_small_seed_is_a_cell_only_where_it_is_alone(joined: bool, cells: int) -> None:
    cell = np.zeros((1, 60, 80), np.float32)
    cell[0, 10:50, 10:50] = 1
    cell[0, 20:23, 60:63] = 1
    if joined:
        cell[0, 15:25, 50:66] = np.maximum(cell[0, 15:25, 50:66], 0.2)
    decoded = CellDistance().decode({"cell": cell, "neighbour": np.zeros_like(cell)})
    assert decoded.max() == cells
    assert (decoded[cell[0] > 0] > 0).all()


def test_foreground_without_a_seed_is_no_cell() -> None:
    maps = CellDistance().encode(discs())
    assert not CellDistance().decode({**maps, "cell": 0 * maps["cell"] + 0.04}).any()
    maps["cell"][:, discs() == 3] *= 0.4
    decoded = CellDistance().decode(maps)
    assert not decoded[discs() == 3].any()
    assert decoded.max() == discs().max() - 1


@settings(max_examples=25)
@given(seed=st.integers(0, 9999), share=st.floats(0, 1))
def test_any_numbers_are_decoded(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    strange = rng.choice([np.nan, np.inf, -np.inf, 1e30, -1e30], (2, 1, 23, 31))
    values = np.where(
        rng.random(strange.shape) < share, strange, rng.normal(0.3, 0.5, strange.shape)
    )
    cell, neighbour = values.astype(np.float32)
    labels = CellDistance().decode({"cell": cell, "neighbour": neighbour})
    assert labels.shape == (23, 31)
    assert set(np.unique(labels)) | {0} == set(range(labels.max() + 1))


def test_the_loss_is_the_sum_of_both_smooth_l1_losses() -> None:
    targets = {"cell": torch.zeros(1, 1, 2, 2), "neighbour": torch.zeros(1, 1, 2, 2)}
    outputs = {"cell": targets["cell"] + 0.5, "neighbour": targets["neighbour"] + 3}
    assert CellDistance().loss(outputs, targets).item() == pytest.approx(0.5**2 / 2 + 3 - 0.5)
    half = {name: each.bfloat16() for name, each in outputs.items()}
    assert CellDistance().loss(half, targets).dtype == torch.float32


@pytest.mark.parametrize("threshold", [1e9, 1e30])
def test_a_seed_threshold_that_nothing_reaches_is_lowered(threshold: float) -> None:
    maps = CellDistance().encode(discs())
    decoded = CellDistance(seed_threshold=threshold).decode(maps)
    assert decoded.max() > 0
