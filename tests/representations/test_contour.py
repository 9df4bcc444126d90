"""Cells as outlines and back: pieces, turned and cut images, maps that a network might give."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_maps import blocky_maps, discs, touching
from real_images import REAL

from cellbench.errors import UsageError
from cellbench.evaluation import match_cells
from cellbench.labels import LabelMap, read_labels
from cellbench.representations import Contour


def ellipse(angle: float, long: float = 16, short: float = 6) -> LabelMap:
    down, right = np.mgrid[-20:21, -20:21]
    along = np.cos(angle) * right + np.sin(angle) * down
    across = np.cos(angle) * down - np.sin(angle) * right
    inside: LabelMap = ((along / long) ** 2 + (across / short) ** 2 <= 1).astype(np.int32)
    return inside


@pytest.mark.parametrize("grid", [1, 2])
@pytest.mark.parametrize(
    "labels",
    [
        np.eye(9, dtype=int) * np.arange(1, 10),  # cells of one pixel
        np.eye(9, dtype=int),  # one cell whose pixels touch at corners
        np.ones((1, 1), int),
        np.ones((30, 40), int),
        np.pad(np.ones((20, 20), int), [(0, 9), (0, 9)]),  # cut by two borders
        np.pad(np.ones((20, 20), int), [(9, 0), (9, 0)]) * 4_000_000_000,
        np.kron(np.arange(400) % 2 * np.arange(400), np.ones((17, 12), int)),  # 17 × 4800
    ],
)
def test_small_cut_and_lonely_cells_come_back(labels: LabelMap, grid: int) -> None:
    representation = Contour(grid=grid)
    decoded = representation.decode(representation.encode(labels))
    found = match_cells(labels, decoded, threshold=0.9)
    seen = len(np.unique(labels[::grid, ::grid])) - (0 in labels[::grid, ::grid])
    assert (found.tp, found.fp) == (seen, 0)


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("quarter_turns", range(4))
@pytest.mark.parametrize("labels", [discs(), touching()])
def test_turned_maps_are_turned_back(labels: LabelMap, quarter_turns: int, flipped: bool) -> None:
    representation = Contour(order=6)
    turned = np.rot90(labels[:, ::-1] if flipped else labels, quarter_turns)
    maps = representation.encode(turned) | {"uncertainty": distances_to_sides(turned.shape)}
    back = representation.turn_back(maps, quarter_turns, flipped)
    truth = representation.encode(labels) | {"uncertainty": distances_to_sides(labels.shape)}
    for name, expected in truth.items():
        np.testing.assert_allclose(back[name], expected, atol=1e-5, err_msg=name)


def distances_to_sides(shape: tuple[int, ...]) -> np.ndarray:
    """Values that move as the sides of a box do: distances to the sides of the image."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.stack([rows, shape[0] - 1 - rows, columns, shape[1] - 1 - columns])


def test_coefficients_change_smoothly_with_the_angle_of_a_cell() -> None:
    """No corner that moves by a pixel moves the beginning of the outline to the other side."""
    coefficients = np.array(
        [
            Contour().encode(ellipse(angle))["fourier"][:, 20, 20]
            for angle in np.arange(0, np.pi, 0.05)
        ]
    )
    steps = np.abs(np.diff(coefficients, axis=0, append=coefficients[:1]))
    assert steps.max() < 0.15 * np.abs(coefficients).max()
    np.testing.assert_allclose(coefficients[:, 1], coefficients[:, 2], atol=1e-5)


@pytest.mark.parametrize("angle", [0, 0.4, 1.2, 2.5])
def test_an_ellipse_has_the_coefficients_of_twice_its_angle(angle: float) -> None:
    first = Contour().encode(ellipse(angle))["fourier"][:4, 20, 20].reshape(2, 2)
    elongation = first[1, 1] - first[0, 0], 2 * first[0, 1]
    np.testing.assert_allclose(
        np.arctan2(*elongation[::-1]), np.angle(np.exp(2j * angle)), atol=0.03
    )


@settings(max_examples=20)
@given(labels=blocky_maps(scale=4), top=st.integers(1, 9), left=st.integers(1, 9))
def test_whole_cells_do_not_change_where_an_image_is_cut(
    labels: LabelMap, top: int, left: int
) -> None:
    larger = np.pad(labels, ((top, 3), (left, 2)))
    maps, around = Contour(order=3).encode(np.pad(labels, 1)), Contour(order=3).encode(larger)
    rows, columns = slice(top, top + len(labels)), slice(left, left + labels.shape[1])
    for name, expected in maps.items():
        cut = around[name][:, rows, columns]
        np.testing.assert_allclose(cut, expected[:, 1:-1, 1:-1], atol=1e-5, err_msg=name)


@pytest.mark.parametrize("grid", [1, 2, 3])
def test_targets_are_the_encoded_maps_on_the_grid(grid: int) -> None:
    representation, labels = Contour(order=2, grid=grid), touching((33, 47), cells=9)
    encoded = representation.encode(labels)
    for name, target in representation.targets(labels).items():
        np.testing.assert_array_equal(target, encoded[name][:, ::grid, ::grid])


