"""evaluate_folder: statuses, times, modalities, and tables."""

import csv
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from label_maps import discs
from prediction_folders import STEMS

from cellbench.errors import LabelMapError, ScoresError, UsageError
from cellbench.evaluation import evaluate_folder, score_folder
from cellbench.evaluation.measures import Table
from cellbench.evaluation.rows import MapName, columns
from cellbench.labels import cell_ids, encode_runs, write_labels


def test_every_image_has_a_row_and_failures_earn_nothing(folders: tuple[Path, Path]) -> None:
    table = evaluate_folder(*folders).set_index("image")
    assert tuple(evaluate_folder(*folders).columns) == columns(Table.SCORES)
    assert table["status"].to_dict() == {
        "a": "ok",
        "b.c": "ok",
        "d": "missing",
        "e": "wrong-shape",
        "f": "unreadable",
        "g": "invalid",
        "h": "timeout",
    }
    assert set(table["algorithm"]) == {"mine"}
    failed = table[table["status"] != "ok"]
    assert (failed[["f1", "tp", "fp", "precision", "recall", "dice"]] == 0).all(axis=None)
    assert (failed["fn"] == failed["true_cells"]).all()
    assert (failed["true_cells"] > 0).all()
    assert np.isinf(failed["rank_runtime_s"]).all()
    assert failed["runtime_s"].isna().all()
    assert table.loc[["a", "b.c"], "f1"].tolist() == [1.0, 1.0]
    assert table.loc[["a", "b.c"], "rank_runtime_s"].tolist() == [0.0, 2.0]
    assert table.loc[["a", "b.c", "d"], "modality"].tolist() == ["fluorescence", "DIC", ""]


def test_images_without_a_scored_cell_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    at_the_border = np.zeros((40, 40), int)
    at_the_border[:20, 10:20] = 1
    for stem, labels in (("a", at_the_border), ("b", discs()), ("c", np.zeros((40, 40), int))):
        for folder in ("truth", "mine"):
            write_labels(tmp_path / f"{folder}/{stem}_label.tiff", labels)
    table = evaluate_folder(tmp_path / "truth", tmp_path / "mine", thresholds=[0.5, 0.7])
    assert table.set_index(["image", "threshold"])["f1"].to_dict() == {
        (stem, threshold): float(stem == "b") for stem in "abc" for threshold in (0.5, 0.7)
    }
    assert caplog.messages == [
        "a: no true cell is scored, because there is none or all touch the border, so that F1 is 0 for "
        "every algorithm (1 more image like this)"
    ]


def test_unknown_times_stay_empty(folders: tuple[Path, Path]) -> None:
    truth, predictions = folders
    (predictions / "runtime.csv").unlink()
    table = evaluate_folder(truth, predictions).set_index("image")
    assert math.isnan(table.loc["a", "runtime_s"])
    assert math.isnan(table.loc["a", "rank_runtime_s"])
    assert math.isinf(table.loc["d", "rank_runtime_s"])


def test_truth_named_as_the_official_scripts_do(tmp_path: Path) -> None:
    write_labels(tmp_path / "root/test/labels/b_label.tiff", discs())
    write_labels(tmp_path / "mine/b.x_label.tiff", discs())
    (tmp_path / "root/manifest.csv").write_text("image,split,modality\nb.x.png,test,DIC\n")
    times = "Img Name,Real Running Time\nb.x.png,3\n"
    (tmp_path / "mine/runtime.csv").write_text(times)
    (row,) = evaluate_folder(tmp_path / "root/test/labels", tmp_path / "mine").to_dict("records")
    assert (row["status"], row["f1"], row["modality"], row["runtime_s"]) == ("ok", 1.0, "DIC", 3.0)


@pytest.mark.parametrize(
    ("runtimes", "message"),
    [
        ("Img Name,Seconds\na,1\n", "must name the columns Img Name,Real Running Time or"),
        ("Img Name,Real Running Time\na,-1\n", "line 2 has the running time -1"),
        ("Img Name,Real Running Time\na,soon\n", "line 2 has the running time soon"),
        ("Real Running Time,Img Name\n1\n", "line 2 has no value in the column 'Img Name'"),
        ("Img Name,Real Running Time\na,inf\n", "line 2 has the running time inf"),
    ],
)
def test_bad_runtimes(folders: tuple[Path, Path], runtimes: str, message: str) -> None:
    (folders[1] / "runtime.csv").write_text(runtimes)
    with pytest.raises(ScoresError, match=message):
        evaluate_folder(*folders)


