"""Flows: where they point, and what they decode to."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_maps import blocky_maps, cut_by_the_frame, discs, in_pieces, ring, tiles, touching
from real_images import REAL

from cellbench.evaluation import match_cells
from cellbench.labels import LabelMap, read_labels
from cellbench.representations import Flow

LENGTH = 5


def ellipse(long: float, short: float, angle: float = 0.6, side: int = 240) -> LabelMap:
    rows, columns = np.mgrid[:side, :side] - side / 2
    along = columns * np.cos(angle) + rows * np.sin(angle)
    across = rows * np.cos(angle) - columns * np.sin(angle)
    return ((along / long) ** 2 + (across / short) ** 2 < 1).astype(np.int32)


ODD_MAPS = {
    "discs": discs(),
    "huge ids": discs().astype(np.int64) * 10**15,
    "touching": touching(),
    "at the frame": cut_by_the_frame(10),
    "squares": tiles(20, 20),
    "rods": tiles(6, 50),
    "tiny tiles": tiles(4, 4, 30, 30),
    "thin ellipse": ellipse(110, 4),
    "long ellipse": ellipse(110, 20),
    "letter C": ring(80, 90, opening=10),
    "ring": ring(80, 90),
    "thick ring": ring(40, 90),
    "pieces": in_pieces(),
    "longer than 400 pixels": np.ones((17, 3000), int),
    "all one cell": np.ones((64, 64), int),
    "one row": np.ones((1, 300), int),
}


@pytest.mark.parametrize("name", ODD_MAPS)
def test_cells_of_all_shapes_are_given_back(name: str) -> None:
    labels = ODD_MAPS[name]
    decoded = Flow().decode(Flow().encode(labels))
    assert decoded.dtype == np.int32
    for threshold in (0.5, 0.8):
        found = match_cells(labels, decoded, threshold=threshold)
        assert (found.fp, found.fn) == (0, 0)


def test_cells_of_one_pixel_are_given_back_where_they_are_wanted() -> None:
    labels = np.zeros((40, 31), np.int32)
    labels[::3, ::3] = np.arange(1, 155).reshape(14, 11)
    maps = Flow().encode(labels)
    assert not maps["flows"].any()
    np.testing.assert_array_equal(Flow(smallest_cell=1).decode(maps), labels)
    assert not Flow().decode(maps).any()


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real label maps in {REAL}")
def test_real_cells_are_given_back() -> None:
    counts = np.zeros((2, 3))
    for path in sorted(REAL.glob("tune/labels/*"))[::3]:
        labels = read_labels(path)
        decoded = Flow().decode(Flow().encode(labels))
        for row, threshold in enumerate((0.5, 0.8)):
            found = match_cells(labels, decoded, threshold=threshold)
            counts[row] += found.tp, found.true_cells, found.predicted_cells
    at_half, at_four_fifths = 2 * counts[:, 0] / counts[:, 1:].sum(axis=1)
    assert at_half >= 0.995
    assert at_four_fifths >= 0.995


def test_flows_have_a_fixed_length_in_cells_and_none_outside() -> None:
    labels = touching()
    labels[labels % 5 == 0] = 0
    maps = Flow().encode(labels)
    assert (maps["foreground"].dtype, maps["flows"].dtype) == (np.uint8, np.float32)
    np.testing.assert_array_equal(maps["foreground"][0], labels > 0)
    lengths = np.hypot(*maps["flows"])
    assert not lengths[labels == 0].any()
    inside = lengths[labels > 0]
    np.testing.assert_allclose(inside[inside > 0], LENGTH, rtol=1e-6)
    assert (inside == 0).sum() <= labels.max()  # at most the centres


def test_flows_of_a_disc_point_to_its_centre() -> None:
    rows, columns = np.mgrid[:41, :41] - 20
    distance = np.hypot(rows, columns)
    flows = Flow().encode((distance < 18).astype(int))["flows"]
    inside = (distance < 18) & (distance > 0)
    inwards = np.stack([-rows, -columns])[:, inside] / distance[inside]
    cosine = (flows[:, inside] * inwards).sum(axis=0) / LENGTH
    assert cosine.mean() > 0.995
    assert cosine.min() > 0.97
    assert not flows[:, 20, 20].any()


def test_flows_lead_round_the_bend() -> None:
    labels = ring(80, 90, opening=10)  # open to the right, so that the centre is on the left
    rows, columns = np.mgrid[:240, :240] - 120
    # In the middle of the width: heat is lost at the sides.
    in_the_middle = np.abs(np.hypot(rows, columns) - 85) < 1
    quadrant = (labels > 0) & (rows < 0) & (columns > 0) & in_the_middle
    down, right = Flow().encode(labels)["flows"][:, quadrant]
    counterclockwise = np.stack([-columns, rows])[:, quadrant] / np.hypot(rows, columns)[quadrant]
    cosine = (np.stack([down, right]) * counterclockwise).sum(axis=0) / LENGTH
    assert cosine.mean() > 0.97
    assert cosine.min() > 0.8


def test_a_cell_does_not_depend_on_its_neighbours() -> None:
    labels = touching()
    flows = Flow().encode(labels)["flows"]
    for cell in (3, 11, 20):
        alone = Flow().encode(np.where(labels == cell, 1, 0))["flows"]
        np.testing.assert_array_equal(alone, np.where(labels == cell, flows, 0))


def test_of_pieces_the_largest_has_flows_and_those_at_the_border() -> None:
    labels = np.zeros((60, 60), np.int32)
    labels[20:32, 20:32] = labels[40:48, 40:48] = labels[:9, :9] = 7
    labels[2:7, 50:] = 9
    flows = Flow().encode(labels)["flows"]
    assert np.hypot(*flows[:, 20:32, 20:32]).min() == pytest.approx(LENGTH)
    assert not flows[:, 40:48, 40:48].any()
    assert np.count_nonzero(flows[:, :9, :9].any(axis=0)) == 80  # all but the centre
    alone = Flow().encode(np.where(labels == 9, 9, 0))["flows"]
    np.testing.assert_array_equal(flows[:, :10, 45:], alone[:, :10, 45:])


@pytest.mark.parametrize("quarter_turns", range(4))
@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("labels", [touching()[:, :90], tiles(6, 8), ellipse(40, 12)])
def test_maps_of_a_turned_map_are_turned_back(
    quarter_turns: int, flipped: bool, labels: LabelMap
) -> None:
    turned = np.rot90(labels[:, ::-1] if flipped else labels, quarter_turns)
    back = Flow().turn_back(Flow().encode(turned), quarter_turns, flipped)
    for name, expected in Flow().encode(labels).items():
        # Near the centres the heat is nearly level: there, its 32 bits round the direction.
        np.testing.assert_allclose(back[name], expected, atol=LENGTH / 500)


def predicted(labels: LabelMap, noise: float, seed: int = 0) -> dict[str, npt.NDArray[np.float32]]:
    """Maps with errors, and with shorter flows, as networks predict them."""
    rng = np.random.default_rng(seed)
    maps = Flow().encode(labels)
    foreground = 0.1 + 0.8 * maps["foreground"] + rng.normal(0, 0.1, maps["foreground"].shape)
    flows = 0.8 * maps["flows"] + rng.normal(0, noise, maps["flows"].shape)
    return {"foreground": foreground.astype(np.float32), "flows": flows.astype(np.float32)}


@pytest.mark.parametrize("noise", [0.5, 1, 1.5])
def test_noise_does_not_change_the_cells(noise: float) -> None:
    labels = touching(shape=(200, 200), cells=60, seed=3)
    labels[labels % 6 == 0] = 0
    found = match_cells(labels, Flow().decode(predicted(labels, noise)), threshold=0.9)
    assert (found.fp, found.fn) == (0, 0)


def test_a_cell_with_wrong_flows_is_removed() -> None:
    labels = discs()
    maps = Flow().encode(labels)
    left = labels == 1
    middle = int(np.argwhere(left)[:, 1].mean())
    maps["flows"][:, left] = [[0], [0]]
    maps["flows"][1, left] = LENGTH * np.sign(middle - np.argwhere(left)[:, 1])
    tolerant = Flow(flow_threshold=3).decode(maps)
    assert tolerant[left].any()
    kept = Flow().decode(maps)
    assert not kept[left].any()
    assert kept.max() == labels.max() - 1


@pytest.mark.parametrize(("pixels", "cells"), [(9, 0), (10, 1)])
def test_a_cell_of_exactly_the_smallest_size_stays(pixels: int, cells: int) -> None:
    labels = np.zeros((9, 20), int)
    labels[4, 2 : 2 + pixels] = 1
    assert Flow(smallest_cell=10).decode(Flow().encode(labels)).max() == cells


def test_small_holes_in_one_cell_are_filled() -> None:
    labels = discs(radius=12, spacing=32)
    holes = np.zeros(labels.shape, bool)
    holes[14:18, 14:18] = True  # 16 px
    assert (labels[holes] == 1).all()
    maps = Flow().encode(np.where(holes, 0, labels))
    assert (Flow(largest_hole=17).decode(maps)[holes] > 0).all()
    assert not Flow(largest_hole=16).decode(maps)[holes].any()


def test_gaps_between_cells_and_at_the_frame_stay() -> None:
    labels = tiles(12, 12, 2, 2)
    labels[11:13, 11:13] = labels[5:8, :1] = 0
    np.testing.assert_array_equal(Flow().decode(Flow().encode(labels)) == 0, labels == 0)


@settings(max_examples=20)
@given(labels=blocky_maps(scale=7), seed=st.integers(0, 99))
def test_any_maps_give_cells_in_the_foreground(labels: LabelMap, seed: int) -> None:
    flows = np.random.default_rng(seed).normal(0, 9, (2, *labels.shape))
    flow = Flow(smallest_cell=1, largest_hole=0, flow_threshold=9)
    decoded = flow.decode({"foreground": (labels > 0)[None], "flows": flows})
    assert not decoded[labels == 0].any()
    assert set(np.unique(decoded)) | {0} == set(range(decoded.max() + 1))


def test_what_is_no_number_is_no_cell() -> None:
    labels = touching()
    maps = {name: each.astype(np.float32) for name, each in Flow().encode(labels).items()}
    assert not Flow().decode({name: each * np.nan for name, each in maps.items()}).any()
    assert not Flow().decode(maps | {"foreground": maps["foreground"] * np.nan}).any()
    lost = labels == labels.max()
    maps["foreground"][0, lost] = np.nan
    maps["flows"][:, lost] = np.inf
    decoded = Flow().decode(maps)
    assert not decoded[lost].any()
    found = match_cells(np.where(lost, 0, labels), decoded, threshold=0.9)
    assert (found.fp, found.fn) == (0, 0)


def test_foreground_without_flows_is_no_cell() -> None:
    maps = {"foreground": np.ones((1, 200, 200)), "flows": np.zeros((2, 200, 200))}
    assert not Flow().decode(maps).any()


def test_decoding_leaves_the_maps_alone_and_is_repeatable() -> None:
    maps = predicted(touching(), 1)
    copies = {name: each.copy() for name, each in maps.items()}
    first = Flow().decode(maps)
    np.testing.assert_array_equal(Flow().decode(maps), first)
    for name, each in copies.items():
        np.testing.assert_array_equal(maps[name], each)


def test_fitted_options_change_the_cells() -> None:
    labels = discs(radius=5)
    flow, maps = Flow(), predicted(labels, 0.5)
    assert flow.decoding().keys() == Flow.TUNED.keys()
    assert all(getattr(flow, name) in values for name, values in Flow.TUNED.items())
    assert flow.decode(maps).max() == labels.max()
    for option, value in [
        ("foreground_threshold", 0.99),
        ("flow_threshold", 0.01),
        ("smallest_seed", 200),
        ("smallest_cell", 200),
    ]:
        strict = Flow()
        strict.set_decoding({option: value, "smallest_cell": max(60, value)})
        assert strict.decode(maps).max() < labels.max()
