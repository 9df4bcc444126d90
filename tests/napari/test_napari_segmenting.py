"""Segmenting the planes of a layer gives what segmenting the image file gives, with a table."""

from pathlib import Path

import numpy as np
import pytest
from label_maps import discs
from PIL import Image

from cellbench.errors import CheckpointError, ImageError
from cellbench.images import read_image
from cellbench.images.pixel_size import PixelSize
from cellbench.inference import load_model, segment_image
from cellbench.napari.planes import layer_planes
from cellbench.napari.segmenting import SegmentOptions, cell_table, load, segment_planes
from cellbench.napari.watching import Cancelled, count_windows


def picture(seed: int = 0, shape: tuple[int, int] = (100, 90)) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.integers(0, 60, shape) + 120 * (discs(shape=shape, seed=seed) > 0)).astype(np.uint8)


def test_a_layer_is_segmented_as_its_file(trained: Path, tmp_path: Path) -> None:
    Image.fromarray(picture()).save(tmp_path / "a.png")
    found = segment_planes(layer_planes(picture()), SegmentOptions(trained))
    expected = segment_image(load_model(trained), read_image(tmp_path / "a.png"))
    assert expected.max() > 0
    assert np.array_equal(found.labels, expected)
    assert found.table["index"].tolist() == list(range(1, int(expected.max()) + 1))


def test_planes_are_segmented_one_by_one_with_unique_ids(trained: Path) -> None:
    stack = np.stack([picture(0), picture(1)])
    options = SegmentOptions(trained)
    both = segment_planes(layer_planes(stack, axes="planes"), options)
    alone = [segment_planes(layer_planes(plane), options) for plane in stack]
    assert both.labels.shape == stack.shape
    first = int(alone[0].labels.max())
    assert first > 0
    assert np.array_equal(both.labels[0], alone[0].labels)
    expected = np.where(alone[1].labels > 0, alone[1].labels + first, 0)
    assert np.array_equal(both.labels[1], expected)
    assert both.table["index"].is_unique
    assert both.table["plane"].value_counts().to_dict() == {
        number: len(each.table) for number, each in enumerate(alone) if len(each.table)
    }


def test_progress_counts_the_windows(checkpoint: Path) -> None:
    seen: list[tuple[int, int]] = []
    planes = layer_planes(picture())
    segment_planes(
        planes,
        SegmentOptions(checkpoint),
        on_progress=lambda done, total: seen.append((done, total)),
    )
    expected = count_windows(load(checkpoint), planes.sides, diameter=None, augment=False)
    assert expected == 4  # windows of 64 pixels, 48 apart
    assert seen == [(0, 4), (4, 4)]


def test_cancelling_stops_within_the_network(checkpoint: Path) -> None:
    answers = iter([False] * 3 + [True] * 1000)
    with pytest.raises(Cancelled):
        segment_planes(
            layer_planes(picture()), SegmentOptions(checkpoint), is_cancelled=lambda: next(answers)
        )
    again = segment_planes(layer_planes(picture()), SegmentOptions(checkpoint))
    assert again.labels.shape == (100, 90)


def test_the_table_has_sizes_in_micrometres_and_all_channels() -> None:
    labels = np.zeros((6, 6), int)
    labels[1:3, 1:3] = 4
    pixels = np.stack([np.full((6, 6), value) for value in (5, 7)], axis=-1)
    row = cell_table(labels, pixels, PixelSize(0.5, 0.5)).iloc[0]
    assert row[["index", "area_px", "area_um2", "mean_intensity_2"]].tolist() == [4, 4, 1, 7]
    assert len(cell_table(np.zeros((6, 6), int), pixels)) == 0


def test_what_is_refused(tmp_path: Path, checkpoint: Path) -> None:
    planes = layer_planes(picture())
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        segment_planes(planes, SegmentOptions(tmp_path / "absent.ckpt"))
    with pytest.raises(CheckpointError, match="diameters"):
        segment_planes(planes, SegmentOptions(checkpoint, diameter=20))
    with pytest.raises(ImageError, match="finite"):
        segment_planes(layer_planes(np.full((70, 70), np.nan)), SegmentOptions(checkpoint))
