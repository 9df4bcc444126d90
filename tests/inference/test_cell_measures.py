"""Measures of cells belong to their cells, however an image is segmented."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from measured_cells import Image, ShownModel, check_measures, squares
from multi_streams import tiny

from cellbench.inference import segment_cells, segment_image
from cellbench.inference.scaling import restored_cells
from cellbench.inference.tiles import LARGEST_SIDE, cells_in_tiles
from cellbench.labels import LabelMap
from cellbench.models import DenseSegmenter
from cellbench.models.multi_stream import MultiStream
from cellbench.representations.base import DecodedCells

IMAGE = squares(5, 8)
CELLS = 40 - 6  # six squares are a single pixel


@pytest.mark.parametrize("augment", [False, True])
def test_each_cell_has_its_own_values(augment: bool) -> None:
    """The representation numbers cells with gaps, and not in the order of their places."""
    cells = segment_cells(ShownModel(), IMAGE, augment=augment)
    check_measures(cells, IMAGE, CELLS)
    assert (np.diff(cells.measures["score"]) < 0).all()
    labels = segment_image(ShownModel(), IMAGE, augment=augment)
    np.testing.assert_array_equal(labels, cells.labels)


def test_an_ensemble_measures_its_mean() -> None:
    models = [ShownModel(), ShownModel(factor=0.5)]
    cells = segment_cells(models, IMAGE)
    check_measures(cells, 0.75 * IMAGE, CELLS)
    assert cells.measures["score"].max() < 0.76


@pytest.mark.parametrize("largest_side", [50, 61, 200])
def test_cells_of_tiles_keep_their_values(largest_side: int) -> None:
    image = squares(12, 13, seed=1)
    representation = ShownModel().representation
    tiles = []

    def segment(tile: Image) -> DecodedCells:
        tiles.append(tile.shape)
        return representation.decode_cells({"shown": tile[..., :2].transpose(2, 0, 1)})

    cells = cells_in_tiles(segment, image, largest_side, margin=20)
    assert len(tiles) == (-(-192 // largest_side)) * -(-208 // largest_side)
    check_measures(cells, image, 12 * 13 - 23)


def test_a_slide_has_the_values_of_its_cells() -> None:
    image = squares(1, LARGEST_SIDE // 16 + 3)
    assert image.shape[1] > LARGEST_SIDE
    check_measures(segment_cells(ShownModel(), image), image, 315 - 45)


def test_tiles_with_different_measures_are_refused() -> None:
    def segment(tile: npt.NDArray[Any]) -> DecodedCells:
        values = np.ones(tile.max(), np.float32)
        return DecodedCells(tile, {"score": values} if tile.any() else {})

    with pytest.raises(ValueError, match="not all tiles have score; return the same measures"):
        cells_in_tiles(segment, np.eye(1, 100, dtype=int), 50, 1)


@pytest.mark.parametrize(("side", "diameter"), [(4, 4.5), (8, 9), (24, 27)])
def test_values_stay_with_their_cells_where_images_are_resized(side: int, diameter: float) -> None:
    image = squares(5, 8, side)
    cells = segment_cells(ShownModel(), image, diameter=diameter)
    large = np.flatnonzero(np.bincount(cells.labels.ravel())[1:] > side**2 / 2)
    assert len(large) == CELLS
    for cell in large:
        own = image[cells.labels == cell + 1].max(axis=0)
        values = [values[cell] for values in cells.measures.values()]
        assert values == pytest.approx(own[:2], abs=1e-5)


def test_a_cell_that_is_lost_takes_its_values_with_it() -> None:
    labels = np.arange(1, 10).reshape(3, 3)
    values = {"score": np.linspace(0.1, 0.9, 9, dtype=np.float32)}
    restored = restored_cells(DecodedCells(labels, values), (2, 2))
    kept = labels[[0, 0, 2, 2], [0, 2, 0, 2]]
    assert len(restored.measures["score"]) == len(np.unique(restored.labels)) == 4
    assert set(restored.measures["score"]) <= set(values["score"])
    np.testing.assert_array_equal(restored.measures["score"], values["score"][kept - 1])


class Brightest(ShownModel):
    """Keeps one cell of what its maps decode to."""

    def segment(self, image: torch.Tensor) -> LabelMap:
        labels = super().segment(image)
        return np.where(labels == labels[labels > 0].min(), labels, 0)


def test_a_model_that_does_more_than_to_decode_its_maps_has_no_measures() -> None:
    cells = segment_cells(Brightest(), IMAGE)
    assert cells.labels.max() == 1
    assert cells.measures == {}


@pytest.mark.parametrize(("stream", "names"), [(0, ["score"]), (3, [])])
def test_a_router_measures_what_the_chosen_stream_does(
    stream: int, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny()
    chosen = model.stream(stream)
    assert isinstance(chosen, DenseSegmenter)
    monkeypatch.setattr(MultiStream, "choose", lambda *_: stream)
    image = np.random.default_rng(0).random((64, 90, 3), dtype=np.float32)
    cells = segment_cells(model, image, precision="32")
    assert [*cells.measures] == names
    alone = segment_cells(chosen, image, precision="32")
    np.testing.assert_array_equal(cells.labels, alone.labels)
    for name in names:
        np.testing.assert_array_equal(cells.measures[name], alone.measures[name])