def test_two_predictions_for_one_image_are_invalid(
    folders: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    truth, predictions = folders
    np.save(predictions / "a_label.npy", discs(seed=0))
    table = evaluate_folder(truth, predictions).set_index("image")
    assert table.loc["a", "status"] == "invalid"
    assert table.loc["b.c", "status"] == "ok"
    assert "a_label.npy and a_label.tiff; scored 0 (status: invalid)" in caplog.text


def test_a_folder_and_a_link_to_itself_named_like_label_maps(folders: tuple[Path, Path]) -> None:
    truth, predictions = folders
    (predictions / "d_label.tiff").mkdir()
    loop = predictions / "h_label.tiff"
    loop.unlink()
    loop.symlink_to(loop)
    (predictions / "resources.csv").unlink()
    table = evaluate_folder(truth, predictions).set_index("image")
    assert table.loc[["a", "d", "h"], "status"].tolist() == ["ok", "missing", "unreadable"]


def test_predictions_as_a_run_length_table(folders: tuple[Path, Path], tmp_path: Path) -> None:
    table = tmp_path / "theirs.csv"
    rows = ["id,predicted"]
    for number, stem in enumerate(STEMS[:3]):
        labels = discs(seed=number)
        rows += [f"{stem},{encode_runs(labels == cell)}" for cell in cell_ids(labels)]
    table.write_text("\n".join([*rows, "e,5 1 3 1"]))
    scored = evaluate_folder(folders[0], table).set_index("image")
    assert set(scored["algorithm"]) == {"theirs"}
    assert scored.loc[["a", "b.c", "d"], "f1"].tolist() == [1.0, 1.0, 1.0]
    assert scored.loc[["e", "f"], "status"].tolist() == ["invalid", "missing"]


def test_rows_of_a_table_that_fit_no_image(
    folders: tuple[Path, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = tmp_path / "theirs.csv"
    table.write_text("id,predicted\na,1 1\ny,1 1\nx,1 1\n")
    result = score_folder(folders[0], table)
    assert result.unmatched == ("x", "y")
    assert caplog.messages == [f"{table}: 2 images have no truth and are not scored: x, y"]
    table.write_text("id,predicted\nx,1 1\n")
    with pytest.raises(
        ScoresError, match=r"none of the images of the truth; wanted, for example, a, found 'x'"
    ):
        score_folder(folders[0], table)


def test_details_and_cells(folders: tuple[Path, Path]) -> None:
    result = score_folder(*folders, tables=("scores", "details", "cells"))
    scores = {row.image: row for row in result.scores}
    for row in result.details:
        of_scores = scores[row.image]
        assert row.status is of_scores.status
        for name in ("true_cells", "predicted_cells", "tp", "fp", "fn", "dice"):
            assert row.measures[name] == of_scores.measures[name]
        assert row.measures["f1_50"] == row.measures["rq"] == of_scores.measures["f1"]
    counts = Counter((row.image, row.map) for row in result.cells)
    for image, map_name, cells in (
        ("a", "truth", "true_cells"),
        ("a", "prediction", "predicted_cells"),
        ("d", "truth", "true_cells"),
    ):
        assert counts[image, MapName(map_name)] == scores[image].measures[cells] > 0
    assert counts["d", MapName.PREDICTION] == 0
    for table in Table:
        assert {tuple(row) for row in result.csv_rows(table)} == {columns(table)}


def test_unknown_tables_are_refused(folders: tuple[Path, Path]) -> None:
    with pytest.raises(UsageError, match="table 'summary': unknown; choose from scores, details"):
        score_folder(*folders, tables=("summary",))


def test_options_are_checked_before_any_file_is_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="threshold 0: an IoU threshold"):
        score_folder(tmp_path / "absent", tmp_path / "absent", thresholds=[0])


def test_bad_folders(folders: tuple[Path, Path], tmp_path: Path) -> None:
    truth, predictions = folders
    (tmp_path / "empty").mkdir()
    with pytest.raises(ScoresError, match="contains no label maps"):
        evaluate_folder(tmp_path / "empty", predictions)
    with pytest.raises(LabelMapError, match="no such folder"):
        evaluate_folder(truth, tmp_path / "absent")
    with pytest.raises(ScoresError, match="no such manifest"):
        evaluate_folder(truth, predictions, manifest=tmp_path / "absent.csv")
    (predictions / "resources.csv").write_text("image,status\na,perhaps\n")
    with pytest.raises(
        ScoresError, match="line 2 has the unknown status 'perhaps'; use one of ok, missing"
    ):
        evaluate_folder(truth, predictions)


def test_images_set_the_size_and_need_a_truth(folders: tuple[Path, Path], tmp_path: Path) -> None:
    from PIL import Image

    images = tmp_path / "images"
    images.mkdir()
    Image.new("L", (2000, 1500)).save(images / "a.png")
    table = evaluate_folder(*folders, images=images).set_index("image")
    assert table.loc["a", ["height", "width", "tolerance_s"]].tolist() == [1500, 2000, 30.0]
    Image.new("L", (20, 20)).save(images / "z.png")
    with pytest.raises(ScoresError, match="1 images have no true label map, the first is z"):
        evaluate_folder(*folders, images=images)


def test_the_table_survives_a_csv(folders: tuple[Path, Path], tmp_path: Path) -> None:
    table = evaluate_folder(*folders)
    table.to_csv(tmp_path / "scores.csv", index=False)
    with (tmp_path / "scores.csv").open(newline="") as file:
        assert next(csv.reader(file)) == list(columns(Table.SCORES))
    read = pd.read_csv(tmp_path / "scores.csv")
    assert read["f1"].tolist() == table["f1"].tolist()
