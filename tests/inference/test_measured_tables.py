"""`segment --table` of models that measure their cells: at once, later, and after a run was stopped."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoints import save_checkpoint, tiny_model
from measured_cells import Shown, ShownModel, squares
from PIL import Image
from segmentation_runs import STEMS, Runs

from cellbench.errors import UsageError
from cellbench.inference import run_files, segment_cells
from cellbench.inference.finished import JOURNAL_FILE
from cellbench.inference.measurements import write_measurements
from cellbench.inference.segment import read_model_image
from cellbench.labels import read_labels
from cellbench.representations.base import DecodedCells, NumpyMaps

MODEL = ["--model-class", "measured_cells.ShownModel"]
COLUMNS_WITHOUT_MEASURES = [
    *("id", "centroid_x_px", "centroid_y_px", "area_px", "equivalent_diameter_px", "eccentricity"),
    *(f"{kind}_intensity_{channel}" for channel in (1, 2, 3) for kind in ("mean", "max")),
]
PLAIN_TABLE = b"""\
id,centroid_x_px,centroid_y_px,area_px,equivalent_diameter_px,eccentricity,mean_intensity_1,max_intensity_1
1,2.0,0.5,6,2.764,0.7906,7.0,7.0
3,4.5,4.0,2,1.5958,1.0,2.5,3.0
"""


@pytest.fixture
def measured(runs: Runs) -> Runs:
    """Runs with a model that measures its cells, on images that show them."""
    save_checkpoint(ShownModel(), runs.root / "model.ckpt")
    for seed, stem in enumerate(STEMS):
        pixels = np.rint(255 * squares(3, 5, seed=seed)).astype(np.uint8)
        Image.fromarray(pixels).save(runs.root / f"images/{stem}.png")
    return runs


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def tables(runs: Runs, out: str = "out") -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((runs.root / out).glob("*_cells.csv"))}


@pytest.mark.parametrize("words", [[], ["--tta"], ["--diameter", 4], ["--diameter", "auto"]])
def test_every_row_has_the_values_of_its_cell(words: list[object], measured: Runs) -> None:
    measured(*MODEL, "--table", *words)
    assert len(tables(measured)) == len(STEMS)
    for stem in STEMS:
        labels = read_labels(measured.root / f"out/{stem}_label.tiff")
        table = rows(measured.root / f"out/{stem}_cells.csv")
        assert [int(row["id"]) for row in table] == list(range(1, labels.max() + 1))
        squares_found = [row for row in table if int(row["area_px"]) > 20]
        assert len(squares_found) == 15 - 3
        for row in squares_found:
            assert [*row] == [*COLUMNS_WITHOUT_MEASURES, "score", "uncertainty"]
            for name, channel in (("score", 1), ("uncertainty", 2)):
                shown = float(row[f"max_intensity_{channel}"]) / 255
                assert float(row[name]) == pytest.approx(shown, abs=1e-5)


def test_a_table_that_is_added_later_is_the_same(measured: Runs) -> None:
    assert measured(*MODEL, "--table", out="at once") == STEMS
    assert measured(*MODEL) == STEMS
    assert tables(measured) == {}
    assert measured(*MODEL, "--overlays") == []
    assert measured(*MODEL, "--table") == []
    assert tables(measured) == tables(measured, "at once")
    (measured.root / "out/b_cells.csv").unlink()
    assert measured(*MODEL, "--table") == []
    assert tables(measured) == tables(measured, "at once")


def test_a_run_that_was_stopped_continues_with_the_same_tables(
    measured: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is stopped before the third image, and before the table of the second is written."""
    measured(*MODEL, "--table", out="at once")
    write = run_files.FinishedImages.write_products

    def stop(finished: run_files.FinishedImages, stem: str, products: list[object]) -> None:
        if stem == "b":
            raise KeyboardInterrupt
        write(finished, stem, products)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(run_files.FinishedImages, "write_products", stop)
        assert measured(*MODEL, "--table", status=130) == ["a", "b"]
    assert [*tables(measured)] == ["a_cells.csv"]
    assert measured(*MODEL, "--table") == ["c", "d"]
    assert tables(measured) == tables(measured, "at once")