def test_every_cell_with_a_pixel_on_the_grid_has_a_central_one_there() -> None:
    labels = np.zeros((20, 20), np.int32)
    labels[1:6, 1:6], labels[9:11, 9:11], labels[15:18, 15:18] = 1, 2, 3
    central = Contour(grid=2).targets(labels)["score"][0] == 1
    assert set(np.unique(labels[::2, ::2][central])) == {1, 2, 3}


def test_scores_follow_the_distance_to_the_outside() -> None:
    labels = np.pad(np.ones((9, 40), int), 1)
    column = Contour().encode(labels)["score"][0, :, 20]
    assert column.tolist() == [0, 0, 0, 0.5, 1, 1, 1, 0.5, 0, 0, 0]


def test_the_largest_piece_and_those_at_the_border_have_outlines() -> None:
    labels = np.zeros((30, 30), np.int32)
    labels[5:15, 5:15], labels[20:24, 20:24] = 1, 1  # the smaller piece is undecided
    labels[0:6, 20:26], labels[27:30, 2:8] = 2, 2  # both may be cells
    maps = Contour().encode(labels)
    assert not maps["fourier"][:, 20:24, 20:24].any()
    assert (maps["score"][0, 20:24, 20:24] == 0.5).all()
    decoded = Contour(score_threshold=0.6).decode(maps)
    assert decoded.max() == 3
    assert len({decoded[10, 10], decoded[2, 22], decoded[28, 4]}) == 3


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_not_finite_make_no_cells(value: float) -> None:
    maps = Contour().encode(discs())
    cells = Contour().decode(maps)
    for name in ("score", "offset", "fourier", "uncertainty"):
        broken = maps | {name: np.full_like(maps[name], value)}
        assert not Contour().decode(broken).any()
    maps["fourier"][5, cells == 1] = value
    assert Contour().decode(maps).max() == cells.max() - 1
    unrefined = Contour(refinement_hops=0).decode(maps)
    broken = maps | {"refinement": np.full_like(maps["refinement"], value)}
    np.testing.assert_array_equal(Contour().decode(broken), unrefined)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), size=st.sampled_from([0.1, 5, 60, 1e30]))
def test_any_maps_give_a_label_map(seed: int, size: float) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 40, 2))
    maps = {
        name: rng.normal(0, size, (channels, *shape))
        for name, channels in Contour().channels.items()
    }
    maps["score"] = rng.random((1, *shape))
    labels, measures = Contour().decode_cells(maps)
    assert labels.shape == shape
    assert set(np.unique(labels)) | {0} == set(range(labels.max() + 1))
    assert all(len(values) == labels.max() for values in measures.values())


def test_measures_belong_to_the_cells() -> None:
    labels = discs()
    maps = Contour().encode(labels)
    maps["score"] *= (1 - 0.01 * labels)[None]
    maps["uncertainty"][:2] = 0.005 * labels
    decoded, measures = Contour().decode_cells(maps)
    assert sorted(measures) == ["score", "uncertainty"]
    assert decoded.max() == 20
    for cell in range(1, 21):
        true = np.bincount(labels[decoded == cell]).argmax()
        assert measures["score"][cell - 1] == pytest.approx(1 - 0.01 * true)
        assert measures["uncertainty"][cell - 1] == pytest.approx(0.0025 * true)
    np.testing.assert_array_equal(decoded, Contour().decode(maps))


def test_refinement_brings_coarse_outlines_to_the_cells() -> None:
    labels = touching((120, 130), cells=12)
    maps = Contour(order=1).encode(labels)
    matched = [
        match_cells(labels, Contour(order=1, refinement_hops=hops).decode(maps), 0.9).tp
        for hops in (0, 1, 4)
    ]
    assert matched[0] < matched[1] <= matched[2]


def test_candidates_are_capped_with_a_warning() -> None:
    with pytest.warns(UserWarning, match=r"only the best 40 .* increase"):
        labels = Contour(most_candidates=40).decode(Contour().encode(discs()))
    assert 0 < labels.max() <= 20


@pytest.mark.parametrize(
    "options", [{"order": 0}, {"grid": 0}, {"samples": 4}, {"reach": 0}, {"refinement_hops": -1}]
)
def test_impossible_options_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=next(iter(options))):
        Contour(**options)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real label maps in {REAL}")
def test_real_cells_come_back() -> None:
    counts = {0.5: np.zeros(3), 0.8: np.zeros(3)}
    for path in sorted(REAL.glob("*/labels/*.tiff"))[::20]:
        labels = read_labels(path)
        decoded = Contour().decode(Contour().encode(labels))
        for threshold, count in counts.items():
            found = match_cells(labels, decoded, threshold)
            count += found.tp, found.fp, found.fn
    f1 = {threshold: 2 * c[0] / (2 * c[0] + c[1] + c[2]) for threshold, c in counts.items()}
    assert f1[0.5] >= 0.995
    assert f1[0.8] >= 0.99
