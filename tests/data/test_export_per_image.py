"""Exports with one file per image: read back by each format's own library, they are the same cells."""

import json
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from label_maps import discs, touching
from matplotlib.path import Path as Curve
from PIL import Image

from cellbench.data.exporters import FILES_PER_IMAGE, export_labels
from cellbench.errors import CellbenchError, DatasetError, UsageError
from cellbench.labels import LabelMap, relabel, write_labels
from cellbench.labels.drawing import inner_outlines

HOLES = np.array(
    [
        [0, 7, 7, 7, 0, 9],
        [0, 7, 0, 7, 9, 0],
        [0, 7, 7, 7, 0, 3],
        [2, 0, 0, 0, 0, 2],
    ]
)
TRUTH: dict[str, LabelMap] = {
    "a": discs(seed=1),
    "b.c": np.zeros((5, 7), np.uint16),
    "d": np.where(discs(seed=2) > 0, discs(seed=2) * 1000 + np.uint32(70_000), 0),
    "holes": HOLES,
    "touching": touching(),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for stem, labels in TRUTH.items():
        write_labels(tmp_path / "maps" / f"{stem}_label.tiff", labels)
    return tmp_path / "maps"


def draw(rings: list[Any], shape: tuple[int, ...]) -> np.ndarray:
    """Return the pixels whose centre is in an odd number of polygons."""
    rows, columns = np.mgrid[: shape[0], : shape[1]] + 0.5
    centres = np.column_stack([columns.ravel(), rows.ravel()])
    inside = [
        Curve(np.asarray(ring, float), closed=False).contains_points(centres) for ring in rings
    ]
    counted: np.ndarray = np.sum(inside, axis=0) % 2 == 1
    return counted.reshape(shape)


def polygons(feature: dict[str, Any]) -> list[list[list[list[int]]]]:
    geometry = feature["geometry"]
    single = geometry["type"] == "Polygon"
    assert single or geometry["type"] == "MultiPolygon"
    return [geometry["coordinates"]] if single else geometry["coordinates"]


def test_geojson(folder: Path, tmp_path: Path) -> None:
    assert export_labels(folder, tmp_path / "out", "geojson") == len(TRUTH)
    seen: set[str] = set()
    for stem, labels in TRUTH.items():
        content = json.loads((tmp_path / f"out/{stem}.geojson").read_text("utf-8"))
        assert content["type"] == "FeatureCollection"
        drawn = np.zeros(labels.shape, np.int64)
        for feature in content["features"]:
            rings = [ring for polygon in polygons(feature) for ring in polygon]
            assert all(ring[0] == ring[-1] for ring in rings)
            properties = feature["properties"]
            assert (feature["type"], properties["objectType"]) == ("Feature", "detection")
            mask = draw([ring[:-1] for ring in rings], labels.shape)
            assert properties["measurements"] == {"Area px^2": mask.sum()}
            assert properties["classification"]["name"] == "Cell"
            drawn[mask] = int(properties["name"])
            seen.add(str(UUID(feature["id"])))
        np.testing.assert_array_equal(drawn, labels)
    assert len(seen) == sum(len(np.unique(labels[labels > 0])) for labels in TRUTH.values())


def test_geojson_of_pieces_and_holes(folder: Path, tmp_path: Path) -> None:
    export_labels(folder, tmp_path / "out", "geojson")
    content = json.loads((tmp_path / "out/holes.geojson").read_text("utf-8"))
    kinds = {
        feature["properties"]["name"]: [len(polygon) for polygon in polygons(feature)]
        for feature in content["features"]
    }
    assert kinds == {"2": [1, 1], "3": [1], "7": [2], "9": [1, 1]}


@pytest.mark.parametrize("form", [each for each in FILES_PER_IMAGE if each != "imagej-roi"])
def test_the_same_label_maps_give_the_same_files(form: str, folder: Path, tmp_path: Path) -> None:
    for out in ("one", "two"):
        export_labels(folder, tmp_path / out, form)
    files = sorted((tmp_path / "one").iterdir())
    assert len(files) == len(TRUTH)
    for path in files:
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_imagej_reads_the_regions(folder: Path, tmp_path: Path) -> None:
    roifile = pytest.importorskip("roifile", reason="needs roifile")
    for _ in range(2):  # an older archive is replaced: roifile itself would append to it
        export_labels(folder, tmp_path / "out", "imagej-roi")
    for stem, labels in TRUTH.items():
        path = tmp_path / f"out/{stem}_rois.zip"
        regions = roifile.roiread(path) if labels.any() else []
        assert [int(each.name) for each in regions] == np.unique(labels[labels > 0]).tolist()
        drawn = np.zeros(labels.shape, np.int64)
        for region in regions:
            mask = draw(region.coordinates(multi=True), labels.shape)
            rows, columns = np.nonzero(mask)
            assert (region.left, region.top) == (columns.min(), rows.min())
            assert (region.right, region.bottom) == (columns.max() + 1, rows.max() + 1)
            drawn[mask] = int(region.name)
        np.testing.assert_array_equal(drawn, labels)
    before = path.read_bytes()
    export_labels(folder, tmp_path / "out", "imagej-roi")
    assert path.read_bytes() == before


def test_without_roifile(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "roifile", None)
    with pytest.raises(DatasetError, match=r'roifile.*run: pip install "cellbench\[formats\]"'):
        export_labels(folder, tmp_path / "out", "imagej-roi")
    assert not list((tmp_path / "out").glob("*"))


def test_regions_of_a_label_map_that_is_too_large(tmp_path: Path) -> None:
    pytest.importorskip("roifile", reason="needs roifile")
    write_labels(tmp_path / "maps/a_label.tiff", np.ones((1, 60_536), int))
    with pytest.raises(DatasetError, match=r"end at pixel 60535.* export it with --to geojson"):
        export_labels(tmp_path / "maps", tmp_path / "out", "imagej-roi")
    write_labels(tmp_path / "maps/a_label.tiff", np.ones((1, 60_535), int))
    export_labels(tmp_path / "maps", tmp_path / "out", "imagej-roi")
    roifile = pytest.importorskip("roifile", reason="needs roifile")
    (region,) = roifile.roiread(tmp_path / "out/a_rois.zip")
    assert region.coordinates().max(axis=0).tolist() == [60_535, 1]


def test_cellpose(folder: Path, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for stem, labels in TRUTH.items():
        Image.new("L", labels.shape[::-1]).save(images / f"{stem}.tif")
    export_labels(folder, tmp_path / "out", "cellpose", images=images)
    for stem, labels in TRUTH.items():
        content = np.load(tmp_path / f"out/{stem}_seg.npy", allow_pickle=True).item()
        masks = content["masks"]
        np.testing.assert_array_equal(masks, relabel(labels))
        assert masks.dtype == content["outlines"].dtype == np.uint16
        assert len(content["ismanual"]) == masks.max()
        assert content["filename"] == str((images / f"{stem}.tif").resolve())
        border = np.pad(inner_outlines(np.pad(labels, 1))[1:-1, 1:-1], 0)
        np.testing.assert_array_equal(content["outlines"], np.where(border, masks, 0))
        areas = np.unique(labels[labels > 0], return_counts=True)[1]
        expected = np.median(2 * np.sqrt(areas / np.pi)) if len(areas) else 30
        assert content["diameter"] == pytest.approx(expected)
        assert {"chan_choose", "flows"} < content.keys()


@pytest.mark.slow
def test_cellpose_is_what_cellpose_writes(folder: Path, tmp_path: Path) -> None:
    cellpose = pytest.importorskip("cellpose.io", reason="needs cellpose")
    export_labels(folder, tmp_path / "out", "cellpose")
    masks = relabel(TRUTH["touching"])
    maps = [
        np.zeros((*masks.shape, 3), np.uint8),
        np.zeros((2, *masks.shape)),
        np.zeros(masks.shape),
    ]
    cellpose.masks_flows_to_seg(np.zeros(masks.shape), masks, maps, str(tmp_path / "x.png"), 9.0)
    theirs = np.load(tmp_path / "x_seg.npy", allow_pickle=True).item()
    ours = np.load(tmp_path / "out/touching_seg.npy", allow_pickle=True).item()
    assert ours.keys() == theirs.keys()
    for name in ("masks", "outlines", "ismanual", "chan_choose"):
        np.testing.assert_array_equal(ours[name], theirs[name])
        assert np.asarray(ours[name]).dtype == np.asarray(theirs[name]).dtype


def test_many_cells_have_32_bits(tmp_path: Path) -> None:
    labels = np.arange(300 * 300).reshape(300, 300)
    write_labels(tmp_path / "maps/a_label.tiff", labels)
    export_labels(tmp_path / "maps", tmp_path / "out", "cellpose")
    content = np.load(tmp_path / "out/a_seg.npy", allow_pickle=True).item()
    assert content["masks"].dtype == np.uint32
    np.testing.assert_array_equal(content["masks"], labels)


@pytest.mark.parametrize("form", FILES_PER_IMAGE)
@pytest.mark.parametrize("name", ["cells.geojson", "cells.json", "cells.zip", "cells.npy", "file"])
def test_one_file_per_image_needs_a_folder(
    form: str, name: str, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("old")
    with pytest.raises(UsageError, match=f"{name}: --to {form} writes a file for each image"):
        export_labels(folder, tmp_path / name, form)
    assert (tmp_path / "file").read_text() == "old"


def test_label_maps_without_an_image(folder: Path, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    sizes = {stem: labels.shape[::-1] for stem, labels in TRUTH.items()} | {"more": (9, 9)}
    for stem in ("a", "b.c", "d", "more"):
        Image.new("L", sizes[stem]).save(images / f"{stem}.png")
    message = r"holes_label\.tiff and 1 more: no image of this name in .*images"
    with pytest.raises(CellbenchError, match=message):
        export_labels(folder, tmp_path / "out.json", "coco", images=images)
    for stem in ("holes", "touching"):
        Image.new("L", sizes[stem]).save(images / f"{stem}.png")
    said: list[str] = []
    assert export_labels(folder, tmp_path / "out.json", "coco", None, images, said.append) == 5
    assert said == [f"{images}: images without a label map: 1, the first is more.png"]


def test_a_damaged_label_map_leaves_no_partial_file(folder: Path, tmp_path: Path) -> None:
    (folder / "holes_label.tiff").write_text("hello")
    with pytest.raises(CellbenchError, match=r"holes_label\.tiff: not a TIFF"):
        export_labels(folder, tmp_path / "out", "geojson")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "a.geojson",
        "b.c.geojson",
        "d.geojson",
    ]
