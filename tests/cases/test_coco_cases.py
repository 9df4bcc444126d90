"""Cells of COCO files in every spelling of annotation tools: imported, or refused in one line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from coco_content import (
    SHAPE,
    Json,
    as_code,
    check_import,
    compressed,
    imported,
    polygon,
    refused,
    run_import,
)


def unnested(content: Json) -> None:
    for cell in content["annotations"]:
        numbers = cell["segmentation"][0]
        cell["segmentation"] = [numbers[k : k + 2] for k in range(0, len(numbers), 2)]


def flat(content: Json) -> None:
    for cell in content["annotations"]:
        cell["segmentation"] = cell["segmentation"][0]


def nested_points(content: Json) -> None:
    unnested(content)
    for cell in content["annotations"]:
        cell["segmentation"] = [cell["segmentation"]]


def contours_of_opencv(content: Json) -> None:
    unnested(content)
    for cell in content["annotations"]:
        cell["segmentation"] = [[point] for point in cell["segmentation"]]


def list_with_one_code(content: Json) -> None:
    as_code(content)
    for cell in content["annotations"]:
        cell["segmentation"] = [cell["segmentation"]]


def code_with_text(content: Json) -> None:
    as_code(content)
    for cell in content["annotations"]:
        cell["segmentation"]["size"] = [str(side) for side in SHAPE]
        cell["segmentation"]["counts"] = [float(n) for n in cell["segmentation"]["counts"]]


def code_without_size(content: Json) -> None:
    as_code(content)
    for cell in content["annotations"]:
        del cell["segmentation"]["size"]


def code_without_last_background(content: Json) -> None:
    as_code(content)
    code = content["annotations"][0]["segmentation"]
    code["counts"] = code["counts"][:-1]


def text_of_bytes(content: Json) -> None:
    compressed(content)
    for cell in content["annotations"]:
        cell["segmentation"]["counts"] = str(cell["segmentation"]["counts"].encode())


def text_ids(content: Json) -> None:
    for cell in content["annotations"]:
        cell |= {"id": str(cell["id"]), "image_id": str(cell["image_id"]), "category_id": "1"}


def float_ids(content: Json) -> None:
    for cell in content["annotations"]:
        cell["image_id"] = float(cell["image_id"])


def text_sizes(content: Json) -> None:
    for image in content["images"]:
        image |= {"height": str(SHAPE[0]), "width": f"{SHAPE[1]}.0"}


def no_sizes(content: Json) -> None:
    content["images"][0] |= {"height": None, "width": ""}
    del content["images"][1]["height"]


def text_crowds(content: Json) -> None:
    for value, cell in zip(("0", False, None, "false"), content["annotations"], strict=True):
        cell["iscrowd"] = value


def no_crowds(content: Json) -> None:
    for cell in content["annotations"]:
        del cell["iscrowd"]


def text_crowd(content: Json) -> None:
    cover = {"size": list(SHAPE), "counts": [0, SHAPE[0] * SHAPE[1]]}
    for value in ("1", True, 1.0):
        crowd = {"image_id": 1, "category_id": 1, "segmentation": cover, "iscrowd": value}
        content["annotations"].append(crowd)


def dictionary(content: Json) -> None:
    content["annotations"] = {str(cell["id"]): cell for cell in content["annotations"]}


def images_prefix(content: Json) -> None:
    for image in content["images"]:
        image["file_name"] = f"images/{image['file_name']}"


def windows_prefix(content: Json) -> None:
    for image in content["images"]:
        image["file_name"] = f".\\images\\{image['file_name']}"


def other_machine(content: Json) -> None:
    for image in content["images"]:
        image["file_name"] = f"upload/17/{image['file_name'].upper()}"


def other_extension(content: Json) -> None:
    for image in content["images"]:
        image["file_name"] = image["file_name"].replace(".png", ".tif")


def no_extension(content: Json) -> None:
    for image in content["images"]:
        image["file_name"] = image["file_name"].removesuffix(".png")


SPELLINGS: list[Callable[[Json], None]] = [
    *(unnested, flat, nested_points, contours_of_opencv),
    *(as_code, list_with_one_code, code_with_text, code_without_size, compressed),
    *(text_of_bytes, code_without_last_background, text_ids, float_ids, text_sizes, no_sizes),
    *(text_crowds, no_crowds, text_crowd, dictionary),
    *(images_prefix, windows_prefix, other_machine, other_extension, no_extension),
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_gives_the_same_cells(
    spelling: Callable[[Json], None], content: Json, tmp_path: Path
) -> None:
    spelling(content)
    assert run_import(tmp_path, content) == 0
    check_import(tmp_path)


@pytest.mark.parametrize("empty", [[], [[]], None, {}, [[1, 1, 4, 4]]])
def test_a_cell_without_pixels_is_counted(
    empty: object, content: Json, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content["annotations"].append({"id": 9, "image_id": 1, "segmentation": empty})
    assert run_import(tmp_path, content) == 0
    check_import(tmp_path)
    assert "a.png: cells without a pixel of their own are left out: 1" in capsys.readouterr().out


def test_boxes_alone_are_no_cells(
    content: Json, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for cell in content["annotations"]:
        cell["segmentation"] = []
    assert run_import(tmp_path, content) == 1
    assert "no annotation has an outline (the first is annotation 1)" in refused(capsys)


def test_categories_are_chosen_by_name_or_id(
    content: Json, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content["categories"].append({"id": 2, "name": "well border"})
    border = {"image_id": 1, "category_id": 2, "segmentation": [polygon((0, 0, 30, 20))]}
    content["annotations"].append(border)
    assert run_import(tmp_path, content) == 0
    merged = (
        "all categories are imported as cells (cell: 4, well border: 1); choose with --categories"
    )
    assert merged in capsys.readouterr().out
    assert imported(tmp_path)["a"].max() == 3
    for wanted in ("cell", "1", "Cell,", "cell,nothing"):
        status = run_import(tmp_path, content, "--categories", wanted)
        if wanted == "cell,nothing":
            assert status == 1
            assert (
                "has no category 'nothing'; choose from cell (id 1), well border (id 2)"
                in refused(capsys)
            )
        else:
            assert status == 0
            check_import(tmp_path)
            assert "not imported: well border: 1" in capsys.readouterr().out
    assert run_import(tmp_path, content, "--categories", "cell, well border") == 0
    assert imported(tmp_path)["a"].max() == 3


def test_ids_of_several_lines_are_not_shown(
    content: Json, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content["categories"].append({"id": "a\nb", "name": "debris"})
    assert run_import(tmp_path, content, "--categories", "nothing") == 1
    assert "choose from cell (id 1)\n" in refused(capsys)
