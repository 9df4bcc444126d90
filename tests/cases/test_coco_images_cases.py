"""Images that COCO files name in the ways of annotation tools: found, or named in one line."""

import json
from pathlib import Path

import numpy as np
import pytest
from coco_content import (
    BOXES,
    Json,
    check_import,
    imported,
    refused,
    run_import,
    save_image,
    truth,
)

from cellbench.cli import main


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


def test_the_annotation_file_as_source(content: Json, tmp_path: Path) -> None:
    (tmp_path / "instances.json").write_text(json.dumps(content))
    (tmp_path / "other.json").write_text("{}")
    words = ["data", "import", "coco", str(tmp_path / "instances.json"), str(tmp_path / "out")]
    assert main([*words, "--split", "test"]) == 0
    check_import(tmp_path)
