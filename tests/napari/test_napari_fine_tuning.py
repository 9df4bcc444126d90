"""The command that trains a model further: it is complete, and it runs."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml
from datasets import make_dataset
from ready_models import ship

from cellbench.errors import DatasetError, UsageError
from cellbench.inference import load_model
from cellbench.napari.checkpoints import known_checkpoints
from cellbench.napari.fine_tuning import free_run, prepare_fine_tuning, run_words, shown_command


def test_the_command_names_everything(checkpoint: Path, tmp_path: Path) -> None:
    data, out = make_dataset(tmp_path / "my data"), tmp_path / "run"
    words = prepare_fine_tuning(checkpoint, data, out, minutes=1501)
    line = shown_command(words)
    assert line.startswith("cellbench fit --config base.yaml --config model/unet.yaml --config ")
    assert f"--model.weights {checkpoint} --data.root '{data}'" in line
    assert line.endswith("--trainer.max_time 01:01:01:00")
    model = yaml.safe_load((out / "model.yaml").read_text())["model"]
    assert model["class_path"] == "cellbench.models.unet.UNetBoundary"
    assert model["init_args"]["channels"] == [4, 8]


@pytest.mark.slow
def test_the_command_runs_and_its_model_is_found(checkpoint: Path, tmp_path: Path) -> None:
    data, out = make_dataset(tmp_path / "data"), tmp_path / "runs/data/fine_tuned"
    words = prepare_fine_tuning(checkpoint, data, out, minutes=1)
    quick = ["--trainer.max_steps", "1", "--tune", "false", "--data.crop_size", "64"]
    run = subprocess.run(
        run_words([*words, *quick, "--data.batch_size", "2"]),
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert run.returncode == 0, run.stderr
    assert "training starts from" in run.stdout + run.stderr
    known = known_checkpoints(tmp_path / "runs")
    assert list(known) == ["data/fine_tuned"]
    trained, before = load_model(known["data/fine_tuned"]), load_model(checkpoint)
    assert trained.model_name() == "unet"
    assert trained.state_dict().keys() == before.state_dict().keys()


def test_what_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    data = make_dataset(tmp_path / "data")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    with pytest.raises(UsageError, match="not an empty folder"):
        prepare_fine_tuning(checkpoint, data, tmp_path / "full", 5)
    (data / "train/labels/train0_label.tiff").unlink()
    with pytest.raises(DatasetError, match=r"train0\.png: has no label map"):
        prepare_fine_tuning(checkpoint, data, tmp_path / "run", 5)
    with pytest.raises(DatasetError, match="no images in train/images"):
        prepare_fine_tuning(checkpoint, tmp_path, tmp_path / "run", 5)
    assert not (tmp_path / "run").exists()


def test_known_models_come_latest_first(tmp_path: Path) -> None:
    assert known_checkpoints(tmp_path) == {}
    for age, name in enumerate(["sample/new", "old"]):
        path = tmp_path / name / "checkpoints/best.ckpt"
        path.parent.mkdir(parents=True)
        path.touch()
        os.utime(path, (1e9 - age, 1e9 - age))
    assert list(known_checkpoints(tmp_path)) == ["sample/new", "old"]
    assert np.all([path.is_file() for path in known_checkpoints(tmp_path).values()])


def test_ready_models_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = ship(tmp_path, monkeypatch)
    assert known_checkpoints(tmp_path / "runs") == {"generalist": file}
    words = prepare_fine_tuning(file, make_dataset(tmp_path / "data"), tmp_path / "run", 5)
    assert words[words.index("--model.weights") + 1] == str(file)


def test_a_free_folder_for_a_run(tmp_path: Path) -> None:
    assert free_run(tmp_path / "run") == tmp_path / "run"
    (tmp_path / "run").mkdir()
    (tmp_path / "run_2").mkdir()
    assert free_run(tmp_path / "run") == free_run(tmp_path / "run_2") == tmp_path / "run_3"
