"""Outlines of QuPath and ImageJ as truth: exactly the pixels that they enclose, and clear errors."""

import gzip
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from cellbench.data.importers import import_dataset
from cellbench.data.importers.annotation_files import draw_of, name_for_pairing
from cellbench.data.importers.imagej import draw_rois
from cellbench.data.importers.qupath import draw_geojson
from cellbench.errors import DatasetError
from cellbench.labels import LabelMap, read_labels

if TYPE_CHECKING:
    from roifile import ImagejRoi

SHAPE = (6, 8)


def square(left: float, top: float, right: float, bottom: float) -> list[list[float]]:
    return [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]


def feature(
    kind: str, coordinates: object, object_type: str = "detection", **more: object
) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": "9b1c6f4e-6c5b-4c55-8c0e-7d1c62b8d3a1",
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": {"objectType": object_type},
    } | more


RING = feature("Polygon", [square(0, 0, 3, 3), square(1, 1, 2, 2)])
PIECES = feature("MultiPolygon", [[square(4, 0, 5, 1)], [square(6, 2, 8, 4)]], "cell")
EXPECTED = np.zeros(SHAPE, int)
EXPECTED[0:3, 0:3] = 1
EXPECTED[1, 1] = 0
EXPECTED[0, 4] = EXPECTED[2:4, 6:8] = 2


def drawn(path: Path, content: object) -> LabelMap:
    path.write_text(json.dumps(content), "utf-8")
    return draw_geojson(path, SHAPE).labels


@pytest.mark.parametrize(
    "content",
    [
        {"type": "FeatureCollection", "features": [RING, PIECES]},
        [RING, PIECES],
        {"type": "FeatureCollection", "features": [[RING], PIECES]},
        [
            RING | {"properties": {"object_type": "detection"}},
            PIECES | {"id": "PathCellObject", "properties": {}},
        ],
        [
            feature("Polygon", [square(0, 0, 8, 6)], "annotation"),
            RING | {"geometry": None, "nucleusGeometry": RING["geometry"]},
            PIECES | {"nucleusGeometry": RING["geometry"]},
        ],
        [RING["geometry"], PIECES["geometry"]],
        [feature("Polygon", [square(0, 0, 8, 6)], "tmaCore"), RING, PIECES],
    ],
)
def test_geojson_as_different_versions_write_it(content: object, tmp_path: Path) -> None:
    np.testing.assert_array_equal(drawn(tmp_path / "a.geojson", content), EXPECTED)


def test_geojson_can_be_compressed(tmp_path: Path) -> None:
    text = json.dumps([RING, PIECES])
    with gzip.open(tmp_path / "a.geojson.gz", "wt") as file:
        file.write(text)
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("b.geojson", "\ufeff" + text)
    for name in ("a.geojson.gz", "b.zip"):
        draw = draw_of(tmp_path / name)
        assert draw is not None
        np.testing.assert_array_equal(draw(SHAPE).labels, EXPECTED)


def test_polygons_and_rectangles_of_labelme(tmp_path: Path) -> None:
    shapes = [
        {"label": "cell", "points": square(0, 0, 3, 2)[:-1], "shape_type": "polygon"},
        {"label": "cell", "points": [[4, 1], [6, 5]], "shape_type": "rectangle"},
        {"label": "cell", "points": [[4, 1]], "shape_type": "point"},
    ]
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"version": "5.4.1", "shapes": shapes, "imagePath": "a.png"}))
    drawing = draw_geojson(path, SHAPE)
    expected = np.zeros(SHAPE, int)
    expected[0:2, 0:3] = 1
    expected[1:5, 4:6] = 2
    np.testing.assert_array_equal(drawing.labels, expected)
    assert drawing.warnings == ("a.json: objects that are no outlines are left out: 1",)


