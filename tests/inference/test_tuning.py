"""Fitting decoding to the tune split: the best of what was tried is stored and used."""

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoints import save_checkpoint, small_unet, tiny_model
from datasets import make_dataset
from training_runs import fit

from cellbench.cli import main
from cellbench.data.folder import read_dataset
from cellbench.errors import CheckpointError, DatasetError, UsageError
from cellbench.inference import load_model, segment_image
from cellbench.inference.search import best_trial
from cellbench.inference.tuning import store_decoding, tune_decoding
from cellbench.labels import read_labels, write_labels
from cellbench.labels.diameters import median_diameters
from cellbench.models import DenseModel, DenseSegmenter, model_class
from cellbench.models.checkpoint_keys import DECODING_KEY
from cellbench.models.names import OWN_MODELS
from cellbench.representations import Boundary


class Faint(torch.nn.Module):
    """Predicts each bright pixel as interior, with a probability of 0.45 only."""

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        bright = (image[:, :1] > 0.4).float()
        interior = 0.45 * bright
        parts = [1 - bright + 1e-6, interior + 1e-6, bright - interior + 1e-6]
        return {"classes": torch.cat(parts, dim=1).log()}


def test_the_threshold_is_found(tmp_path: Path) -> None:
    model = small_unet()
    model.network = Faint()
    items = read_dataset(make_dataset(tmp_path / "data"), ["tune"])
    trials = tune_decoding(model, items)
    assert trials[0].f1 == 0
    best = best_trial(trials)
    assert best.f1 > 0.9
    assert best.decoding["threshold"] in (0.3, 0.4)
    assert model.representation.decoding() == best.decoding
    settings = [tuple(trial.decoding.items()) for trial in trials]
    assert len(settings) == len(set(settings))


def test_a_dataset_without_cells_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data, run = make_dataset(tmp_path / "data"), tmp_path / "run"
    for path in data.glob("*/labels/*"):
        write_labels(path, np.zeros_like(read_labels(path)))
    with (
        pytest.warns(UserWarning, match=f"{data}: no cell in any label map of train/labels; check"),
        caplog.at_level(logging.INFO),
    ):
        assert fit("unet", run, data, "--trainer.max_epochs", "1", "--tune", "true") == 0
    (line,) = (each.message for each in caplog.records if "tuned" in each.message)
    assert line.endswith(
        "; no cell matches yet: train longer, or check the label maps in tune/labels; mean F1 on the "
        "tune split 0.0000 before, 0.0000 after"
    )
    assert load_model(run / "checkpoints/last.ckpt", "cpu").diameters is None


def test_trained_tuned_and_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, run = make_dataset(tmp_path / "data"), tmp_path / "run"
    assert fit("unet", run, data, "--trainer.max_epochs", "1") == 0
    path = run / "checkpoints/last.ckpt"
    before = torch.load(path, weights_only=True)
    labels = [read_labels(each.labels) for each in read_dataset(data, ["train"])]
    assert load_model(path, "cpu").diameters == median_diameters(labels)
    assert main(["tune", str(path), "--data", str(data), "--device", "cpu"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].split() == ["threshold", "smallest_interior", "mean_f1"]
    assert [line.endswith("best") for line in out[1:-1]].count(True) == 1
    assert "mean F1" in out[-1]
    after = torch.load(path, weights_only=True)
    assert before.keys() == after.keys()
    stored = after[DECODING_KEY]
    assert load_model(path, "cpu").representation.decoding() == stored
    assert fit("unet", run, data, "--ckpt_path", str(path)) == 0
    assert torch.load(path, weights_only=True)[DECODING_KEY] == stored


def test_training_ends_with_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data, run = make_dataset(tmp_path / "data"), tmp_path / "run"
    with caplog.at_level(logging.INFO):
        assert fit("unet", run, data, "--tune", "true") == 0
    path = run / "checkpoints/best.ckpt"
    (line,) = (each.message for each in caplog.records if "tuned to" in each.message)
    assert line.startswith(f"{path}: tuned to threshold")
    stored = torch.load(path, weights_only=True)[DECODING_KEY]
    model = load_model(path, "cpu")
    model.representation.set_decoding(Boundary(smallest_target=4).decoding())
    best = best_trial(tune_decoding(model, read_dataset(data, ["tune"])))
    assert stored == best.decoding
    assert line.endswith(f"{best.f1:.4f} after")


@pytest.mark.parametrize(
    "name", [each for each in OWN_MODELS if issubclass(model_class(each), DenseModel)]
)
def test_every_model_of_dense_maps_is_tuned(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tiny_model(name)
    assert isinstance(model, DenseModel)
    path = save_checkpoint(model, tmp_path / "model.ckpt")
    data = make_dataset(tmp_path / "data", images=1)
    status = main(["tune", str(path), "--data", str(data), "--device", "cpu"])
    if not model.representation.TUNED:
        assert status == 2
        return
    assert status == 0
    header = capsys.readouterr().out.splitlines()[0].split()
    assert header == [*model.representation.TUNED, "mean_f1"]
    loaded = load_model(path, "cpu")
    assert isinstance(loaded, DenseSegmenter)
    tuned = loaded.representation.decoding()
    for option, values in model.representation.TUNED.items():
        assert tuned[option] in {*values, model.representation.decoding()[option]}


def test_what_is_stored_is_used(tmp_path: Path) -> None:
    path = save_checkpoint(small_unet(), tmp_path / "model.ckpt")
    image = np.random.default_rng(0).random((64, 64, 3))
    store_decoding(path, {"threshold": 0.99})
    assert not segment_image(load_model(path, "cpu"), image).any()
    store_decoding(path, {"nonsense": 1.0})
    with pytest.raises(CheckpointError, match="does not fit the present version"):
        load_model(path, "cpu")


def test_nothing_to_tune(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DatasetError, match="no image of the tune split has a label map"):
        tune_decoding(small_unet(), [])
    monkeypatch.setattr(Boundary, "TUNED", {})
    with pytest.raises(UsageError, match="no options to tune"):
        tune_decoding(small_unet(), [])
