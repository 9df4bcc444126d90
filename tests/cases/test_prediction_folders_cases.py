"""Predictions and truth in the folders that other tools make: scored, or one line that says why not."""

from pathlib import Path

import pytest
from label_maps import discs
from scored_predictions import STEMS, Evaluate, write, write_all


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([], "nothing; name the folder"),
        (["Thumbs.db", ".DS_Store", "__MACOSX/._plate1_label.tiff"], "nothing; name the folder"),
        (
            ["plate1.jpg"],
            "plate1.jpg; save the label maps as .tiff, .tif, .png, .npy, .npz or .mat",
        ),
        (["notes.txt"], "notes.txt; save the label maps as"),
        (["model/deep/deeper/x.tif"], "x.tif; rename the files"),
        (["images/x.tif"], "images/; name the folder that contains the label maps"),
        (
            ["readme.txt", "sub.csv"],
            "readme.txt, sub.csv; if sub.csv contains the predictions, name it",
        ),
        (["masks.zip"], "masks.zip; unpack masks.zip"),
    ],
)
def test_folders_without_label_maps(
    names: list[str], found: str, evaluate: Evaluate, tmp_path: Path
) -> None:
    (tmp_path / "pred").mkdir()
    for name in names:
        (tmp_path / "pred" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pred" / name).write_bytes(b"x")
    scored = evaluate()
    assert scored.status == 1
    assert scored.err.count("\n") == 1
    assert f", found {found}" in scored.err


def test_several_algorithms_and_junk(evaluate: Evaluate, tmp_path: Path) -> None:
    write_all(tmp_path / "all/teamA", "{}_label.tiff")
    write_all(tmp_path / "all/teamB", "masks/{}.tif")
    for junk in (
        "__MACOSX/teamA/._plate1_label.tiff",
        "@eaDir/plate1_label.tiff",
        ".git/plate1.tif",
    ):
        write(tmp_path / "all" / junk, discs())
    for junk in (".DS_Store", "Thumbs.db", "desktop.ini", "teamA/._plate1_label.tiff"):
        (tmp_path / "all" / junk).write_bytes(b"x")
    scored = evaluate("all")
    assert (scored.status, scored.err) == (0, "")
    assert scored.scores["algorithm"].tolist() == ["teamA"] * 3 + ["teamB"] * 3
    assert scored.scores["f1"].tolist() == [1.0] * 6


def test_one_algorithm_of_several_does_not_fit(evaluate: Evaluate, tmp_path: Path) -> None:
    write_all(tmp_path / "all/good", "{}_label.tiff")
    write_all(tmp_path / "all/other", "{}_label.tiff", ("x", "y", "z"))
    scored = evaluate("all")
    assert scored.status == 0
    assert scored.scores["status"].tolist() == ["ok"] * 3 + ["missing"] * 3
    assert f"{tmp_path}/all/other: no file has the name of an image; wanted plate1_" in scored.err
    assert "all of its images are scored 0 (status: missing)" in scored.err
    assert scored.record["unmatched"] == {"other": ["x_label.tiff", "y_label.tiff", "z_label.tiff"]}
    write_all(tmp_path / "none/a", "{}.tif", ("x",))
    write_all(tmp_path / "none/b", "{}.tif", ("y",))
    (tmp_path / "board/scores.csv").unlink()
    assert evaluate("none").status == 1
    assert not (tmp_path / "board/scores.csv").exists()


def test_algorithms_that_are_called_like_images(evaluate: Evaluate, tmp_path: Path) -> None:
    write_all(tmp_path / "all/plate1", "{}.tif")
    write_all(tmp_path / "all/plate2", "{}.tif")
    scored = evaluate("all")
    assert scored.scores["algorithm"].tolist() == ["plate1"] * 3 + ["plate2"] * 3
    assert scored.scores["f1"].tolist() == [1.0] * 6


def test_images_are_not_taken_for_truth(evaluate: Evaluate, tmp_path: Path) -> None:
    write_all(tmp_path / "images", "{}.png")
    write_all(tmp_path / "pred", "{}_label.tiff")
    scored = evaluate(truth="images")
    assert scored.status == 1
    assert scored.err.endswith(
        "images: is a folder of images; name the folder of their label maps\n"
    )


def test_algorithms_one_folder_too_deep(evaluate: Evaluate, tmp_path: Path) -> None:
    for team in ("teamA", "teamB"):
        write_all(tmp_path / "all/all" / team, "{}_label.tiff")
    write(tmp_path / "all/__MACOSX/all/._x.tif", discs())
    scored = evaluate("all")
    assert (scored.status, scored.err) == (0, "")
    assert scored.scores["algorithm"].tolist() == ["teamA"] * 3 + ["teamB"] * 3
    assert scored.scores["f1"].tolist() == [1.0] * 6


def test_an_archive_has_to_be_unpacked(evaluate: Evaluate, tmp_path: Path) -> None:
    (tmp_path / "pred.zip").write_bytes(b"PK\3\4")
    scored = evaluate("pred.zip")
    assert scored.status == 1
    assert scored.err.endswith("name a folder of label maps, or unpack the archive\n")


@pytest.mark.parametrize(
    ("true", "predicted"),
    [
        ("{}_label.tiff", "{}_pred.png"),
        ("{}_gt.png", "{}_pred.png"),
        ("{}_GT.tif", "{}_label.tiff"),
        ("labels/{}_label.tiff", "predictions/{}_label.tiff"),
    ],
)
def test_truth_and_predictions_in_one_folder(
    true: str, predicted: str, evaluate: Evaluate, tmp_path: Path
) -> None:
    write_all(tmp_path / "all", true)
    for stem in STEMS:
        write(tmp_path / "all" / predicted.format(stem), discs(seed=7))
        write(tmp_path / "all" / f"{stem}.tif", discs(seed=8))
    scored = evaluate("all", "all")
    assert scored.status == 0
    assert scored.scores["f1"].max() < 0.9  # not the truth against itself
    if "/" not in true:
        used = [", ".join(name.format(stem) for stem in STEMS) for name in (true, predicted)]
        assert scored.err == (
            f"{tmp_path}/all: also contains the truth; used as truth: {used[0]}; "
            f"used as predictions: {used[1]}\n"
        )


def test_the_truth_as_predictions_is_named(evaluate: Evaluate, tmp_path: Path) -> None:
    scored = evaluate("truth")
    assert scored.scores["f1"].tolist() == [1.0] * 3
    assert scored.err == f"{tmp_path}/truth: the predictions are the files of the truth itself\n"


def test_label_maps_beside_images_of_the_same_names(evaluate: Evaluate, tmp_path: Path) -> None:
    write_all(tmp_path / "pred", "{}.tif")
    write_all(tmp_path / "pred", "{}.png")
    scored = evaluate()
    assert scored.status == 1
    assert scored.err == (
        f"cellbench: {tmp_path}/pred: contains two files for each image, such as plate1.png and "
        "plate1.tif; remove those that are not label maps\n"
    )
    (tmp_path / "pred/plate3.png").unlink()
    scored = evaluate()
    assert scored.scores["status"].tolist() == ["invalid", "invalid", "ok"]
    assert scored.err.endswith(
        "pred: contains both plate1.png and plate1.tif (2 images have two files); scored 0 (status: "
        "invalid), remove one of them\n"
    )


def test_a_folder_for_each_well(evaluate: Evaluate, tmp_path: Path) -> None:
    write(tmp_path / "pred/A01/plate1_cp_masks.png", discs(seed=0))
    write(tmp_path / "pred/B02/plate2_cp_masks.png", discs(seed=1))
    write(tmp_path / "pred/B02/plate3_cp_masks.png", discs(seed=2))
    write(tmp_path / "pred/B02/x_cp_masks.png", discs(seed=2))
    scored = evaluate()
    assert scored.scores[["algorithm", "f1"]].values.tolist() == [["pred", 1.0]] * 3
    assert scored.record["unmatched"] == {"pred": ["B02/x_cp_masks.png"]}


def test_a_truth_that_is_not_found(evaluate: Evaluate, tmp_path: Path) -> None:
    write_all(tmp_path / "data/test/labels", "{}_label.tiff")
    write_all(tmp_path / "pred", "{}.tif")
    scored = evaluate(truth="data")
    assert scored.status == 1
    assert scored.err.endswith(", found test/; name the folder that contains the true label maps\n")


def test_predictions_that_do_not_exist(evaluate: Evaluate, tmp_path: Path) -> None:
    scored = evaluate("preds")
    assert scored.status == 1
    assert scored.err == f"cellbench: {tmp_path}/preds: no such folder or file; check the path\n"


def test_folders_that_are_not_searched_are_named(evaluate: Evaluate, tmp_path: Path) -> None:
    write_all(tmp_path / "pred", "{}.tif", STEMS[:1])
    write_all(tmp_path / "pred/rest", "{}.tif", STEMS[1:])
    scored = evaluate()
    assert scored.scores["status"].tolist() == ["ok", "missing", "missing"]
    assert scored.err == (
        f"{tmp_path}/pred: no label map for 2 of 3 images, scored 0 (status: missing): plate2, plate3; "
        "folders inside are not searched: rest\n"
    )