def test_annotations_are_the_cells_of_a_file_without_detections(tmp_path: Path) -> None:
    content = [
        feature("Polygon", [square(0, 0, 8, 6)], "annotation"),
        feature("Polygon", [square(1, 1, 3, 2)], "annotation"),
        feature("Point", [1, 1], "annotation"),
    ]
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps(content))
    drawing = draw_geojson(path, SHAPE)
    expected = np.ones(SHAPE, int)
    expected[1, 1:3] = 2
    np.testing.assert_array_equal(drawing.labels, expected)
    assert drawing.warnings == (
        "a.geojson: objects that are no outlines are left out: 1",
        "cells overlap by 2 px, the smaller cell keeps them",
    )
    path.write_text(json.dumps([*content, RING]))
    assert draw_geojson(path, SHAPE).warnings[0] == (
        "a.geojson has detections, so its annotations (2) are not used"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"cannot be read as GeoJSON .*export the outlines from QuPath"),
        (b"[1]", r"cannot be read as GeoJSON"),
        (b'{"type": "Topology"}', r"the type 'Topology' is unknown"),
        (b"\x1f\x8bx", r"cannot be read as GeoJSON"),
        (
            b'{"type": "Polygon", "coordinates": [[[1%s, 0]]]}' % (b"0" * 400),
            r"cannot be read as G",
        ),
        (b"[" * 100_000, r"cannot be read as GeoJSON"),
        (b"\xff", r"cannot be read as GeoJSON"),
        (b'{"shapes": [{}]}', r"cannot be read as GeoJSON \(it has no entry 'points'\)"),
        (b'{"images": []}', r"cannot be read as GeoJSON \(it has no entry 'type'\)"),
        (b'{"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}', r"at least three corners"),
        (b'{"type": "Polygon", "coordinates": [[["x", 0]]]}', r"cannot be read as GeoJSON"),
        (b'{"type": "Polygon", "coordinates": [[[0, NaN], [1, 1], [2, 0]]]}', r"not a finite"),
        (
            json.dumps(feature("Polygon", [square(90, 0, 99, 9)])).encode(),
            r"none of its 1 outlines is inside the image of 6 × 8 pixels",
        ),
    ],
)
def test_damaged_geojson(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.geojson").write_bytes(content)
    with pytest.raises(DatasetError, match=message) as caught:
        draw_geojson(tmp_path / "a.geojson", SHAPE)
    assert "a.geojson" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "a.geojson", "a.tif.geojson", "a.ome.tif.geojson", "a.geojson.gz", "a.json", "a_rois.zip",
        "a_RoiSet.zip", "a-RoiSet.zip", "a.roi", "A.ZIP", "a.tif_rois.zip",
    ],
)  # fmt: skip
def test_names_that_tools_write(name: str, tmp_path: Path) -> None:
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
    for number, stem in enumerate("ab"):
        Image.fromarray(np.full(SHAPE, number, np.uint8)).save(tmp_path / f"images/{stem}.png")
    path = tmp_path / "labels" / name
    path.write_text("x")
    assert name_for_pairing(path) != name
    with pytest.raises(DatasetError, match=rf"{name}: (cannot be read|ROI files need)"):
        import_dataset("folder", tmp_path, tmp_path / "root")


def save_image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros(SHAPE, np.uint8)).save(path)


def test_a_label_map_is_preferred_to_outlines_and_outlines_of_qupath_to_rois(
    tmp_path: Path,
) -> None:
    for stem in "ab":
        save_image(tmp_path / f"images/{stem}.png")
    (tmp_path / "labels").mkdir()
    Image.fromarray(np.eye(*SHAPE, dtype=np.uint8)).save(tmp_path / "labels/a.png")
    for name in ("a.geojson", "b_rois.zip"):
        (tmp_path / "labels" / name).write_text("x")
    (tmp_path / "labels/b.geojson").write_text(json.dumps([RING, PIECES]))
    report = import_dataset("folder", tmp_path, tmp_path / "root", split="test")
    assert report.warnings == [f"{tmp_path}/labels/b_rois.zip: not used, because b.geojson is"]
    written = tmp_path / "root/test/labels"
    np.testing.assert_array_equal(read_labels(written / "a_label.tiff"), np.eye(*SHAPE))
    np.testing.assert_array_equal(read_labels(written / "b_label.tiff"), EXPECTED)


def write_rois(path: Path, *rois: "ImagejRoi") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for number, roi in enumerate(rois):
            archive.writestr(f"{number:04}.roi", roi.tobytes())
        archive.writestr("__MACOSX/._0000.roi", b"x")
    return path


