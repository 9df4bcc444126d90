"""COCO files with damage that is still JSON: wrong types, odd numbers, missing and doubled parts."""

import json
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from PIL import Image

from cellbench.data.coco_file import of_categories, read_coco_file
from cellbench.data.importers import import_dataset
from cellbench.errors import CellbenchError
from cellbench.evaluation.coco_results import read_coco_results

SHAPE = (20, 30)

_NESTED: Any = [1]
for _ in range(400):
    _NESTED = [_NESTED]

_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 3.5, 1e9, 1e308, -1e308, 2**31, 2**63, 10**400, 5e-324),
    *(
        float("nan"),
        float("inf"),
        "",
        "0",
        "1",
        "nan",
        "1e400",
        "\ud800",
        "a\nb",
        "\0",
        "\\",
        "../a.png",
    ),
    *(
        "a.png",
        "b",
        "P" * 50,
        "~",
        "P_21l16L2O000O20N",
        "١",
        [],
        {},
        [[]],
        [{}],
        {"a": 1},
        [None],
        [True],
    ),
    *(
        [[1, 1]],
        [[1, 1, 2, 2]],
        [1, 1, 5, 1, 5, 5],
        [[1e12, 0, 3, 1e12, 5, 5]],
        [["a", "b"]],
        [[[[1]]]],
    ),
    *({"size": [20, 30], "counts": ""}, {"size": [20, 30], "counts": []}, {"counts": "0" * 99}),
    *({"size": [10**9, 10**9], "counts": [5]}, {"size": 5, "counts": {}}, _NESTED),
)


def sound() -> dict[str, Any]:
    """Return a COCO file with two images, and with a cell in each form."""
    code = {"size": list(SHAPE), "counts": [45, 5, 15, 5, 530]}
    shapes = [[[2, 3, 9, 3, 9, 8, 2, 8]], [[[12, 5], [25, 5], [20, 17]]], code, [code]]
    shapes += [{"size": list(SHAPE), "counts": "[15?00000000000Q="}]
    cells = [
        {"id": number, "image_id": 1 + number % 2, "category_id": 1, "segmentation": shape}
        | {"iscrowd": 0, "score": 0.5 + number / 10}
        for number, shape in enumerate(shapes)
    ]
    images = [
        {"id": number, "file_name": f"{stem}.png", "height": SHAPE[0], "width": SHAPE[1]}
        for number, stem in enumerate("ab", start=1)
    ]
    return {"images": images, "annotations": cells, "categories": [{"id": 1, "name": "cell"}]}


def damaged(random: Random) -> Any:  # noqa: ANN401
    """Return a COCO file or list of results with one to three wrong parts.

    Args:
        random: decides.
    """
    content: Any = deepcopy(sound())
    if random.random() < 0.3:
        content = content["annotations"]
    for _ in range(random.choice((1, 1, 2, 3))):
        part, key = _place(content, random)
        way = random.random()
        if way < 0.7:
            part[key] = deepcopy(random.choice(_VALUES))
        elif way < 0.85:
            del part[key]
        elif isinstance(part, list):
            part.append(deepcopy(random.choice([part[key], *_VALUES])))
        else:
            part[key] = [part[key]]
    return content


def _place(content: Any, random: Random) -> tuple[Any, Any]:  # noqa: ANN401
    """Choose a part of the file, and a key or index in it."""
    while True:
        part = content
        while True:
            keys = list(part) if isinstance(part, dict) else list(range(len(part)))
            if not keys:
                break
            key = random.choice(keys)
            if not isinstance(part[key], list | dict) or not part[key] or random.random() < 0.2:
                return part, key
            part = part[key]


def save_images(folder: Path) -> None:
    """Save the images that the file names.

    Args:
        folder: the folder of the dataset.
    """
    (folder / "images").mkdir()
    for stem in "ab":
        Image.fromarray(np.zeros(SHAPE, np.uint8)).save(folder / "images" / f"{stem}.png")


def check(folder: Path, content: object) -> None:
    """Import and score a file: it is read, or refused in one line that names it.

    Args:
        folder: the folder with the images.
        content: what the file contains.

    Raises:
        AssertionError: if a message is not one line about the file.
    """
    path = folder / "cells.json"
    path.write_text(json.dumps(content))
    for read in (_import, _select, _score):
        try:
            read(path)
        except CellbenchError as error:
            message = str(error)
            assert "cells.json" in message or ".png" in message, message
            assert "\n" not in message, message
            assert len(message) < 800, message


def _import(path: Path) -> None:
    report = import_dataset("coco", path.parent, path.parent / "out", split="test")
    assert all("\n" not in line for line in report.warnings), report.warnings


def _select(path: Path) -> None:
    of_categories(read_coco_file(path), "cell")


def _score(path: Path) -> None:
    for masks in read_coco_results(path, ["a", "b", "1", "2"]).values():
        masks.fingerprint()
        try:
            labels = masks.open(SHAPE).whole()
        except CellbenchError as error:
            message = str(error)
            assert "\n" not in message
        else:
            assert labels.shape == SHAPE
            assert labels.max() <= len(masks.cells)
