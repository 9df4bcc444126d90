"""Omnipose's maps: what they are, and what they decode to."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_maps import blocky_maps, cut_by_the_frame, discs, ring, tiles, touching
from real_images import REAL
from scipy import ndimage

from cellbench.evaluation import match_cells
from cellbench.labels import LabelMap, read_labels
from cellbench.representations import Omni

LENGTH = 5


SHAPES = {
    "discs": discs(),
    "huge ids": discs().astype(np.int64) * 10**15,
    "touching": touching(),
    "cut by the border": cut_by_the_frame(10),
    "squares": tiles(20, 20),
    "rods": tiles(6, 50),
    "tiny tiles": tiles(4, 4, 30, 30),
    "letter C": ring(80, 90, opening=10),
    "ring": ring(80, 90),
    "thick ring": ring(40, 90),
    "longer than 400 pixels": np.ones((17, 3000), int),
    "all one cell": np.ones((64, 64), int),
    "one row": np.ones((1, 300), int),
}


@pytest.mark.parametrize("name", SHAPES)
def test_cells_of_all_shapes_are_given_back(name: str) -> None:
    labels = SHAPES[name]
    decoded = Omni().decode(Omni().encode(labels))
    assert decoded.dtype == np.int32
    found = match_cells(labels, decoded, threshold=0.8)
    assert (found.fp, found.fn) == (0, 0)


def test_cells_of_one_pixel_are_given_back_where_they_are_wanted() -> None:
    labels = np.zeros((40, 31), np.int32)
    labels[::3, ::3] = np.arange(1, 155).reshape(14, 11)
    maps = Omni().encode(labels)
    np.testing.assert_array_equal(Omni(smallest_cell=1).decode(maps), labels)
    assert not Omni().decode(maps).any()


def test_each_piece_of_a_cell_is_a_cell() -> None:
    labels = np.zeros((40, 40), np.int32)
    labels[5:15, 5:15] = labels[25:35, 25:35] = labels[0, 39] = 7
    decoded = Omni().decode(Omni().encode(labels))
    np.testing.assert_array_equal(np.unique(decoded[labels > 0]), [0, 1, 2])
    assert decoded[0, 39] == 0
    assert decoded[10, 10] != decoded[30, 30]


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real label maps in {REAL}")
def test_real_cells_are_given_back() -> None:
    counts = np.zeros(3)
    for path in sorted(REAL.glob("tune/labels/*"))[::3]:
        labels = read_labels(path)
        found = match_cells(labels, Omni().decode(Omni().encode(labels)), threshold=0.8)
        counts += found.tp, found.true_cells, found.predicted_cells
    agreement = 2 * counts[0] / counts[1:].sum()
    print(f"\n{agreement:.4f} of {counts[1]:.0f} cells")
    assert agreement >= 0.99


def test_maps_of_a_square() -> None:
    labels = np.zeros((9, 9), int)
    labels[2:7, 2:7] = 3
    maps = Omni().encode(labels)
    assert {name: each.dtype for name, each in maps.items()} == {
        "distance": np.float32,
        "flows": np.float32,
        "boundary": np.uint8,
    }
    assert (maps["distance"][0][labels == 0] == -1).all()
    assert maps["distance"][0, 4, 2:7] == pytest.approx([1, 2, 2.75, 2, 1], abs=0.15)
    outline = np.zeros((9, 9), int)
    outline[2:7, 2:7] = 1
    outline[3:6, 3:6] = 0
    np.testing.assert_array_equal(maps["boundary"][0], outline)
    assert not maps["flows"][:, labels == 0].any()
    np.testing.assert_array_equal(maps["flows"][:, 4, 2:7], [[0] * 5, [5, 5, 0, -5, -5]])


def test_flows_lead_away_from_the_outline_on_the_shortest_way() -> None:
    labels = ring(60, 90)
    rows, columns = np.mgrid[:240, :240] - 120
    radius = np.hypot(rows, columns)
    flows = Omni().encode(labels)["flows"]
    outwards = (flows[0] * rows + flows[1] * columns) / np.maximum(radius, 1) / LENGTH
    inner, outer = (radius > 60) & (radius < 73), (radius > 77) & (radius < 90)
    assert outwards[inner].mean() > 0.98
    assert outwards[outer].mean() < -0.98
    assert outwards[inner].min() > 0.85


def test_a_cell_does_not_depend_on_its_neighbours() -> None:
    labels = touching()
    maps = Omni().encode(labels)
    for cell in (3, 11, 20):
        alone = Omni().encode(np.where(labels == cell, 1, 0))
        inside = labels == cell
        for name in maps:
            np.testing.assert_array_equal(alone[name][:, inside], maps[name][:, inside])


def test_a_window_shows_the_same_maps_as_the_whole_rod() -> None:
    labels = np.zeros((40, 400), int)
    labels[12:23, 20:380] = 1
    whole, part = Omni().encode(labels), Omni().encode(labels[:, 150:250])
    for name, each in part.items():
        np.testing.assert_allclose(each, whole[name][:, :, 150:250], atol=0.05)


def test_cells_at_the_border_have_no_outline_there() -> None:
    labels = np.zeros((30, 30), int)
    labels[10:20, :15] = 1
    maps = Omni().encode(labels)
    assert maps["boundary"][0, 11:19, :14].sum() == 0
    assert maps["distance"][0, 14, 0] == pytest.approx(5, abs=0.2)


@pytest.mark.parametrize("quarter_turns", range(4))
@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("labels", [touching()[:, :90], tiles(6, 8), ring(10, 17, 4, side=50)])
def test_maps_of_a_turned_map_are_turned_back(
    quarter_turns: int, flipped: bool, labels: LabelMap
) -> None:
    turned = np.rot90(labels[:, ::-1] if flipped else labels, quarter_turns)
    back = Omni().turn_back(Omni().encode(turned), quarter_turns, flipped)
    for name, expected in Omni().encode(labels).items():
        np.testing.assert_array_equal(back[name], expected)


def predicted(labels: LabelMap, noise: float, seed: int = 0) -> dict[str, npt.NDArray[np.float32]]:
    """Maps with errors that neighbours share, and with shorter flows, as networks predict them."""
    rng = np.random.default_rng(seed)
    maps = Omni().encode(labels)
    errors = ndimage.gaussian_filter(rng.normal(0, 1, (4, *labels.shape)), (0, 1, 1))
    errors *= noise / errors.std()
    return {
        "distance": np.float32(0.9 * maps["distance"] + 0.2 * errors[:1]),
        "flows": np.float32(0.8 * maps["flows"] + errors[1:3]),
        "boundary": np.float32(0.1 + 0.8 * maps["boundary"] + 0.1 * errors[3:]).clip(0, 1),
    }


@pytest.mark.parametrize("noise", [0.25, 0.5, 1])
def test_noise_does_not_change_the_cells(noise: float) -> None:
    labels = touching(shape=(200, 200), cells=60, seed=3)
    labels[labels % 6 == 0] = 0
    found = match_cells(labels, Omni().decode(predicted(labels, noise)), threshold=0.8)
    assert (found.fp, found.fn) == (0, 0)


def test_a_gap_in_an_outline_does_not_join_two_cells() -> None:
    labels = np.zeros((50, 80), int)
    labels[5:45, 5:40], labels[5:45, 40:75] = 1, 2
    maps = Omni().encode(labels)
    maps["flows"][:, 20:28, 34:46] = 0
    maps["boundary"][:, 20:28, 34:46] = 0
    found = match_cells(labels, Omni().decode(maps), threshold=0.9)
    assert (found.tp, found.fp, found.fn) == (2, 0, 0)


def test_a_cell_with_wrong_flows_is_removed() -> None:
    labels = discs()
    maps = Omni().encode(labels)
    maps["flows"][:, labels == 1] *= -1
    assert Omni(flow_threshold=9).decode(maps)[labels == 1].any()
    kept = Omni().decode(maps)
    assert not kept[labels == 1].any()
    assert kept.max() == labels.max() - 1


@pytest.mark.parametrize(("pixels", "cells"), [(9, 0), (10, 1)])
def test_a_cell_of_exactly_the_smallest_size_stays(pixels: int, cells: int) -> None:
    labels = np.zeros((9, 20), int)
    labels[4, 2 : 2 + pixels] = 1
    assert Omni(smallest_cell=10).decode(Omni().encode(labels)).max() == cells


@settings(max_examples=20)
@given(labels=blocky_maps(scale=7), seed=st.integers(0, 99))
def test_any_maps_give_cells_in_the_foreground(labels: LabelMap, seed: int) -> None:
    rng = np.random.default_rng(seed)
    maps = {
        "distance": np.where(labels > 0, 1.0, -1.0)[None],
        "flows": rng.normal(0, 9, (2, *labels.shape)),
        "boundary": rng.random((1, *labels.shape)),
    }
    decoded = Omni(smallest_cell=1, largest_hole=0, flow_threshold=9).decode(maps)
    np.testing.assert_array_equal(decoded > 0, labels > 0)
    assert set(np.unique(decoded)) | {0} == set(range(decoded.max() + 1))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e38])
def test_what_is_no_number_never_stops_decoding(value: float) -> None:
    labels = touching()
    maps = {name: each.astype(np.float32) for name, each in Omni().encode(labels).items()}
    assert not Omni().decode(maps | {"distance": maps["distance"] * np.nan}).any()
    for name in ("flows", "boundary"):
        Omni().decode(maps | {name: np.full_like(maps[name], value)})
    lost = labels == labels.max()
    maps["distance"][0, lost] = np.nan
    maps["flows"][:, lost] = maps["boundary"][:, lost] = value
    decoded = Omni().decode(maps)
    assert not decoded[lost].any()
    found = match_cells(np.where(lost, 0, labels), decoded, threshold=0.8)
    assert (found.fp, found.fn) == (0, 0)


def test_decoding_leaves_the_maps_alone_and_is_repeatable() -> None:
    maps = predicted(touching(), 0.5)
    copies = {name: each.copy() for name, each in maps.items()}
    first = Omni().decode(maps)
    np.testing.assert_array_equal(Omni().decode(maps), first)
    for name, each in copies.items():
        np.testing.assert_array_equal(maps[name], each)


def test_fitted_options_change_the_cells() -> None:
    labels = touching()
    omni, maps = Omni(), predicted(labels, 0.25)
    assert omni.decoding().keys() == Omni.TUNED.keys()
    assert all(getattr(omni, name) in values for name, values in Omni.TUNED.items())
    assert omni.decode(maps).max() == labels.max()
    for option, value in [
        ("distance_threshold", 30),
        ("outline_threshold", 1),
        ("flow_threshold", 0.001),
        ("smallest_cell", 500),
    ]:
        strict = Omni()
        strict.set_decoding({option: value})
        assert strict.decode(maps).max() < labels.max()