def box(kind: int, left: int, top: int, right: int, bottom: int) -> "ImagejRoi":
    roifile = pytest.importorskip("roifile", reason="needs roifile")
    return roifile.ImagejRoi(
        roitype=kind, left=left, top=top, right=right, bottom=bottom, n_coordinates=0
    )


def test_rois_of_every_kind_that_has_an_area(tmp_path: Path) -> None:
    roifile = pytest.importorskip("roifile", reason="needs roifile")
    traced = roifile.ImagejRoi.frompoints(np.array(square(0, 0, 2, 3)[:-1]))
    traced.roitype = roifile.ROI_TYPE.TRACED
    exact = roifile.ImagejRoi.frompoints(np.array([[2.4, 0.0], [5.6, 0.0], [5.6, 1.6], [2.4, 1.6]]))
    rectangle = box(roifile.ROI_TYPE.RECT, 2, 3, 4, 6)
    oval = box(roifile.ROI_TYPE.OVAL, 5, 2, 8, 5)
    line = roifile.ImagejRoi.frompoints(np.array([[0, 5], [1, 5]]))
    line.roitype = roifile.ROI_TYPE.POLYLINE
    path = write_rois(tmp_path / "RoiSet.zip", traced, exact, rectangle, oval, line)
    drawing = draw_rois(path, SHAPE)
    expected = np.zeros(SHAPE, int)
    expected[0:3, 0:2] = 1
    expected[0:2, 2:6] = 2
    expected[3:6, 2:4] = 3
    expected[2:5, 5:8] = [[0, 4, 0], [4, 4, 4], [0, 4, 0]]
    rows, columns = np.mgrid[2:5, 5:8] + 0.5
    inside = ((columns - 6.5) / 1.5) ** 2 + ((rows - 3.5) / 1.5) ** 2 < 1
    expected[2:5, 5:8] = 4 * inside
    np.testing.assert_array_equal(drawing.labels, expected)
    assert drawing.warnings == ("RoiSet.zip: objects that are no outlines are left out: 1",)


def test_combined_regions_keep_their_holes(tmp_path: Path) -> None:
    roifile = pytest.importorskip("roifile", reason="needs roifile")
    whole = box(roifile.ROI_TYPE.RECT, 0, 0, 3, 3)
    steps: list[float] = []
    for ring in (square(0, 0, 3, 3)[:-1], square(1, 1, 2, 2)[:-1]):
        for number, corner in enumerate(ring):
            steps += [float(number > 0), *corner]
        steps.append(4.0)
    whole.multi_coordinates = np.array(steps, np.float32)
    whole.shape_roi_size = len(steps)
    labels = draw_rois(write_rois(tmp_path / "a_rois.zip", whole), SHAPE).labels
    np.testing.assert_array_equal(labels, np.where(EXPECTED == 1, 1, 0))


def test_the_only_archive_belongs_to_the_only_image(tmp_path: Path) -> None:
    roifile = pytest.importorskip("roifile", reason="needs roifile")
    for name in ("first", "second"):
        save_image(tmp_path / f"source/{name}/{name}.png")
        write_rois(
            tmp_path / f"source/{name}/RoiSet.zip",
            box(roifile.ROI_TYPE.RECT, 0, 0, 2, len(name) - 2),
        )
    report = import_dataset("folder", tmp_path / "source", tmp_path / "root", split="test")
    assert report.problems == []
    for name in ("first", "second"):
        labels = read_labels(tmp_path / f"root/test/labels/{name}_label.tiff")
        assert (labels > 0).sum() == 2 * (len(name) - 2)


def test_one_roi_and_damaged_rois(tmp_path: Path) -> None:
    roifile = pytest.importorskip("roifile", reason="needs roifile")
    path = tmp_path / "a.roi"
    path.write_bytes(box(roifile.ROI_TYPE.RECT, 1, 2, 4, 5).tobytes())
    assert (draw_rois(path, SHAPE).labels > 0).sum() == 9
    path.write_bytes(b"Iout\0")
    with pytest.raises(DatasetError, match=r"a\.roi: cannot be read as ROIs of ImageJ"):
        draw_rois(path, SHAPE)
    (tmp_path / "a.zip").write_bytes(b"PK\3\4")
    with pytest.raises(DatasetError, match=r"a\.zip: cannot be read as ROIs .*ROI Manager"):
        draw_rois(tmp_path / "a.zip", SHAPE)
