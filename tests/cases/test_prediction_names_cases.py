"""Predictions and truth under the names of other tools: scored, or one line that says why not."""

from pathlib import Path

import pytest
from label_maps import discs
from scored_predictions import STEMS, Evaluate, write, write_all


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


def test_truth_with_two_endings(evaluate: Evaluate, tmp_path: Path) -> None:
    write_all(tmp_path / "pred", "{}.tif")
    write(tmp_path / "truth/plate4_masks.png", discs())
    scored = evaluate()
    assert scored.scores["f1"].tolist() == [1.0] * 3
    assert scored.err == (
        f"{tmp_path}/truth: the truth consists of the files that are named as plate1_label.tiff; not used: "
        "plate4_masks.png\n"
    )


def test_names_of_the_cell_tracking_challenge(evaluate: Evaluate, tmp_path: Path) -> None:
    for number, stem in enumerate(("t000", "t001")):
        write(tmp_path / "true" / f"{stem}_label.tiff", discs(seed=number))
        write(tmp_path / "pred" / f"{stem.replace('t', 'mask')}.tif", discs(seed=number))
    scored = evaluate(truth="true")
    assert (scored.err, scored.scores["f1"].tolist()) == ("", [1.0, 1.0])
