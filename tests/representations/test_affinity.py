"""Affinities: what they hold, and what they decode to."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_maps import blocky_maps, cut_by_the_frame, discs, in_pieces, tiles, touching
from real_images import REAL
from scipy import ndimage

from cellbench.errors import UsageError
from cellbench.evaluation import match_cells
from cellbench.labels import LabelMap, read_labels
from cellbench.representations import Affinity


def letter(opening: int, side: int = 200) -> LabelMap:
    """A ring, or with an opening the letter C, around another cell."""
    rows, columns = np.mgrid[:side, :side] - side / 2
    distance = np.hypot(rows, columns)
    closed = (np.abs(rows) >= opening) | (columns < 0)
    ring = (distance > 60) & (distance < 70) & closed
    return np.where(ring, 2, (distance < 40).astype(np.int32))


ODD_MAPS = {
    "discs": discs(),
    "huge ids": discs().astype(np.int64) * 10**15,
    "touching": touching(),
    "at the frame": cut_by_the_frame(15),
    "squares": tiles(20, 20),
    "rods": tiles(6, 50),
    "tiny tiles": tiles(4, 4, 30, 30),
    "one pixel wide": tiles(1, 30),
    "letter C": letter(10),
    "ring": letter(0),
    "pieces": in_pieces(),
    "longer than 400 pixels": np.ones((17, 3000), int),
    "all one cell": np.ones((64, 64), int),
    "one row": np.ones((1, 300), int),
}


@pytest.mark.parametrize("name", ODD_MAPS)
def test_cells_of_all_shapes_are_given_back(name: str) -> None:
    labels = ODD_MAPS[name]
    decoded = Affinity().decode(Affinity().encode(labels))
    assert decoded.dtype == np.int32
    found = match_cells(labels, decoded, threshold=0.9 if name != "pieces" else 0.8)
    assert (found.fp, found.fn) == (0, 0)


def test_cells_of_one_pixel_are_given_back_where_they_are_wanted() -> None:
    labels = np.zeros((40, 31), np.int32)
    labels[::3, ::3] = np.arange(1, 155).reshape(14, 11)
    maps = Affinity().encode(labels)
    assert not maps["affinities"].any()
    np.testing.assert_array_equal(Affinity(smallest_cell=1).decode(maps), labels)
    assert not Affinity().decode(maps).any()


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real label maps in {REAL}")
def test_real_cells_are_given_back() -> None:
    counts = np.zeros(3)
    for path in sorted(REAL.glob("tune/labels/*"))[::3]:
        labels = read_labels(path)
        found = match_cells(labels, Affinity().decode(Affinity().encode(labels)), threshold=0.8)
        counts += found.tp, found.true_cells, found.predicted_cells
    print(f"\n{counts[0]:.0f} of {counts[1]:.0f} real cells, {counts[2]:.0f} found")
    assert 2 * counts[0] / counts[1:].sum() >= 0.995


def test_affinities_say_whether_both_ends_are_in_one_cell() -> None:
    labels = touching()
    labels[labels % 5 == 0] = 0
    maps = Affinity().encode(labels)
    assert (maps["foreground"].dtype, maps["affinities"].dtype) == (np.uint8, np.uint8)
    np.testing.assert_array_equal(maps["foreground"][0], labels > 0)
    for same, (down, right) in zip(maps["affinities"], Affinity().offsets(), strict=True):
        padded = np.pad(labels, 27)
        height, width = labels.shape
        ends = padded[27 + down : 27 + down + height, 27 + right : 27 + right + width]
        np.testing.assert_array_equal(same, (labels > 0) & (labels == ends))


def test_offsets_are_the_same_set_from_all_sides() -> None:
    for affinity in (Affinity(), Affinity(near=2, middle=7, far=40)):
        offsets = affinity.offsets()
        both_ways = {*map(tuple, offsets.tolist()), *map(tuple, (-offsets).tolist())}
        assert len(offsets) == affinity.channels["affinities"] == 12
        assert len(both_ways) == 24
        assert {(-right, down) for down, right in both_ways} == both_ways
        assert {(down, -right) for down, right in both_ways} == both_ways
    with pytest.raises(UsageError, match="near=3, middle=3, far=27"):
        Affinity(middle=3)
    with pytest.raises(UsageError, match="stride=0"):
        Affinity(stride=0)


@pytest.mark.parametrize("quarter_turns", range(-1, 4))
@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("labels", [touching()[:, :90], tiles(6, 8), tiles(3, 2, 2, 2)])
def test_maps_of_a_turned_map_are_turned_back(
    quarter_turns: int, flipped: bool, labels: LabelMap
) -> None:
    turned = np.rot90(labels[:, ::-1] if flipped else labels, quarter_turns)
    back = Affinity().turn_back(Affinity().encode(turned), quarter_turns, flipped)
    for name, expected in Affinity().encode(labels).items():
        np.testing.assert_array_equal(back[name], expected)


def predicted(labels: LabelMap, noise: float, seed: int = 0) -> dict[str, npt.NDArray[np.float32]]:
    """Maps of which neighbours share the errors, as networks predict them, with unsharp outlines."""
    rng = np.random.default_rng(seed)
    maps = Affinity().encode(labels)
    logits = ndimage.gaussian_filter(8.0 * maps["affinities"] - 4, (0, 1, 1))
    errors = ndimage.gaussian_filter(rng.normal(0, 1, logits.shape), (0, 1, 1))
    affinities = 1 / (1 + np.exp(-logits - noise * errors / errors.std()))
    foreground = 0.1 + 0.8 * maps["foreground"] + rng.normal(0, 0.1, maps["foreground"].shape)
    return {
        "foreground": foreground.astype(np.float32),
        "affinities": affinities.astype(np.float32),
    }


@pytest.mark.parametrize("noise", [0.3, 0.5, 0.7])
def test_noise_does_not_change_the_cells(noise: float) -> None:
    labels = touching(shape=(200, 200), cells=60, seed=3)
    labels[labels % 6 == 0] = 0
    maps = predicted(labels, noise)
    affinity = Affinity(stride=1, smallest_cell=60)
    found = match_cells(labels, affinity.decode(maps), threshold=0.8)
    assert (found.fp, found.fn) == (0, 0)


@pytest.mark.parametrize(("pixels", "cells"), [(9, 0), (10, 1)])
def test_a_cell_of_exactly_the_smallest_size_stays(pixels: int, cells: int) -> None:
    labels = np.zeros((9, 20), int)
    labels[4, 2 : 2 + pixels] = 1
    assert Affinity(smallest_cell=10).decode(Affinity().encode(labels)).max() == cells


def test_the_pieces_of_a_cell_are_decoded_as_cells() -> None:
    labels = np.zeros((40, 40), int)
    labels[2:12, 2:12] = labels[13:30, 2:12] = labels[30:38, 12:20] = 5
    decoded = Affinity().decode(Affinity().encode(labels))
    assert np.unique(decoded).tolist() == [0, 1, 2, 3]


def test_small_holes_in_one_cell_are_filled() -> None:
    labels = discs(radius=12, spacing=32)
    holes = np.zeros(labels.shape, bool)
    holes[14:18, 14:18] = True  # 16 px
    maps = Affinity().encode(np.where(holes, 0, labels))
    assert (Affinity(largest_hole=17).decode(maps)[holes] > 0).all()
    assert not Affinity(largest_hole=16).decode(maps)[holes].any()


@settings(max_examples=20)
@given(labels=blocky_maps(scale=7), seed=st.integers(0, 99))
def test_any_maps_give_cells_in_the_foreground(labels: LabelMap, seed: int) -> None:
    affinities = np.random.default_rng(seed).normal(0.5, 1, (12, *labels.shape))
    affinity = Affinity(smallest_cell=1, largest_hole=0)
    decoded = affinity.decode({"foreground": (labels > 0)[None], "affinities": affinities})
    np.testing.assert_array_equal(decoded > 0, labels > 0)
    assert set(np.unique(decoded)) | {0} == set(range(decoded.max() + 1))


def test_what_is_no_number_is_no_cell() -> None:
    labels = touching()
    maps = {name: each.astype(np.float32) for name, each in Affinity().encode(labels).items()}
    assert not Affinity().decode(maps | {"foreground": maps["foreground"] * np.nan}).any()
    assert not Affinity().decode(maps | {"affinities": maps["affinities"] * np.nan}).any()
    lost = labels == labels.max()
    maps["foreground"][0, lost] = np.nan
    maps["affinities"][:, lost] = np.inf
    decoded = Affinity().decode(maps)
    assert not decoded[lost].any()
    found = match_cells(np.where(lost, 0, labels), decoded, threshold=0.9)
    assert (found.fp, found.fn) == (0, 0)


def test_decoding_leaves_the_maps_alone_and_is_repeatable() -> None:
    maps = predicted(touching(), 1)
    copies = {name: each.copy() for name, each in maps.items()}
    first = Affinity().decode(maps)
    np.testing.assert_array_equal(Affinity().decode(maps), first)
    for name, each in copies.items():
        np.testing.assert_array_equal(maps[name], each)


def test_fitted_options_change_the_cells() -> None:
    labels = touching(shape=(120, 120), cells=40)
    affinity, maps = Affinity(), predicted(labels, 1)
    assert affinity.decoding().keys() == Affinity.TUNED.keys()
    assert all(getattr(affinity, name) in values for name, values in Affinity.TUNED.items())
    before = affinity.decode(maps)
    for option, value in [
        ("foreground_threshold", 0.99),
        ("repulsion", 0.001),
        ("smallest_weight", 0.97),
        ("smallest_cell", 1000),
    ]:
        other = Affinity()
        other.set_decoding({option: value})
        changed = other.decode(maps)
        assert changed.max() < before.max() or (changed > 0).sum() < (before > 0).sum()
