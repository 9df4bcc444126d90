"""COCO files as annotation tools and detectors write them: imported, scored, or refused in one line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cellbench.cli import main
from cellbench.labels import LabelMap, encode_cells, read_labels, write_labels

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


def as_code(content: Json) -> None:
    for cell in content["annotations"]:
        left, top, right, bottom = np.array(cell["segmentation"][0])[[0, 1, 2, 5]]
        mask = np.zeros(SHAPE, bool)
        mask[top:bottom, left:right] = True
        cell["segmentation"] = {"size": list(SHAPE), "counts": counts(mask)}


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


def compressed(content: Json) -> None:
    from pycocotools import mask

    as_code(content)
    for cell in content["annotations"]:
        code = mask.frPyObjects(cell["segmentation"], *SHAPE)
        cell["segmentation"] = {"size": list(SHAPE), "counts": code["counts"].decode()}


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


def test_folders_in_names(content: Json, tmp_path: Path) -> None:
    for folder, image in zip(("train", "val"), content["images"], strict=True):
        (tmp_path / "images" / folder).mkdir()
        (tmp_path / "images" / image["file_name"]).rename(
            tmp_path / "images" / folder / image["file_name"]
        )
        image["file_name"] = f"{folder}/{image['file_name']}"
    assert run_import(tmp_path, content) == 0
    check_import(tmp_path)


def test_images_of_one_name_in_two_folders(content: Json, tmp_path: Path) -> None:
    for folder, image in zip(("plate1", "plate2"), content["images"], strict=True):
        (tmp_path / "images" / folder).mkdir()
        path = tmp_path / "images" / image["file_name"]
        path.rename(tmp_path / "images" / folder / "well.png")
        image["file_name"] = f"{folder}/well.png"
    assert run_import(tmp_path, content) == 0
    found = imported(tmp_path)
    assert list(found) == ["plate1_well", "plate2_well"]
    for stem, labels in zip(BOXES, found.values(), strict=True):
        np.testing.assert_array_equal(labels, truth(stem))


def test_nested_images_as_in_livecell(content: Json, tmp_path: Path) -> None:
    for folder, stem in zip(("A172", "BT474"), BOXES, strict=True):
        nested = tmp_path / "images/livecell_train_val_images" / folder
        nested.mkdir(parents=True)
        (tmp_path / "images" / f"{stem}.png").rename(nested / f"{stem}.png")
    assert run_import(tmp_path, content) == 0
    check_import(tmp_path)


def test_images_beside_the_file(content: Json, tmp_path: Path) -> None:
    for stem in BOXES:
        (tmp_path / "images" / f"{stem}.png").rename(tmp_path / f"{stem}.png")
    (tmp_path / "images").rmdir()
    assert run_import(tmp_path, content) == 0
    check_import(tmp_path)


def test_two_files_of_one_name_are_not_guessed(
    content: Json, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "images/a.png").unlink()
    save_image(tmp_path / "images/one/a.png")
    save_image(tmp_path / "images/two/a.png")
    assert run_import(tmp_path, content) == 1
    assert "may be a.png; name the folder of images with --images" in refused(capsys)
    content["images"][0]["file_name"] = "data/two/a.png"
    assert run_import(tmp_path, content) == 0
    check_import(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "../a.png",
        "images/../../a.png",
        "..\\a.png",
        "/etc/a.png",
        "C:\\a.png",
        "c:a.png",
        "\\\\server\\a.png",
        "https://host/a.png",
        ".hidden/a.png",
        "a\n.png",
        "a\0.png",
        "\ud800.png",
        "x" * 300,
        "",
        ".",
        None,
        7,
        ["a.png"],
    ],
)
def test_names_that_leave_the_folder(
    name: object, content: Json, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_image(tmp_path.parent / "a.png")
    content["images"][0]["file_name"] = name
    assert run_import(tmp_path, content) == 1
    assert "is not the name of a file inside the folder" in refused(capsys)


def test_links_that_leave_the_folder(
    content: Json, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "images").mkdir()
    for stem in BOXES:
        (source / "images" / f"{stem}.png").symlink_to(tmp_path / "images" / f"{stem}.png")
    assert run_import(source, content) == 1
    assert "is a link to a file outside" in refused(capsys)
    # A folder that the user names may be anywhere.
    assert run_import(source, content, "--images", str(tmp_path / "images")) == 0
    check_import(source)


def test_missing_images(content: Json, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in (3, 4):
        content["images"].append({"id": number, "file_name": f"gone{number}.png"})
    assert run_import(tmp_path, content) == 1
    message = refused(capsys)
    assert "names gone3.png, which is not in" in message
    assert "2 of 4 images are missing" in message
    assert "--skip-missing" in message
    assert run_import(tmp_path, content, "--skip-missing") == 0
    check_import(tmp_path)
    assert "images left out because they are missing: 2 of 4, the first is gone3.png" in (
        capsys.readouterr().out
    )


def test_annotations_of_images_that_are_not_listed(
    content: Json, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content["annotations"].append({"id": 8, "image_id": 5, "segmentation": [[0, 0, 3, 0, 3, 3]]})
    assert run_import(tmp_path, content) == 0
    check_import(tmp_path)
    assert (
        "annotations left out because their image is not listed: 1, the first is annotation 8 of image 5"
        in capsys.readouterr().out
    )


def test_images_without_annotations(
    content: Json, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_import(tmp_path, content | {"annotations": []}) == 0
    assert "contains no annotations, the images are without cells" in capsys.readouterr().out
    assert imported(tmp_path)["a"].max() == 0


def test_results_are_no_dataset(
    content: Json, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_import(tmp_path, content["annotations"]) == 1
    assert "a file of results without images" in refused(capsys)


# Predictions.


@pytest.fixture
def results(content: Json, tmp_path: Path) -> list[Json]:
    """Save the truth, and return the true cells as a detector would write them."""
    for stem in BOXES:
        write_labels(tmp_path / "truth" / f"{stem}_label.tiff", truth(stem))
    compressed(content)
    (tmp_path / "instances.json").write_text(json.dumps(content))
    kept = ("image_id", "category_id", "segmentation")
    return [{key: cell[key] for key in kept} | {"score": 0.9} for cell in content["annotations"]]


def evaluate(folder: Path, content: object, *options: str) -> int:
    (folder / "results.json").write_text(json.dumps(content))
    paths = [str(folder / name) for name in ("truth", "results.json")]
    return main(["evaluate", *paths, "--out", str(folder / "scores.csv"), *options])


def scored(folder: Path) -> dict[str, list[float]]:
    scores = pd.read_csv(folder / "scores.csv", dtype={"image": str}).set_index("image")
    return scores[["tp", "fp", "fn"]].T.to_dict("list")


PERFECT = {"a": [2, 0, 0], "b": [2, 0, 0]}
"""True positives, false positives and false negatives."""


def counted(folder: Path, content: object, *options: str) -> dict[str, list[float]]:
    assert evaluate(folder, content, *options) == 0
    return scored(folder)


def test_results_with_ids_of_a_coco_file(
    results: list[Json], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(tmp_path, results) == 1
    message = refused(capsys)
    assert "image id 1 of detection 1 is not the name of an image" in message
    assert "wanted, for example, a;" in message
    assert "--coco-images" in message
    listing = str(tmp_path / "instances.json")
    assert counted(tmp_path, results, "--coco-images", listing) == PERFECT
    capsys.readouterr()
    assert evaluate(tmp_path, results, "--coco-images", str(tmp_path / "results.json")) == 1
    assert "lists no images" in refused(capsys)


@pytest.mark.parametrize("suffix", ["", ".png", ".tif"])
@pytest.mark.parametrize("folder", ["", "val/", "images\\"])
def test_results_with_names_as_ids(
    folder: str, suffix: str, results: list[Json], tmp_path: Path
) -> None:
    for cell in results:
        cell["image_id"] = folder + "ab"[cell["image_id"] - 1] + suffix
    assert counted(tmp_path, results) == PERFECT


def test_a_dataset_as_predictions(content: Json, results: list[Json], tmp_path: Path) -> None:
    assert results
    assert counted(tmp_path, content) == PERFECT


def test_a_numeric_id_that_is_a_name(
    results: list[Json], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number, stem in enumerate(BOXES, start=1):
        (tmp_path / f"truth/{stem}_label.tiff").rename(tmp_path / f"truth/{number}_label.tiff")
    assert counted(tmp_path, results)["1"] == [2, 0, 0]
    assert "the image ids are taken as file names, for example 1" in caplog.text


def test_the_score_threshold(
    results: list[Json],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    listing = ("--coco-images", str(tmp_path / "instances.json"))
    results[0]["score"] = "0.3"
    assert counted(tmp_path, results, *listing)["a"] == [1, 0, 1]
    assert "1 of 4 detections have a score below 0.5 and are not used" in caplog.text
    caplog.clear()
    assert counted(tmp_path, results, *listing, "--score-threshold", "0.3")["a"] == [2, 0, 0]
    assert not caplog.text
    capsys.readouterr()
    assert evaluate(tmp_path, results, *listing, "--score-threshold", "0.95") == 1
    assert "no detection has a score of 0.95 or more, the highest is 0.9" in refused(capsys)
    assert evaluate(tmp_path, results, *listing, "--score-threshold", "nan") == 2


def test_the_higher_score_keeps_the_pixels(results: list[Json], tmp_path: Path) -> None:
    listing = ("--coco-images", str(tmp_path / "instances.json"))
    cover = {"image_id": 1, "segmentation": [polygon((2, 2, 28, 18))]}
    assert counted(tmp_path, [*results, cover | {"score": 0.8}], *listing)["a"] == [2, 1, 0]
    assert counted(tmp_path, [cover | {"score": 0.95}, *results], *listing)["a"] == [0, 1, 2]
    # With equal scores, the smaller one keeps them.
    assert counted(tmp_path, [*results, cover | {"score": 0.9}], *listing)["a"] == [2, 1, 0]


def test_images_without_detections_and_detections_without_image(
    results: list[Json], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    listing = ("--coco-images", str(tmp_path / "instances.json"))
    stray = results[2] | {"image_id": 77}
    assert counted(tmp_path, [*results[:2], stray], *listing)["b"][0] == 0
    assert "1 detections are of images that are not listed" in caplog.text
    assert "no detections for 1 of 2 images, the first is b" in caplog.text
    assert pd.read_csv(tmp_path / "scores.csv")["status"].tolist() == ["ok", "ok"]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ([], "contains no detections"),
        ({}, "lacks the entry 'annotations'"),
        ([1], "does not have the structure of a COCO file"),
        ([{"score": 1}], "lacks the entry 'image_id'"),
        ([{"image_id": "a", "bbox": [1, 2, 3, 4], "score": 1}], "has boxes only"),
        ([{"image_id": "a", "score": "high"}], "the score 'high' is not a number"),
        ([{"image_id": "a", "score": float("nan")}], "the score nan is not a number"),
        ([{"image_id": None}], "the image of detection 1 has the id None"),
    ],
)
def test_files_that_are_no_results(
    broken: object,
    message: str,
    results: list[Json],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert results
    assert evaluate(tmp_path, broken) == 1
    assert message in refused(capsys)


def test_a_broken_detection_spoils_its_image_alone(
    results: list[Json], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    results[0]["segmentation"] = {"size": [9, 9], "counts": "P1"}
    assert (
        counted(tmp_path, results, "--coco-images", str(tmp_path / "instances.json"))["a"][0] == 0
    )
    assert "detection 1 of image a: has the size [9, 9]" in caplog.text
    assert pd.read_csv(tmp_path / "scores.csv")["status"].tolist() == ["invalid", "ok"]


def test_options_without_effect_are_refused(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    codes = (f"a,{runs}" for _, runs in encode_cells(truth("a")))
    table.write_text("\n".join(["id,predicted", *codes]))
    write_labels(tmp_path / "truth/a_label.tiff", truth("a"))
    words = ["evaluate", str(tmp_path / "truth"), str(table), "--out", str(tmp_path / "s.csv")]
    assert main([*words, "--score-threshold", "0.5"]) == 2
    assert main(words) == 0


def test_predictions_of_other_images(
    results: list[Json], content: Json, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert results
    for number, image in enumerate(content["images"]):
        image["file_name"] = f"well{number}.png"
    assert evaluate(tmp_path, content) == 1
    message = refused(capsys)
    assert "contains none of the images of the truth" in message
    assert "wanted, for example, a, found 'well0', 'well1'" in message


def test_the_annotation_file_as_source(content: Json, tmp_path: Path) -> None:
    (tmp_path / "instances.json").write_text(json.dumps(content))
    (tmp_path / "other.json").write_text("{}")
    words = ["data", "import", "coco", str(tmp_path / "instances.json"), str(tmp_path / "out")]
    assert main([*words, "--split", "test"]) == 0
    check_import(tmp_path)


def test_a_file_as_truth(
    results: list[Json], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert results
    listing = str(tmp_path / "instances.json")
    words = ["evaluate", listing, str(tmp_path / "truth"), "--out", str(tmp_path / "s.csv")]
    assert main(words) == 1
    message = refused(capsys)
    assert f"convert it with `cellbench data import coco {listing} ROOT --split test`" in message


def test_ids_of_several_lines_are_not_shown(
    content: Json, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content["categories"].append({"id": "a\nb", "name": "debris"})
    assert run_import(tmp_path, content, "--categories", "nothing") == 1
    assert "choose from cell (id 1)\n" in refused(capsys)
