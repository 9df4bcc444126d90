"""Predictions and truth named and placed as other tools do: scored, or one line that says why not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from label_formats import matlab, npy, palette_png, png, seg_npy, tiff
from label_maps import discs

from cellbench.cli import main
from cellbench.labels import LabelMap

STEMS = ("plate1", "plate2", "plate3")


class Scored(NamedTuple):
    """What ``cellbench evaluate`` wrote and printed."""

    status: int
    scores: pd.DataFrame
    record: dict[str, object]
    out: str
    err: str


Evaluate = Callable[..., Scored]


def write(path: Path, labels: LabelMap) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    writers = {".png": png, ".npy": npy, ".mat": matlab}
    if path.name.lower().endswith("_seg.npy"):
        seg_npy(path, labels)
    else:
        writers.get(path.suffix.lower(), tiff())(path, labels)


def write_all(folder: Path, name: str, stems: tuple[str, ...] = STEMS) -> None:
    for number, stem in enumerate(stems):
        write(folder / name.format(stem), discs(seed=number))


@pytest.fixture
def evaluate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Evaluate:
    """Write a truth, and return what scores predictions against it."""
    if not (tmp_path / "truth").exists():
        write_all(tmp_path / "truth", "{}_label.tiff")

    def run(predictions: str = "pred", truth: str = "truth") -> Scored:
        out = tmp_path / "board/scores.csv"
        words = ["evaluate", str(tmp_path / truth), str(tmp_path / predictions), "--out", str(out)]
        status = main(words)
        printed = capsys.readouterr()
        err = printed.err + "".join(f"{message}\n" for message in caplog.messages)
        scores = pd.read_csv(out) if out.exists() else pd.DataFrame()
        record = json.loads(out.with_suffix(".json").read_text()) if out.exists() else {}
        return Scored(status, scores, record, printed.out, err)

    return run


@pytest.mark.parametrize(
    "name",
    [
        "{}_label.tiff",
        "{}_Label.TIF",
        "{}_LABEL.ome.tif",
        "{}.tif",
        "{}.png",
        "{}_cp_masks.png",
        "{}_cp_masks.tif",
        "{}_masks.tif",
        "{}-mask.png",
        "{} labels.tif",
        "{}_seg.npy",
        "{}.npy",
        "{}.mat",
        "{}.tif_label.tiff",
        "mask_{}.png",
        "masks/{}.tif",  # one folder too many
        "pred/{}_label.tiff",
        "pred/masks/{}_cp_masks.png",
        "mat/{}.mat",  # HoVer-Net
        "{}/label.tif",
        "{}/{}_masks.png",
    ],
)
def test_names_of_other_tools(name: str, evaluate: Evaluate, tmp_path: Path) -> None:
    for number, stem in enumerate(STEMS):
        write(tmp_path / "pred" / name.format(stem, stem), discs(seed=number))
    scored = evaluate()
    assert (scored.status, scored.err) == (0, "")
    assert scored.scores[["algorithm", "image", "f1", "status"]].values.tolist() == [
        ["pred", stem, 1.0, "ok"] for stem in STEMS
    ]
    assert "unmatched" not in scored.record


@pytest.mark.parametrize("name", ["{}.png", "{}_masks.tif", "{}_Label.TIF", "labels/{}_label.tif"])
def test_truth_under_other_names(name: str, evaluate: Evaluate, tmp_path: Path) -> None:
    write_all(tmp_path / "other", name)
    write_all(tmp_path / "pred", "{}_cp_masks.png")
    scored = evaluate(truth="other")
    assert (scored.status, scored.err) == (0, "")
    assert scored.scores["image"].tolist() == list(STEMS)
    assert scored.scores["f1"].tolist() == [1.0] * 3


def test_what_cellpose_leaves_beside_images(evaluate: Evaluate, tmp_path: Path) -> None:
    write_all(tmp_path / "pred", "{}_cp_masks.png")
    write_all(tmp_path / "pred", "{}_seg.npy")
    for stem in STEMS:
        for name in (f"{stem}.png", f"{stem}_cp_outlines.png", f"{stem}_flows.tif"):
            write(tmp_path / "pred" / name, discs(seed=9))
    scored = evaluate()
    assert (scored.status, scored.err) == (0, "")
    assert scored.scores["f1"].tolist() == [1.0] * 3


def test_nothing_fits(evaluate: Evaluate, tmp_path: Path) -> None:
    write_all(tmp_path / "pred", "{}_label.tiff", ("a", "b", "c", "d", "e"))
    scored = evaluate()
    assert scored.status == 1
    assert scored.err == (
        f"cellbench: {tmp_path}/pred: no file has the name of an image; wanted plate1_label.tiff (or "
        "plate1.tif, plate1_cp_masks.png, plate1_seg.npy, …), found a_label.tiff, b_label.tiff, "
        "c_label.tiff and 2 more; rename the files\n"
    )
    assert not (tmp_path / "board").exists()


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


def test_some_fit(evaluate: Evaluate, tmp_path: Path) -> None:
    write_all(tmp_path / "pred", "{}_cp_masks.png", ("plate1", "plate2", "plat3", "x"))
    (tmp_path / "pred/plate3.jpg").write_bytes(b"x")
    scored = evaluate()
    assert scored.status == 0
    assert scored.scores["status"].tolist() == ["ok", "ok", "missing"]
    files = ["plat3_cp_masks.png", "plate3.jpg", "x_cp_masks.png"]
    assert scored.err == (
        f"{tmp_path}/pred: no label map for 1 of 3 images, scored 0 (status: missing): plate3\n"
        f"{tmp_path}/pred: 3 files fit no image and are not scored: {', '.join(files)}\n"
    )
    assert scored.record["unmatched"] == {"pred": files}


def test_plain_names_beside_others_are_listed(evaluate: Evaluate, tmp_path: Path) -> None:
    """``plate3.tif`` could be the image."""
    write_all(tmp_path / "pred", "{}_label.tiff", STEMS[:2])
    write_all(tmp_path / "pred", "{}.tif", STEMS)
    scored = evaluate()
    assert scored.scores["status"].tolist() == ["ok", "ok", "missing"]
    assert scored.err.endswith("1 file may be an image and is not scored: plate3.tif\n")


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


def test_a_binary_mask_is_scored_and_named(evaluate: Evaluate, tmp_path: Path) -> None:
    for number, stem in enumerate(STEMS):
        mask = (discs(seed=number) > 0).astype(np.uint8) * 255
        write(tmp_path / "pred" / f"{stem}_label.png", mask)
    scored = evaluate()
    assert scored.status == 0
    assert scored.scores["predicted_cells"].tolist() == [1, 1, 1]
    assert scored.err == (
        f"{tmp_path}/pred/plate1_label.png: holds one id in {discs().max()} pieces; is this a binary mask? "
        "(2 more files like this) Each cell needs an id of its own; connected-component labelling "
        "(scikit-image's label, MorphoLibJ in Fiji) gives one to each piece of a mask\n"
    )


@pytest.mark.parametrize("number", [2, 200])
def test_a_map_of_classes_and_a_picture_are_named(
    number: int, evaluate: Evaluate, tmp_path: Path
) -> None:
    classes = np.random.default_rng(0).integers(0, number + 1, (3, *discs().shape))
    write(tmp_path / "pred/plate1.png", classes[0].astype(np.uint8))
    write(tmp_path / "pred/plate2.png", classes[1].astype(np.uint8))
    write(tmp_path / "pred/plate3.png", discs(seed=2))
    scored = evaluate()
    assert scored.scores["f1"].tolist() == [0.0, 0.0, 1.0]
    assert f"{tmp_path}/pred/plate1.png: holds {number} ids in " in scored.err
    assert "; is this a picture or a map of classes? (1 more file like this) Each" in scored.err
    assert scored.err.count("\n") == 1


def test_no_false_alarm_about_label_maps_without_a_match(
    evaluate: Evaluate, tmp_path: Path
) -> None:
    write(tmp_path / "pred/plate1.tif", np.zeros_like(discs()))
    write(tmp_path / "pred/plate2.tif", np.pad(np.ones((80, 90), np.uint8), ((8, 8), (11, 11))))
    write(tmp_path / "pred/plate3.tif", np.roll(discs(seed=7), 9))
    scored = evaluate()
    assert scored.scores["status"].tolist() == ["ok"] * 3
    assert scored.err == ""


def test_a_binary_mask_as_truth_is_named_once(evaluate: Evaluate, tmp_path: Path) -> None:
    write(tmp_path / "masks/a.png", (discs() > 0).astype(np.uint8))
    for team in ("teamA", "teamB"):
        write(tmp_path / "all" / team / "a.png", discs())
    scored = evaluate("all", "masks")
    assert scored.err.count("\n") == 1
    assert (
        f"masks/a.png: holds one id in {discs().max()} pieces; is this a binary mask? E"
        in scored.err
    )


def test_indices_of_a_palette_are_ids(evaluate: Evaluate, tmp_path: Path) -> None:
    (tmp_path / "pred").mkdir()
    for number, stem in enumerate(STEMS):
        palette_png(tmp_path / "pred" / f"{stem}.png", discs(seed=number).astype(np.uint8))
    assert evaluate().scores["f1"].tolist() == [1.0] * 3


def test_whole_floats_and_fractions(evaluate: Evaluate, tmp_path: Path) -> None:
    write(tmp_path / "pred/plate1.tif", discs(seed=0).astype(np.float32))
    write(tmp_path / "pred/plate2.npy", discs(seed=1)[None].astype(np.float64))
    write(tmp_path / "pred/plate3.tif", discs(seed=2) / np.float32(2))
    scored = evaluate()
    assert scored.scores["status"].tolist() == ["ok", "ok", "invalid"]
    assert scored.scores["f1"].tolist() == [1.0, 1.0, 0.0]
    assert (
        "plate3.tif: ids must be whole numbers, but this array contains 0.5; it may" in scored.err
    )


def test_a_pickle_that_would_run_a_program(evaluate: Evaluate, tmp_path: Path) -> None:
    class Harmful:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "harm",)

    write_all(tmp_path / "pred", "{}_seg.npy", STEMS[:2])
    with (tmp_path / "pred/plate3_seg.npy").open("wb") as file:
        np.save(file, np.array({"masks": discs(), "x": Harmful()}), allow_pickle=True)
    scored = evaluate()
    assert scored.scores["status"].tolist() == ["ok", "ok", "unreadable"]
    assert "it refers to" in scored.err
    assert "which is not an array" in scored.err
    assert not (tmp_path / "harm").exists()


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
    "name",
    [
        "{}_instanseg_prediction.tiff",
        "{}_Object Identities.tiff",  # ilastik
        "{}-labelled.png",  # QuPath
        "{}_cpsam_masks.tif",
        "{}_whole_cell.tiff",
        "{}_feature_0.tif",  # Mesmer
        "{}_LblImg.tif",  # TrackMate
        "{}_cells.tif",
        "prediction_{}.tif",
    ],
)
def test_one_other_ending_of_known_words(name: str, evaluate: Evaluate, tmp_path: Path) -> None:
    write_all(tmp_path / "pred", name)
    scored = evaluate()
    assert (scored.status, scored.err) == (0, "")
    assert scored.scores["f1"].tolist() == [1.0] * 3


def test_two_other_endings_are_not_guessed(evaluate: Evaluate, tmp_path: Path) -> None:
    write_all(tmp_path / "pred", "{}_cells.tif")
    write_all(tmp_path / "pred", "{}_nuclei.tif")
    scored = evaluate()
    assert scored.status == 1
    assert "found plate1_cells.tif, plate1_nuclei.tif, plate2_cells.tif and 3 more" in scored.err


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


def test_truth_with_two_endings(evaluate: Evaluate, tmp_path: Path) -> None:
    write_all(tmp_path / "pred", "{}.tif")
    write(tmp_path / "truth/plate4_masks.png", discs())
    scored = evaluate()
    assert scored.scores["f1"].tolist() == [1.0] * 3
    assert scored.err == (
        f"{tmp_path}/truth: the truth consists of the files that are named as plate1_label.tiff; not used: "
        "plate4_masks.png\n"
    )


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


def test_names_of_the_cell_tracking_challenge(evaluate: Evaluate, tmp_path: Path) -> None:
    for number, stem in enumerate(("t000", "t001")):
        write(tmp_path / "true" / f"{stem}_label.tiff", discs(seed=number))
        write(tmp_path / "pred" / f"{stem.replace('t', 'mask')}.tif", discs(seed=number))
    scored = evaluate(truth="true")
    assert (scored.err, scored.scores["f1"].tolist()) == ("", [1.0, 1.0])
