"""Which cells and pixels a model is sure of, for all representations."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from label_maps import discs

from cellbench.errors import UsageError
from cellbench.labels import LabelMap
from cellbench.representations import REPRESENTATIONS, Boundary, Representation, StarConvex
from cellbench.representations.base import DecodedCells
from cellbench.representations.joint import JointRepresentation
from cellbench.representations.sure_cells import cell_scores, sure_cells

Maps = Mapping[str, npt.NDArray[Any]]
LEFT = np.s_[..., :56]
RIGHT = np.s_[..., 56:]
FOREGROUND = {
    "cell",
    "classes",
    "distance",
    "foreground",
    "pixelwise",
    "probability",
    "score",
    "seed",
}
"""Names of the maps that say where cells are."""


@pytest.fixture(params=sorted(REPRESENTATIONS))
def representation(request: pytest.FixtureRequest) -> Representation:
    return REPRESENTATIONS[request.param]()


def cells() -> LabelMap:
    """Discs, none of which crosses the middle column."""
    left, right = (discs((96, 56), radius=9, spacing=26, seed=seed).astype(int) for seed in (0, 1))
    return np.hstack([left, np.where(right > 0, right + left.max(), 0)])


def doubtful(representation: Representation, share: float) -> Maps:
    """Make the map that says where cells are doubtful, on the right side only."""
    maps = {name: each.astype(np.float32) for name, each in representation.encode(cells()).items()}
    empty = representation.encode(np.zeros_like(cells()))
    for name in FOREGROUND & maps.keys():
        maps[name][RIGHT] = share * maps[name][RIGHT] + (1 - share) * empty[name][RIGHT]
    return maps


def test_true_maps_are_sure_everywhere(representation: Representation) -> None:
    sure = sure_cells(representation, representation.encode(cells()))
    assert sure.labels.max() == sure.decoded.max() == cells().max()
    assert sure.ignored[cells() > 0].mean() < 0.01
    assert sure.ignored.mean() < 0.1  # Boundary: the boundary covers one pixel outside of cells
    assert sure.confidence.dtype == np.float32
    assert (sure.confidence[~sure.ignored] >= 0.7).all()
    np.testing.assert_array_equal(sure.labels > 0, sure.decoded > 0)


@pytest.mark.parametrize("share", [0.3, 0.4])
def test_doubtful_cells_are_ignored_and_clear_ones_are_not(
    representation: Representation, share: float
) -> None:
    sure = sure_cells(representation, doubtful(representation, share))
    true = cells()
    assert set(np.unique(true[LEFT][sure.labels[LEFT] > 0])) >= set(np.unique(true[LEFT])) - {0}
    assert not sure.labels[RIGHT].any()
    assert sure.ignored[LEFT].mean() < 0.1
    assert sure.ignored[RIGHT][true[RIGHT] > 0].mean() > 0.7
    assert sure.ignored[RIGHT][true[RIGHT] == 0].mean() < 0.2


def test_an_empty_image_has_no_sure_cell(representation: Representation) -> None:
    sure = sure_cells(representation, representation.encode(np.zeros((64, 48), np.int32)))
    assert not sure.labels.any()
    assert not sure.ignored.any()
    assert (sure.confidence == 1).all()


def test_a_pixel_of_nan_is_ignored(representation: Representation) -> None:
    maps = {name: each.astype(np.float32) for name, each in representation.encode(cells()).items()}
    for each in maps.values():
        each[:, 0, 0] = np.nan
    sure = sure_cells(representation, maps)
    assert sure.ignored[0, 0]
    assert sure.labels.max() == cells().max()


def test_gates_decide() -> None:
    maps = doubtful(Boundary(), 0.8)
    assert sure_cells(Boundary(), maps).labels.max() < cells().max()
    assert sure_cells(Boundary(), maps, foreground=0.75).labels.max() == cells().max()


@pytest.mark.parametrize(("gate", "sure"), [(0.8, False), (0.75, True)])
def test_the_score_of_a_polygon_has_its_own_gate(gate: float, sure: bool) -> None:
    found = sure_cells(StarConvex(), doubtful(StarConvex(), 0.78), cell_score=gate)
    assert found.decoded.max() == cells().max()
    assert found.labels[RIGHT].any() == sure


def test_the_uncertainty_lowers_the_score() -> None:
    measures = {
        "score": np.array([1, 0.8], np.float32),
        "uncertainty": np.array([0.5, 0.0], np.float32),
    }
    scores = cell_scores(DecodedCells(np.array([[1, 2]]), measures), np.ones((1, 2), np.float32))
    assert scores.tolist() == pytest.approx([0.5, 0.8])


def test_several_representations_use_that_of_the_maps() -> None:
    joint = JointRepresentation([StarConvex(rays=8), Boundary()])
    maps = Boundary().encode(cells())
    assert sure_cells(joint, maps).labels.max() == cells().max()


def test_a_representation_without_a_foreground_is_refused() -> None:
    class Other(Boundary):
        foreground = Representation.foreground

    with pytest.raises(UsageError, match=r"Other: does not define the method foreground"):
        sure_cells(Other(), Boundary().encode(cells()))
