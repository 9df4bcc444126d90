"""Whole slides in tiles: the same cells as at once."""

from itertools import count

import numpy as np
import numpy.typing as npt
import pytest
from label_maps import discs, touching

from cellbench.evaluation import match_cells
from cellbench.inference.tiles import LARGEST_SIDE, segment_in_tiles
from cellbench.labels import LabelMap, relabel


def shown(labels: LabelMap) -> npt.NDArray[np.float64]:
    """An image in which every cell has a colour of its own."""
    return np.repeat(labels[..., None], 3, axis=-1).astype(float)


def read_off(tile: npt.NDArray[np.floating]) -> LabelMap:
    return relabel(tile[..., 0].astype(int))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("largest_side", [70, 100, 299])
def test_cells_come_back_whole(largest_side: int, seed: int) -> None:
    labels = touching((300, 260), cells=300, seed=seed)
    tiles = []

    def segment(tile: npt.NDArray[np.floating]) -> LabelMap:
        tiles.append(tile.shape)
        return read_off(tile)

    found = segment_in_tiles(segment, shown(labels), largest_side, margin=60)
    assert len(np.unique(found)) == len(np.unique(labels))
    assert match_cells(labels, found, 1.0).tp == labels.max()
    assert len(tiles) > 1
    assert max(max(shape[:2]) for shape in tiles) <= largest_side + 2 * 60


def test_what_two_tiles_see_a_little_apart_is_one_cell() -> None:
    labels = discs((320, 310), seed=1)
    turns = count()

    def shaken(tile: npt.NDArray[np.floating]) -> LabelMap:
        by = next(turns) % 3
        height, width = tile.shape[:2]
        return np.pad(read_off(tile), ((by, 0), (by, 0)))[:height, :width]

    found = segment_in_tiles(shaken, shown(labels), largest_side=77, margin=40)
    assert found.max() == labels.max()
    assert match_cells(labels, found, 0.5).tp == labels.max()


def test_what_reaches_too_far_is_cut() -> None:
    labels = np.zeros((9, 100), int)
    labels[4, 5:95] = 1
    found = segment_in_tiles(read_off, shown(labels), largest_side=50, margin=10)
    np.testing.assert_array_equal(np.unique(found), [0, 1, 2])
    np.testing.assert_array_equal(found > 0, labels > 0)


def test_an_image_of_the_largest_side_is_one_tile() -> None:
    sides = []

    def segment(tile: npt.NDArray[np.floating]) -> LabelMap:
        sides.append(tile.shape[1])
        return np.zeros(tile.shape[:2], int)

    for side in (LARGEST_SIDE, LARGEST_SIDE + 1):
        found = segment_in_tiles(segment, np.zeros((2, side, 3)))
        assert found.shape == (2, side)
    assert sides == [5000, 2500 + 256, 2501 + 256]
