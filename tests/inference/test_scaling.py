"""`segment --diameter`: images are resized to the cells that a model knows, label maps are resized back."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from checkpoints import save_checkpoint, small_unet
from datasets import make_dataset
from label_maps import discs
from PIL import Image
from scipy import ndimage

from cellbench.cli import main
from cellbench.data.folder import read_dataset
from cellbench.errors import CheckpointError, UsageError
from cellbench.evaluation import match_cells
from cellbench.inference import load_model, load_models, segment_cells, segment_image
from cellbench.inference.finished import JOURNAL_FILE
from cellbench.inference.run_files import segment_files
from cellbench.inference.scaling import restored_cells, scale_for
from cellbench.inference.segment import image_diameter
from cellbench.inference.tuning import describe_tuning, tune_checkpoint
from cellbench.labels import LabelMap, read_labels
from cellbench.labels.diameters import cell_diameters, median_diameters
from cellbench.models.base import InstanceSegmentationModel
from cellbench.models.batches import Batch, Targets
from cellbench.models.checkpoint_keys import DIAMETERS_KEY
from cellbench.representations.base import DecodedCells
from cellbench.training.datamodule import CellDataModule


class OneSize(InstanceSegmentationModel):
    """Finds bright discs of 9 to 50 px; it misses smaller ones and splits larger ones."""

    diameters = (18.0, 20.0, 30.0)

    def segment(self, image: torch.Tensor) -> LabelMap:
        labels, _ = ndimage.label(image[0].numpy() > 0.5)
        rows, columns = np.indices(labels.shape)
        pieces = rows // 20 * 1000 + columns // 20
        diameters = np.concatenate([[0], cell_diameters(labels)])
        labels[diameters[labels] < 9] = 0
        large = diameters[labels] > 50
        labels[large] = labels.max() + 1 + pieces[large]
        return np.asarray(labels)

    def loss(self, batch: Batch) -> torch.Tensor:
        return batch["image"].mean()

    def targets(self, labels: LabelMap) -> Targets:
        return {"labels": labels}


def scene(diameter: int) -> tuple[npt.NDArray[np.float32], LabelMap]:
    """Draw 16 bright discs that do not touch."""
    side = 4 * round(1.6 * diameter)
    rows, columns = np.indices((side, side)) % round(1.6 * diameter) - 0.8 * diameter
    labels, count = ndimage.label(np.hypot(rows, columns) < diameter / 2)
    assert count == 16
    return np.repeat((labels > 0)[..., None], 3, axis=2).astype(np.float32), labels


@pytest.mark.parametrize("diameter", [10, 24, 90])
def test_cells_of_another_size_are_found_at_the_size_that_the_model_knows(diameter: int) -> None:
    image, truth = scene(diameter)
    model = OneSize()
    found = {each: segment_image(model, image, diameter=each) for each in (None, diameter, "auto")}
    matched = {each: match_cells(truth, labels, 0.8).tp for each, labels in found.items()}
    assert matched[diameter] == matched["auto"] == 16
    assert matched[None] == (0 if diameter == 90 else 16)
    assert all(labels.shape == truth.shape for labels in found.values())
    assert image_diameter(model, image) == pytest.approx(diameter, rel=0.12)


def test_nothing_is_estimated_where_no_cell_is_found() -> None:
    image = np.zeros((30, 40, 3), np.float32)
    assert image_diameter(OneSize(), image) is None
    assert segment_image(OneSize(), image, diameter="auto").shape == (30, 40)


def test_the_scale_brings_cells_between_median_and_upper_quartile() -> None:
    known = (10.0, 20.0, 40.0)
    scales = {each: scale_for(known, each) for each in (5, 15, 17, 20, 30, 40, 45, 100)}
    assert scales == {5: 4, 15: 20 / 15, 17: 1, 20: 1, 30: 1, 40: 1, 45: 1, 100: 0.4}


@pytest.mark.parametrize("shape", [(20, 30), (31, 17), (64, 64), (90, 101)])
def test_no_cell_is_lost_when_a_label_map_is_shrunk_back(shape: tuple[int, int]) -> None:
    labels = discs(shape=(96, 96), seed=3)
    labels[5, 5], labels[90, 3:5], labels[40, 40] = 900, 901, 902
    restored = restored_cells(DecodedCells(labels, {}), shape).labels
    assert restored.shape == shape
    assert np.unique(restored).tolist() == list(range(len(np.unique(labels))))


def test_crowded_cells_of_one_pixel_keep_a_pixel_where_there_is_room() -> None:
    labels = np.arange(1, 17).reshape(4, 4)
    assert np.unique(restored_cells(DecodedCells(labels, {}), (2, 2)).labels).tolist() == [
        1,
        2,
        3,
        4,
    ]
    labels = np.array([[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 2], [1, 1, 1, 1]])
    assert restored_cells(DecodedCells(labels, {}), (2, 2)).labels.tolist() == [[1, 1], [1, 2]]


@pytest.mark.parametrize(
    ("diameter", "message"),
    [
        (0, "above 0"),
        (-3.0, "above 0"),
        (float("nan"), "above 0"),
        (float("inf"), "above 0"),
        (0.5, "enlarged more than 16 times"),
        (1e9, "shrunk more than 16 times"),
    ],
)
def test_impossible_diameters(diameter: float, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        segment_image(OneSize(), np.zeros((8, 8, 3)), diameter=diameter)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return make_dataset(tmp_path / "data")


def test_a_checkpoint_without_diameters_gets_them_from_tune(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save_checkpoint(small_unet(), tmp_path / "model.ckpt")
    assert DIAMETERS_KEY not in torch.load(path, weights_only=True)
    words = ["segment", str(data / "test/images"), str(tmp_path / "out"), "--checkpoint", str(path)]
    assert main([*words, "--diameter", "auto"]) == 1
    message = capsys.readouterr().err.splitlines()[-1]
    assert "run `cellbench tune CHECKPOINT --data ROOT`, which adds them" in message
    assert not (tmp_path / "out").exists()
    items = read_dataset(data, ["tune"])
    trials = tune_checkpoint(path, items, "cpu")
    expected = median_diameters(read_labels(item.labels) for item in items)
    assert load_model(path, "cpu").diameters == expected
    assert expected is not None
    line = describe_tuning(path, trials)[-1]
    assert "training stored no diameters of cells" in line
    assert f"median {expected[1]:g} pixels, quartiles {expected[0]:g} and {expected[2]:g}" in line
    assert main([*words, "--diameter", "auto", "--tta"]) == 0
    assert "predicted 8 times and its diameter is estimated" in capsys.readouterr().err


def test_tuning_replaces_diameters_of_tuning_but_not_of_training(
    data: Path, tmp_path: Path
) -> None:
    items = read_dataset(data, ["tune"])
    path = save_checkpoint(small_unet(), tmp_path / "model.ckpt")
    for chosen in (read_dataset(data, ["train"]), items):
        tune_checkpoint(path, chosen, "cpu")
        expected = median_diameters(read_labels(item.labels) for item in chosen)
        assert load_model(path, "cpu").diameters == expected
    model = small_unet()
    model.diameters = (5.0, 10.0, 12.0)
    trained = save_checkpoint(model, tmp_path / "trained.ckpt")
    lines = describe_tuning(trained, tune_checkpoint(trained, items, "cpu"))
    assert len(lines) == 1
    assert load_model(trained, "cpu").diameters == model.diameters


def test_the_datamodule_measures_the_diameters(data: Path, tmp_path: Path) -> None:
    module = CellDataModule(root=str(data), cache=str(tmp_path / "cache"))
    medians = [
        np.median(cell_diameters(read_labels(each.labels))) for each in module.items("train")
    ]
    assert module.cell_diameters() == pytest.approx(np.percentile(medians, (25, 50, 75)), abs=0.01)


def test_label_maps_are_those_of_the_image_resized_by_hand(data: Path, tmp_path: Path) -> None:
    model = small_unet()
    model.diameters = (5.0, 10.0, 12.0)
    path = save_checkpoint(model, tmp_path / "model.ckpt")
    other = save_checkpoint(small_unet(1), tmp_path / "other.ckpt")
    image = np.random.default_rng(0).random((40, 70, 3)).astype(np.float32)
    enlarged = np.asarray(
        torch.nn.functional.interpolate(
            torch.from_numpy(image).permute(2, 0, 1)[None], scale_factor=2, mode="bilinear"
        )[0].permute(1, 2, 0)
    )
    models = load_models([path, other], "cpu")
    for augment in (False, True):
        found = segment_image(models, image, diameter=5, augment=augment, precision="32")
        large = segment_cells(models, enlarged, augment=augment, precision="32")
        assert (found == restored_cells(large, (40, 70)).labels).mean() > 0.99


def test_the_run_is_recorded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    images = {}
    for name, diameter in (("a", 24), ("b", 90)):
        images[name] = tmp_path / f"{name}.png"
        Image.fromarray((scene(diameter)[0] * 200 + 20).astype(np.uint8)).save(images[name])
    images["d"] = tmp_path / "d.tif"
    Image.fromarray(np.full((40, 50), np.nan, np.float32)).save(images["d"])
    images["c"] = tmp_path / "c.png"
    images["c"].write_text("no picture")
    options: dict[str, Any] = {"checkpoints": [Path("runs/best.ckpt")], "diameter": "auto"}
    assert segment_files(OneSize(), images, tmp_path / "out", **options).failed == ["d", "c"]
    assert f"{images['d']}: no pixel is a finite number" in caplog.text
    record = json.loads((tmp_path / "out/segmentation.json").read_text())
    scalings = record.pop("images")
    assert record == {
        "checkpoints": ["runs/best.ckpt"],
        "tta": False,
        "precision": "auto",
        "overlap": None,
        "diameter": "auto",
    }
    assert [*scalings] == ["a.png", "b.png"]
    assert scalings["a.png"]["scale"] == 1
    assert scalings["b.png"]["diameter"] == pytest.approx(90, rel=0.1)
    assert scalings["b.png"]["scale"] == pytest.approx(30 / scalings["b.png"]["diameter"])
    with pytest.raises(UsageError, match="windows"):
        segment_files(OneSize(), images, tmp_path / "out", overlap=0.5)


def test_evaluate_ignores_the_record(data: Path, tmp_path: Path) -> None:
    path = save_checkpoint(small_unet(), tmp_path / "model.ckpt")
    out = tmp_path / "predictions/unet"
    words = ["segment", str(data / "test/images"), str(out), "--checkpoint", str(path)]
    assert main(words) == 0
    assert {each.name for each in out.iterdir()} == {
        *("test0_label.tiff", "test1_label.tiff", "runtime.csv", "segmentation.json"),
        JOURNAL_FILE,
    }
    scores = tmp_path / "scores.csv"
    for predictions in (out, out.parent):
        words = ["evaluate", str(data / "test/labels"), str(predictions), "--out", str(scores)]
        assert main(words) == 0
        assert len(scores.read_text().splitlines()) == 3


def test_a_model_without_diameters_still_segments() -> None:
    model = small_unet()
    assert model.diameters is None
    with pytest.raises(CheckpointError, match="does not store the diameters"):
        segment_image(model, np.zeros((8, 8, 3)), diameter=20)
    assert segment_image(model, np.zeros((8, 8, 3))).shape == (8, 8)
