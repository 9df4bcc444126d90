"""Results of detectors in COCO files: scored, or refused in one line."""

import json
from pathlib import Path

import pandas as pd
import pytest
from coco_content import (
    BOXES,
    Json,
    compressed,
    polygon,
    refused,
    truth,
)

from cellbench.cli import main
from cellbench.labels import encode_cells, write_labels


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


def test_a_file_as_truth(
    results: list[Json], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert results
    listing = str(tmp_path / "instances.json")
    words = ["evaluate", listing, str(tmp_path / "truth"), "--out", str(tmp_path / "s.csv")]
    assert main(words) == 1
    message = refused(capsys)
    assert f"convert it with `cellbench data import coco {listing} ROOT --split test`" in message
