"""COCO files: polygons and run-length codes against pycocotools, overlaps, damage."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from PIL import Image
from scipy.ndimage import binary_dilation, binary_erosion

from cellbench.data.importers import import_dataset
from cellbench.data.importers.coco import decode_segmentation
from cellbench.errors import DatasetError
from cellbench.labels import read_labels

# pycocotools is not yet used to NumPy 2's copy keyword.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def save_image(folder: Path) -> None:
    folder.mkdir()
    Image.fromarray(np.zeros((3, 4), np.uint8)).save(folder / "x.png")


def coco_file(folder: Path, annotations: Any, **image: object) -> None:  # noqa: ANN401
    entry = {"id": 1, "file_name": "x.png", "height": 3, "width": 4} | image
    content = {"images": [entry], "annotations": annotations}
    (folder / "cells.json").write_text(json.dumps(content))


def cell(segmentation: object, **more: object) -> dict[str, object]:
    return {"id": 5, "image_id": 1, "segmentation": segmentation} | more


LARGE, SMALL = [[0, 0, 4, 0, 4, 2, 0, 2]], [[1, 1, 3, 1, 3, 2, 1, 2]]


def test_coco_gives_overlaps_to_the_smaller_cell_and_skips_crowds(tmp_path: Path) -> None:
    save_image(tmp_path / "images")
    crowd = cell({"size": [3, 4], "counts": [0, 12]}, iscrowd=1)
    coco_file(tmp_path, {"0": cell(LARGE), "1": crowd, "2": cell(SMALL)})
    report = import_dataset("coco", tmp_path, tmp_path / "root", split="train")
    labels = read_labels(tmp_path / "root/train/labels/x_label.tiff")
    assert labels.tolist() == [[1, 1, 1, 1], [1, 2, 2, 1], [0, 0, 0, 0]]
    assert [line.split("x.png: ")[1] for line in report.warnings] == [
        "crowd annotations skipped: 1",
        "cells overlap by 2 px, the smaller cell keeps them",
    ]


def test_an_image_that_coco_lists_twice_keeps_its_first_annotations(tmp_path: Path) -> None:
    save_image(tmp_path / "images")
    images = [{"id": number, "file_name": "x.png"} for number in (1, 2)]
    content = {"images": images, "annotations": [cell(SMALL, image_id=2), cell(LARGE)]}
    (tmp_path / "cells.json").write_text(json.dumps(content))
    report = import_dataset("coco", tmp_path, tmp_path / "root", split="train")
    assert (report.images, report.cells) == (1, 1)
    assert report.warnings == [
        f"{tmp_path}/cells.json: lists x.png again, the first annotations are kept"
    ]


@pytest.mark.parametrize(
    ("annotations", "image", "message"),
    [
        ([], {"file_name": "../x.png"}, r"image 1: '../x\.png' is not the name of a file inside"),
        (
            [],
            {"file_name": "y.png"},
            r"names y\.png, which is not in .*images, and 1 of 1 images are missing; add them",
        ),
        ([], {"width": 9}, r"states that x\.png is \(3, 9\), but it is \(3, 4\); correct one"),
        (3, {}, r"does not have the structure of a COCO file"),
        ([7], {}, r"does not have the structure of a COCO file"),
        ([{"id": 1}], {}, r"lacks the entry 'image_id'"),
        ([cell(LARGE, image_id=8)], {}, r"annotates image 8, but does not list it"),
        ([cell(None)], {}, r"no annotation has an outline \(the first is annotation 5\)"),
        (
            [cell([[0, 0, 1]])],
            {},
            r"annotation 5 of x\.png: a polygon is not a list of pairs of numbers",
        ),
        ([cell([["a", "b"]])], {}, r"a polygon is not a list of pairs of numbers"),
        (
            [cell([[0, 0, 1, float("inf"), 1, 1]])],
            {},
            r"a polygon is not a list of pairs of numbers",
        ),
        (
            [cell({"size": [4, 3], "counts": [12]})],
            {},
            r"has the size \[4, 3\], but the image is \[3, 4\]",
        ),
        (
            [cell({"size": [3, 4], "counts": [5, 8]})],
            {},
            r"run lengths do not fit the image of 3 × 4 px",
        ),
        (
            [cell({"size": [3, 4], "counts": [-1, 13]})],
            {},
            r"run lengths do not fit the image of 3 × 4 px",
        ),
        (
            [cell({"size": [3, 4], "counts": 12})],
            {},
            r"run lengths do not fit the image of 3 × 4 px",
        ),
    ],
)
def test_broken_coco_files(
    annotations: object, image: dict[str, object], message: str, tmp_path: Path
) -> None:
    save_image(tmp_path / "images")
    coco_file(tmp_path, annotations, **image)
    with pytest.raises(DatasetError, match=message) as caught:
        import_dataset("coco", tmp_path, tmp_path / "root")
    assert "cells.json" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"images": []}', "\udcff"])
def test_files_that_are_no_coco(content: str, tmp_path: Path) -> None:
    save_image(tmp_path / "images")
    with pytest.raises(
        DatasetError, match="contains 0 JSON files; name the annotation file with --annotations"
    ):
        import_dataset("coco", tmp_path, tmp_path / "root")
    (tmp_path / "cells.json").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(DatasetError, match=r"cells\.json: "):
        import_dataset("coco", tmp_path, tmp_path / "root")


Mask = npt.NDArray[np.bool_]


@given(st_numpy.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_run_length_codes_as_pycocotools_writes_them(mask: Mask) -> None:
    codes = pytest.importorskip("pycocotools.mask")
    compressed = codes.encode(np.asfortranarray(mask, np.uint8))
    text = {"size": list(mask.shape), "counts": compressed["counts"].decode()}
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask.T.ravel()])))
    plain = np.diff([0, *edges, mask.size]).tolist()
    for counts in (text, {"size": list(mask.shape), "counts": plain}):
        decoded = decode_segmentation(counts, mask.shape)
        np.testing.assert_array_equal(decoded, np.flatnonzero(mask))


@given(st.floats(8, 24), st.floats(8, 24), st.floats(3, 14), st.integers(3, 12))
@example(10.0, 8.0, 3.0, 3)
def test_polygons_cover_what_pycocotools_covers(
    x: float, y: float, radius: float, corners: int
) -> None:
    codes = pytest.importorskip("pycocotools.mask")
    turns = np.arange(corners) * 2 * np.pi / corners
    polygon = np.stack([x + radius * np.cos(turns), y + radius * np.sin(turns)], 1).ravel().tolist()
    reference = codes.decode(codes.frPyObjects([polygon], 32, 32))[..., 0].astype(bool)
    ours = np.zeros((32, 32), bool)
    ours.flat[decode_segmentation([polygon], (32, 32))] = True
    # Where an edge runs through pixel centres pycocotools takes some of them and leaves others.
    assert not (ours & ~binary_dilation(reference, np.ones((3, 3)))).any()
    assert not (binary_erosion(reference) & ~ours).any()


@pytest.mark.parametrize("counts", ["~~~~", "é", "P" * 50])
def test_broken_compressed_codes(counts: str) -> None:
    pytest.importorskip("pycocotools.mask")
    with pytest.raises(DatasetError, match=r"here: the run-length code is broken"):
        decode_segmentation({"size": [3, 4], "counts": counts}, (3, 4), "here")
