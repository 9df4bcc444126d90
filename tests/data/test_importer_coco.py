"""COCO files: polygons and run-length codes against pycocotools, overlaps, damage."""

import json
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from coco_damage import check, damaged, save_images
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from PIL import Image

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
        ([], {"width": 9}, r"width of x\.png are \(3, 9\), but they are \(3, 4\); corr"),
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
        DatasetError, match="contains no JSON file; name the annotation file with --annotations"
    ):
        import_dataset("coco", tmp_path, tmp_path / "root")
    (tmp_path / "cells.json").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(DatasetError, match=r"cells\.json: "):
        import_dataset("coco", tmp_path, tmp_path / "root")


Mask = npt.NDArray[np.bool_]


@given(st_numpy.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_run_length_codes_as_pycocotools_writes_them(mask: Mask) -> None:
    from pycocotools import mask as codes

    compressed = codes.encode(np.asfortranarray(mask, np.uint8))
    text = {"size": list(mask.shape), "counts": compressed["counts"].decode()}
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask.T.ravel()])))
    plain = np.diff([0, *edges, mask.size]).tolist()
    for counts in (text, {"size": list(mask.shape), "counts": plain}):
        decoded = decode_segmentation(counts, mask.shape)
        np.testing.assert_array_equal(decoded, np.flatnonzero(mask))


COORDINATES = st.integers(-40, 140).map(lambda n: n / 4) | st.floats(-10, 35)


@given(
    st.lists(
        st.lists(COORDINATES, min_size=6, max_size=24).filter(lambda p: len(p) % 2 == 0), min_size=1
    ),
    st.tuples(st.integers(1, 30), st.integers(1, 30)),
)
def test_polygons_cover_what_pycocotools_covers(
    polygons: list[list[float]], shape: tuple[int, int]
) -> None:
    from pycocotools import mask as codes

    # In a list, pycocotools takes the first polygon for all if it decides what they are.
    rasterised = [codes.frPyObjects([polygon], *shape)[0] for polygon in polygons]
    reference = codes.decode(codes.merge(rasterised))
    np.testing.assert_array_equal(decode_segmentation(polygons, shape), np.flatnonzero(reference))


def test_a_long_code_is_read_as_pycocotools_reads_it() -> None:
    """The numbers have up to five groups of bits, and differences of both signs."""
    from pycocotools import mask as codes

    mask = np.zeros((3000, 3000), np.uint8, order="F")
    mask[1000:2000, 300:2000] = 1
    mask[5, [7, 2900]] = 1
    code = codes.encode(mask)
    text = {"size": [3000, 3000], "counts": code["counts"].decode()}
    np.testing.assert_array_equal(decode_segmentation(text, mask.shape), np.flatnonzero(mask))


@pytest.mark.parametrize(
    "polygon",
    [[0, 0, 1e9, 0, 1e9, 1e9], [0, 0, 3, 0, 3, 1e9], [-1e300, 0, 3, 0, 3, 3], [0, 0, 2e7, 0, 0, 1]],
)
def test_polygons_that_reach_far_beyond_the_image(polygon: list[float]) -> None:
    with pytest.raises(
        DatasetError, match="here: a polygon reaches far beyond the image of 3 × 4 px"
    ):
        decode_segmentation([polygon], (3, 4), "here")


def test_polygons_outside_the_image_have_no_pixels() -> None:
    assert decode_segmentation([[50, 50, 60, 50, 60, 60, 50, 60]], (3, 4)).tolist() == []
    assert decode_segmentation([[-9, -9, -2, -9, -2, -2]], (3, 4)).tolist() == []


@pytest.mark.parametrize("number", range(150))
def test_damaged_files_are_read_or_refused_in_one_line(number: int, tmp_path: Path) -> None:
    save_images(tmp_path)
    check(tmp_path, damaged(Random(number)))


@pytest.mark.parametrize("counts", ["~~~~", "é", "P" * 50])
def test_broken_compressed_codes(counts: str) -> None:
    message = r"here: the run-length(s do not fit the image| code is broken)"
    with pytest.raises(DatasetError, match=message):
        decode_segmentation({"size": [3, 4], "counts": counts}, (3, 4), "here")
