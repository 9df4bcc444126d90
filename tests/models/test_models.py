"""All models: trained by the command line on tiny images, saved, resumed, loaded, used."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from datasets import make_dataset
from training_runs import CONFIGS, fit, fit_words

from cellbench.cli import main
from cellbench.data.folder import read_dataset
from cellbench.errors import CellbenchError
from cellbench.images import read_image
from cellbench.inference import load_model, segment_image
from cellbench.labels import read_labels
from cellbench.models import model_class
from cellbench.models.names import OWN_MODELS


def test_every_model_has_a_config_and_every_config_a_model() -> None:
    assert sorted(path.stem for path in (CONFIGS / "model").glob("*.yaml")) == sorted(OWN_MODELS)
    for name in OWN_MODELS:
        config = yaml.safe_load((CONFIGS / f"model/{name}.yaml").read_text())
        path = config["model"]["class_path"]
        assert path == f"cellbench.models.{name}.{model_class(name).__name__}"


@pytest.mark.slow
@pytest.mark.parametrize("name", OWN_MODELS)
def test_train_stop_resume_and_segment(name: str, tmp_path: Path) -> None:
    data, run = make_dataset(tmp_path / "data"), tmp_path / name
    assert fit(name, run, data, "--trainer.max_epochs", "1") == 0
    assert fit(name, run, data, "--ckpt_path", "last") == 0
    last = torch.load(run / "checkpoints/last.ckpt", weights_only=True)
    assert last["global_step"] == 4
    assert len(list((run / "overlays").glob("*.jpg"))) == 4
    assert (run / "logs/version_1/metrics.csv").is_file()
    with (run / "logs/version_1/metrics.csv").open() as file:
        assert any(row["val/f1"] for row in csv.DictReader(file))

    model = load_model(run / "checkpoints/best.ckpt", device="cpu")
    assert model.model_name() == name
    image = np.random.default_rng(0).random((70, 130, 3), dtype=np.float32)
    labels = segment_image(model, image)
    assert labels.shape == (70, 130)
    assert labels.max() == len(np.unique(labels)) - (0 in labels)
    np.testing.assert_array_equal(labels, segment_image(model, image))


def test_predictions_are_label_maps(tmp_path: Path) -> None:
    data, run = make_dataset(tmp_path / "data"), tmp_path / "unet"
    assert fit("unet", run, data, "--trainer.max_epochs", "1") == 0
    words = ["--ckpt_path", str(run / "checkpoints/best.ckpt")]
    assert main(["predict", *fit_words("unet", run, data)[1:], *words]) == 0
    model = load_model(run / "checkpoints/best.ckpt", device="cpu")
    for item in read_dataset(data, ["test"]):
        expected = segment_image(model, read_image(item.image))
        written = read_labels(run / f"predictions/{item.stem}_label.tiff")
        np.testing.assert_array_equal(written, expected)


@pytest.mark.slow
def test_a_trained_model_is_an_entrant(tmp_path: Path) -> None:
    data, run = make_dataset(tmp_path / "data"), tmp_path / "unet"
    assert fit("unet", run, data, "--trainer.max_epochs", "1") == 0
    assert main(["run", str(run), "--data", str(data), "--out", str(tmp_path / "out")]) == 0
    assert sorted(path.name for path in (tmp_path / "out/unet").glob("*.tiff")) == [
        "test0_label.tiff",
        "test1_label.tiff",
    ]


def test_a_run_without_validation_is_an_entrant_too(tmp_path: Path) -> None:
    data, run = make_dataset(tmp_path / "data", images=1), tmp_path / "short"
    more = ("--trainer.max_epochs", "1", "--trainer.limit_val_batches", "0")
    assert fit("unet", run, data, *more) == 0
    entry = yaml.safe_load((run / "entry.yaml").read_text())
    assert entry["command"][-1] == "checkpoints/last.ckpt"
    assert fit("unet", tmp_path / "none", data, "--data.patches_per_epoch", "1") == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", OWN_MODELS)
def test_a_model_learns_one_image_by_heart(name: str, tmp_path: Path) -> None:
    data, run = make_dataset(tmp_path / "data", images=1), tmp_path / name
    more = (
        "--trainer.max_epochs",
        "1",
        "--data.patches_per_epoch",
        "120",
        "--data.augmentation",
        "0",
    )
    assert fit(name, run, data, *more, "--model.init_args.learning_rate", "3e-3") == 0
    with (run / "logs/version_0/metrics.csv").open() as file:
        losses = [float(row["train/loss"]) for row in csv.DictReader(file) if row["train/loss"]]
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])


def test_typos_are_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = make_dataset(tmp_path / "data", images=1)
    assert fit("unet", tmp_path, data, "--model.init_args.learning_rat", "1") == 2
    assert "learning_rat" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("model", "option", "value", "message"),
    [
        (
            "swin_unetr",
            "heads",
            "[5, 6, 12, 24]",
            "heads [5, 6, 12, 24]: must be four numbers that",
        ),
        ("swin_unetr", "heads", "[3, 6]", "heads [3, 6]: must be four numbers that"),
        ("swin_unetr", "feature_size", "13", "feature_size 13: must be a multiple of 12"),
        ("convnext_stardist", "decoder_channels", "[8]", "decoder_channels [8]: must be 5 numbers"),
    ],
)
def test_options_that_fit_no_model_are_one_line(
    model: str,
    option: str,
    value: str,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    more = [f"--model.init_args.{option}", value]
    data = make_dataset(tmp_path / "data")
    assert fit(model, tmp_path / "run", data, *more) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"cellbench: {message}")


def test_unknown_models_are_named() -> None:
    with pytest.raises(CellbenchError, match=r"choose from .*unet"):
        model_class("nonsense")


def test_data_without_labels_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = make_dataset(tmp_path / "data")
    for path in (data / "tune/labels").iterdir():
        path.unlink()
    assert fit("unet", tmp_path / "run", data) == 1
    assert "no image of the tune split has a label map" in capsys.readouterr().err.splitlines()[-1]


def test_settings_of_a_model_for_a_dataset_are_found_by_both_names() -> None:
    settings = sorted((CONFIGS / "data").glob("*/*.yaml"))
    assert settings
    for path in settings:
        assert path.stem in OWN_MODELS
        assert path.parent.with_suffix(".yaml").is_file()


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", sorted((CONFIGS / "data").glob("*.yaml")), ids=lambda each: each.stem
)
def test_a_run_that_ends_by_the_clock_is_validated_at_its_end(path: Path, tmp_path: Path) -> None:
    data, run = make_dataset(tmp_path / "data"), tmp_path / "run"
    short = (
        *("--trainer.max_time", "00:00:00:02", "--trainer.max_epochs", "100000"),
        *("--data.crop_size", "64", "--data.batch_size", "2"),
    )
    assert fit("unet", run, data, "--config", str(path), "--data.root", str(data), *short) == 0
    with (run / "logs/version_0/metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    (validated,) = [int(row["step"]) for row in rows if row["val/f1"]]
    last = torch.load(run / "checkpoints/best.ckpt", weights_only=True)
    assert last["global_step"] == validated + 1 == max(int(row["step"]) for row in rows) + 1
