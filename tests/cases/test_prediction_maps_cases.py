"""Label maps in the forms of other tools: scored, or one line that says what they seem to be."""

from pathlib import Path

import numpy as np
import pytest
from label_formats import palette_png
from label_maps import discs
from scored_predictions import STEMS, Evaluate, write, write_all


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
