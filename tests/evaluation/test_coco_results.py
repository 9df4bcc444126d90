"""COCO results: which detection gets a pixel, which image an id means, what a fingerprint depends on."""

import json
import logging
import pickle
from pathlib import Path

import pytest

from cellbench.data.coco_file import CocoCell
from cellbench.errors import InvalidLabelsError, ScoresError
from cellbench.evaluation.coco_results import CocoMasks, read_coco_results

LEFT, RIGHT = [[0, 0, 2, 0, 2, 1, 0, 1]], [[1, 0, 4, 0, 4, 1, 1, 1]]


def masks(
    *cells: tuple[object, float | None], size: tuple[int | None, int | None] = (None, None)
) -> CocoMasks:
    found = tuple(
        CocoCell(f"detection {k}", "x", "1", segmentation, False, score, True)
        for k, (segmentation, score) in enumerate(cells, start=1)
    )
    return CocoMasks(Path("r.json"), "x", size, found)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (0.9, 0.8, [1, 1, 2, 2]),
        (0.8, 0.9, [1, 2, 2, 2]),
        (0.9, 0.9, [1, 1, 2, 2]),  # the smaller one
        (None, None, [1, 1, 2, 2]),
        (-0.5, 0.0, [1, 2, 2, 2]),
    ],
)
def test_the_higher_score_keeps_the_pixels(
    left: float | None, right: float | None, expected: list[int]
) -> None:
    found = masks((LEFT, left), (RIGHT, right))
    assert found.open((2, 4)).whole().tolist() == [expected, [0, 0, 0, 0]]
    again = pickle.loads(pickle.dumps(found))
    assert again.open((2, 4)).whole().tolist() == [expected, [0, 0, 0, 0]]


def test_another_size_is_refused() -> None:
    assert masks((LEFT, 1), size=(2, None)).open((2, 4)).shape == (2, 4)
    with pytest.raises(
        InvalidLabelsError, match=r"image x: has the size \(9, 4\) in the COCO file"
    ):
        masks((LEFT, 1), size=(9, 4)).open((2, 4))
    with pytest.raises(InvalidLabelsError, match=r"r\.json, detection 1 of image x: has neither"):
        masks(("P", 1)).open((2, 4))


def test_the_fingerprint_is_of_the_detections() -> None:
    first = masks((LEFT, 0.9), (RIGHT, 0.8))
    moved = CocoMasks(Path("other.json"), "y", first.size, first.cells)
    assert moved.fingerprint() == first.fingerprint()
    others = [
        masks((LEFT, 0.9), (RIGHT, 0.7)),
        masks((LEFT, 0.9)),
        masks((RIGHT, 0.8), (LEFT, 0.9)),
        masks((LEFT, 0.9), (RIGHT, 0.8), size=(2, 4)),
    ]
    assert len({each.fingerprint() for each in [first, *others]}) == 5


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def test_ids_and_names_of_images(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cells = [{"image_id": image, "segmentation": LEFT} for image in ("7", 7.0, "b.png", 9)]
    path = write(tmp_path / "r.json", cells)
    listing = [{"id": 7, "file_name": "x\\a.tif"}, {"id": "8", "file_name": "b.png"}]
    listed = write(tmp_path / "i.json", {"images": listing, "annotations": []})
    with caplog.at_level(logging.WARNING):
        found = read_coco_results(path, ["a", "b"], coco_images=listed)
    assert {name: len(image.cells) for name, image in found.items()} == {"a": 2, "b": 1}
    assert "1 detections are of images that are not listed and are not scored" in caplog.text


def test_two_images_of_one_name(tmp_path: Path) -> None:
    images = [{"id": 1, "file_name": "one/a.png"}, {"id": 2, "file_name": "two/a.png"}]
    cells = [{"image_id": image, "segmentation": LEFT} for image in (1, 2)]
    path = write(tmp_path / "r.json", {"images": images, "annotations": cells})
    with pytest.raises(ScoresError, match="has detections for two images with the name a;"):
        read_coco_results(path, ["a"])
    # LIVECell lists some images twice.
    path = write(tmp_path / "r.json", {"images": images, "annotations": cells[:1]})
    assert len(read_coco_results(path, ["a"])["a"].cells) == 1