@pytest.mark.parametrize(
    "damage",
    [
        lambda record: record.pop("measures"),
        lambda record: record["measures"]["score"].pop(),
        lambda record: record.update(measures={"score": 1}),
        lambda record: record.update(measures=[1, 2]),
        lambda record: record["measures"].update(score=["high"] * record["cells"]),
    ],
)
def test_without_its_measures_an_image_is_segmented_again(
    damage: Callable[[dict[str, object]], object], measured: Runs
) -> None:
    measured(*MODEL, "--table", out="at once")
    measured(*MODEL)
    path = measured.root / "out" / JOURNAL_FILE
    lines = path.read_text("utf-8").splitlines()
    key, record = json.loads(lines[3])
    assert key == "b_label.tiff"
    damage(record)
    path.write_text("\n".join([*lines[:3], json.dumps([key, record]), *lines[4:]]), "utf-8")
    assert measured(*MODEL, "--table") == ["b"]
    assert tables(measured) == tables(measured, "at once")


def test_tables_of_models_without_measures_have_no_columns_for_them(runs: Runs) -> None:
    runs("--table")
    for stem in STEMS:
        (header, *_) = (runs.root / f"out/{stem}_cells.csv").read_text("utf-8").splitlines()
        assert header.split(",") == COLUMNS_WITHOUT_MEASURES
    labels = np.zeros((6, 7), np.uint16)
    labels[0:2, 1:4], labels[4, 4:6] = 1, 3
    channels = np.full((6, 7, 1), 7, np.uint8)
    channels[4, 4:6, 0] = 2, 3
    write_measurements(runs.root / "plain.csv", labels, channels)
    assert (runs.root / "plain.csv").read_bytes() == PLAIN_TABLE


def test_an_image_whose_cells_have_no_values_is_named(
    measured: Runs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def decode(_: object, maps: NumpyMaps) -> DecodedCells:
        labels = np.ones(maps["shown"].shape[1:], int)
        return DecodedCells(labels, {"score": np.zeros(0, np.float32)})

    monkeypatch.setattr(Shown, "decode_cells", decode)
    measured(*MODEL, status=1)
    (line, *_) = (record.getMessage() for record in caplog.records)
    start = f"{measured.root / 'images/a.png'}: measure 'score' of the decoded cells: an array"
    assert line.startswith(start)
    assert "no value for the cell 1" in line
    assert len(caplog.records) == len(STEMS)


def test_a_measure_with_the_name_of_another_column_is_refused(tmp_path: Path) -> None:
    labels, channels = np.ones((2, 2), int), np.ones((2, 2, 1))
    with pytest.raises(UsageError, match="'area_px' has the name of another column") as error:
        write_measurements(tmp_path / "a.csv", labels, channels, measures={"area_px": [1.0]})
    assert "\n" not in str(error.value)
    assert not (tmp_path / "a.csv").exists()
    write_measurements(tmp_path / "a.csv", labels, channels, measures={"score": [float("nan")]})
    assert rows(tmp_path / "a.csv")[0]["score"] == ""


@pytest.mark.parametrize("words", [[], ["--tta"]])
def test_stardist_has_scores(words: list[str], runs: Runs) -> None:
    model = tiny_model("stardist")
    torch.manual_seed(0)
    for weights in model.state_dict().values():
        if weights.is_floating_point():
            weights.add_(torch.rand(weights.shape) - 0.5, alpha=0.1)
    model.representation.set_decoding({"probability_threshold": 0.05})  # type: ignore[union-attr, operator]
    save_checkpoint(model, runs.root / "model.ckpt")
    runs("--table", *words)
    image = read_model_image(model, runs.root / "images/a.png")
    cells = segment_cells(model, image, precision="32", augment=bool(words))
    assert cells.labels.max() > 2
    table = rows(runs.root / "out/a_cells.csv")
    assert [float(row["score"]) for row in table] == pytest.approx(cells.measures["score"])
    assert "uncertainty" not in table[0]
    np.testing.assert_array_equal(read_labels(runs.root / "out/a_label.tiff"), cells.labels)
