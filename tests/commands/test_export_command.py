"""`cellbench export`: weights files, and what is wrong in one line."""

from pathlib import Path

import pytest
import yaml
from checkpoints import save_checkpoint, small_unet
from ready_models import ABOUT, ship, tiny_checkpoint

from cellbench.cli import main
from cellbench.inference import load_model


@pytest.fixture
def about_file(tmp_path: Path) -> Path:
    path = tmp_path / "about.yaml"
    path.write_text(yaml.safe_dump(ABOUT))
    return path


def export(*words: str | Path) -> int:
    return main(["export", *map(str, words)])


def test_writes_a_weights_file_that_segments(tmp_path: Path, about_file: Path) -> None:
    checkpoint, out = tiny_checkpoint(tmp_path / "model.ckpt"), tmp_path / "a.safetensors"
    assert export(checkpoint, out, "--to", "weights", "--about", about_file) == 0
    assert out.stat().st_size < checkpoint.stat().st_size
    first = out.read_bytes()
    about_file.write_text(yaml.safe_dump(ABOUT | {"version": "2.0.0"}))
    assert (
        export(checkpoint, out, "--to", "weights", "--about", about_file) == 0
    )  # as the help says
    assert out.read_bytes() != first
    assert load_model(out, "cpu").diameters == (10, 20, 40)


def test_a_ready_model_says_itself_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = ship(tmp_path, monkeypatch)
    assert export("generalist", tmp_path / "copy.safetensors", "--to", "weights") == 0
    assert (tmp_path / "copy.safetensors").read_bytes() == file.read_bytes()


def test_faults_are_one_line(
    tmp_path: Path, about_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint, out = tiny_checkpoint(tmp_path / "model.ckpt"), tmp_path / "a.safetensors"
    unsized = save_checkpoint(small_unet(), tmp_path / "unsized.ckpt")
    for words, status, message in (
        ([checkpoint, out, "--to", "weights"], 2, "--to weights: needs to know what the model is"),
        ([checkpoint, out, "--to", "onnx"], 2, "the name must end in .onnx for --to onnx"),
        (
            [tmp_path / "no.ckpt", out, "--to", "weights", "--about", about_file],
            1,
            "no such checkpoint",
        ),
        (
            [unsized, out, "--to", "weights", "--about", about_file],
            1,
            "does not store the diameters",
        ),
        (
            [checkpoint, out, "--to", "weights", "--about", tmp_path / "no.yaml"],
            1,
            "no.yaml: cannot be read",
        ),
    ):
        assert export(*words) == status
        (line,) = capsys.readouterr().err.splitlines()
        assert message in line
        assert not out.exists()


def test_missing_packages_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)  # as if it were not installed
    checkpoint = tiny_checkpoint(tmp_path / "model.ckpt")
    assert export(checkpoint, tmp_path / "a.onnx", "--to", "onnx") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(
        'needs the package onnx, which is not installed; run: pip install "cellbench[export]"'
    )
