"""A COCO file with two images of two cells each, and what reads it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cellbench.cli import main
from cellbench.labels import LabelMap, read_labels

SHAPE = (20, 30)
# Two cells per image; a polygon (x1, y1, x2, y2, …) of a box covers exactly its pixels.
BOXES = {"a": [(2, 3, 9, 8), (12, 5, 25, 17)], "b": [(3, 3, 6, 6), (20, 10, 27, 17)]}

Json = dict[str, Any]


def truth(stem: str) -> LabelMap:
    labels = np.zeros(SHAPE, np.uint16)
    for number, (left, top, right, bottom) in enumerate(BOXES[stem], start=1):
        labels[top:bottom, left:right] = number
    return labels


def polygon(box: tuple[int, int, int, int]) -> list[int]:
    left, top, right, bottom = box
    return [left, top, right, top, right, bottom, left, bottom]


def counts(mask: np.ndarray) -> list[int]:
    """Return the plain run-length code of COCO."""
    flat = mask.T.ravel()
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flat])))
    return np.diff([0, *edges, flat.size]).tolist()


@pytest.fixture
def content(tmp_path: Path) -> Json:
    """Save two images, and return the COCO file of their cells."""
    for stem in BOXES:
        save_image(tmp_path / "images" / f"{stem}.png")
    images = [
        {"id": number, "file_name": f"{stem}.png", "height": SHAPE[0], "width": SHAPE[1]}
        for number, stem in enumerate(BOXES, start=1)
    ]
    cells = [
        {"image_id": number, "category_id": 1, "segmentation": [polygon(box)], "iscrowd": 0}
        for number, boxes in enumerate(BOXES.values(), start=1)
        for box in boxes
    ]
    annotations = [{"id": number} | cell for number, cell in enumerate(cells, start=1)]
    categories = [{"id": 1, "name": "cell"}]
    return {"images": images, "annotations": annotations, "categories": categories}


def save_image(path: Path, level: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full(SHAPE, level + ord(path.stem[0]) % 7, np.uint8)).save(path)


def run_import(folder: Path, content: object, *options: str) -> int:
    (folder / "instances.json").write_text(json.dumps(content))
    return main(
        ["data", "import", "coco", str(folder), str(folder / "out"), "--split", "test", *options]
    )


def imported(folder: Path) -> dict[str, LabelMap]:
    paths = sorted((folder / "out/test/labels").iterdir())
    return {path.name.removesuffix("_label.tiff"): read_labels(path) for path in paths}


def check_import(folder: Path) -> None:
    found = imported(folder)
    assert list(found) == list(BOXES)
    for stem, labels in found.items():
        np.testing.assert_array_equal(labels, truth(stem))


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the message of a refusal, which is one line."""
    error = capsys.readouterr().err
    assert error.startswith("cellbench: ")
    assert error.count("\n") == 1
    return error


def as_code(content: Json) -> None:
    for cell in content["annotations"]:
        left, top, right, bottom = np.array(cell["segmentation"][0])[[0, 1, 2, 5]]
        mask = np.zeros(SHAPE, bool)
        mask[top:bottom, left:right] = True
        cell["segmentation"] = {"size": list(SHAPE), "counts": counts(mask)}


def compressed(content: Json) -> None:
    from pycocotools import mask

    as_code(content)
    for cell in content["annotations"]:
        code = mask.frPyObjects(cell["segmentation"], *SHAPE)
        cell["segmentation"] = {"size": list(SHAPE), "counts": code["counts"].decode()}
