"""Predicted outlines: which are kept, and how the pixels that several cover are divided."""

import numpy as np
import numpy.typing as npt
import pytest
from label_maps import discs
from skimage.draw import polygon as polygon_pixels

from cellbench.representations import Contour
from cellbench.representations.contour_cells import (
    Contours,
    draw_contours,
    outlines,
    suppress_worse,
)

SHAPE = (60, 80)
UNREFINED = np.zeros((2, *SHAPE), np.float32)


def circles(*places: tuple[float, float, float]) -> Contours:
    """Circles from rows, columns and radii, the best first."""
    points = np.array([place[:2] for place in places], np.float32)
    coefficients = np.zeros((len(places), 8), np.float32)
    coefficients[:, [0, 3]] = np.array([place[2] for place in places])[:, None]
    scores = 0.9 - 0.1 * np.arange(len(places), dtype=np.float32)
    return Contours(points, coefficients, scores, np.zeros_like(scores))


def drawn(contours: Contours) -> tuple[npt.NDArray[np.integer], list[int]]:
    """Return the label map, and which of the contours the cells 1 … N are."""
    labels, measures = draw_contours(contours, UNREFINED, 0, 64)
    return labels, [contours.scores.tolist().index(score) for score in measures["score"].tolist()]


def test_shared_pixels_go_to_the_nearer_cell() -> None:
    labels, cells = drawn(circles((30, 25, 15), (30, 45, 15)))
    assert cells == [0, 1]
    np.testing.assert_array_equal(np.flatnonzero(labels[30] == 1), np.arange(10, 36))
    np.testing.assert_array_equal(np.flatnonzero(labels[30] == 2), np.arange(36, 61))


def test_cells_grow_only_into_pixels_that_they_cover() -> None:
    """A third cell touches the pixels that the other two share, and gets none of them."""
    labels, cells = drawn(circles((30, 25, 12.4), (30, 45, 12.4), (47.5, 35, 8.4)))
    alone, _ = drawn(circles((47.5, 35, 8.4)))
    assert cells == [0, 1, 2]
    assert (alone[labels == 3] == 1).all()


def test_a_cell_inside_a_better_one_has_no_pixels() -> None:
    labels, cells = drawn(circles((30, 25, 15), (30, 22, 4), (30, 60, 6)))
    assert cells == [0, 2]
    assert labels.max() == 2
    assert labels[30, 60] == 2


def test_cells_outside_the_image_have_no_pixels() -> None:
    labels, cells = drawn(circles((-300, 500, 15), (3, 3, 5)))
    assert cells == [1]
    assert labels[0, 0] == 1


@pytest.mark.parametrize("uncertain", [0, 1])
def test_the_certain_one_of_two_equal_proposals_is_kept(uncertain: int) -> None:
    maps = Contour().encode(discs()[:22, :22])
    rows, columns = np.nonzero(maps["score"][0] == 1)
    maps["score"][:] = 0
    for index in (0, 1):
        place = rows[index], columns[index]
        maps["score"][0, *place] = 0.9 + 0.01 * (index == uncertain)
        maps["uncertainty"][:, *place] = 0.3 if index == uncertain else 0.1
    measures = Contour().decode_cells(maps).measures
    assert measures["score"].tolist() == pytest.approx([0.9])
    assert measures["uncertainty"].tolist() == pytest.approx([0.1])


def test_long_cells_beside_each_other_are_both_kept() -> None:
    """Their boxes are nearly the same."""
    diagonal = np.zeros((2, 8), np.float32)
    diagonal[:, :4] = np.array([[14, 11], [11, 14]]).ravel()  # semi-axes of 25 and 3 px at 45°
    points = np.array([[30, 37], [36, 31]], np.float32)
    contours = Contours(points, diagonal, np.array([0.9, 0.8], np.float32), np.zeros(2, np.float32))
    assert suppress_worse(contours, 0.3, SHAPE).tolist() == [True, True]
    labels, cells = drawn(contours)
    assert cells == [0, 1]
    assert abs(np.diff(np.bincount(labels.ravel())[1:])[0]) <= 2


def test_what_is_kept_shares_little_area_with_better_ones() -> None:
    """The areas, also of concave outlines, are those of scikit-image's pixels of a fine raster."""
    rng, fine, threshold = np.random.default_rng(1), 8, 0.3
    coefficients = rng.normal(0, 1.2, (40, 12)).astype(np.float32)
    coefficients[:, [0, 3]] += 9
    points = rng.uniform(10, 50, (40, 2)).astype(np.float32)
    contours = Contours(points, coefficients, np.ones(40, np.float32), np.zeros(40, np.float32))
    kept = suppress_worse(contours, threshold, SHAPE)
    rasters = []
    for corners in outlines(coefficients, 24) + points[:, :, None]:
        raster = np.zeros((80 * fine, 80 * fine), bool)
        raster[polygon_pixels(*((corners + 10) * fine), raster.shape)] = True
        rasters.append(raster)
    expected: list[int] = []
    for index, raster in enumerate(rasters):
        shares = [
            (raster & rasters[better]).sum() / min(raster.sum(), rasters[better].sum())
            for better in expected
        ]
        assert all(abs(share - threshold) > 1e-3 for share in shares)
        if max(shares, default=0) <= threshold:
            expected.append(index)
    assert np.flatnonzero(kept).tolist() == expected


@pytest.mark.parametrize("step", [1e20, 1e30, -1e30])
def test_huge_refinements_end(step: float) -> None:
    maps = Contour().encode(discs()[:22, :22])
    maps["refinement"][:] = step
    assert Contour().decode(maps).shape == (22, 22)
