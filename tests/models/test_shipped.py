"""Ready models are found by name, listed, and used only if their checksum is right."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from ready_models import ship, use_folder

from cellbench.cli import main
from cellbench.errors import CheckpointError
from cellbench.inference import load_model
from cellbench.labels import read_labels
from cellbench.models.weights import load_weights
from cellbench.resources import weights_folder


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder with one image."""
    (tmp_path / "images").mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (48, 60), np.uint8)
    cv2.imwrite(str(tmp_path / "images/a.png"), pixels)
    return tmp_path / "images"


def test_a_weights_file_estimates_diameters_however_it_is_named(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = ship(tmp_path, monkeypatch)
    for number, (words, diameter) in enumerate(
        [
            ([], "auto"),
            (["--checkpoint", str(file)], "auto"),
            (["--checkpoint", "generalist"], "auto"),
            (["--checkpoint", str(tmp_path / "model.ckpt")], None),
            (["--model", "generalist", "--diameter", "none"], None),
        ]
    ):
        out = tmp_path / f"out{number}"
        assert main(["segment", str(images), str(out), "--device", "cpu", *words]) == 0
        assert read_labels(out / "a_label.tiff").shape == (48, 60)
        assert f'"diameter": {json.dumps(diameter)}' in (out / "segmentation.json").read_text()


def test_python_loads_a_model_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ship(tmp_path, monkeypatch)
    model = load_model("generalist", "cpu")
    assert model.model_name() == "unet"
    assert "starts from" in load_weights(model, "generalist")  # as --model.weights does


def test_lists_what_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ship(tmp_path, monkeypatch, "cells")
    size = ship(tmp_path, monkeypatch).stat().st_size
    assert main(["models", "--weights"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "cells 1.2.3: A tiny model for tests"
    assert lines[3:] == [
        "generalist 1.2.3: A tiny model for tests",
        f"    {size / 1e6:.1f} MB; licence Apache-2.0",
        "    trained on: Cells (CC0-1.0)",
    ]
    assert main(["models", "--weights", "cells"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert main(["models", "--weights", "other"]) == 2
    assert "no such ready model; choose from cells, generalist" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["segment", "images", "out"],
        ["models", "--weights"],
        ["segment", "images", "out", "--model", "x"],
    ],
)
def test_nothing_installed_is_one_line(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_folder(None, monkeypatch)
    assert main(words) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert 'no ready model is installed; run: pip install "cellbench[weights]"' in line
    with pytest.raises(CheckpointError, match="no ready model is installed"):
        load_model("generalist")


def test_a_damaged_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = ship(tmp_path, monkeypatch)
    file.write_bytes(file.read_bytes()[:-1] + b"\1")
    with pytest.raises(CheckpointError, match="does not have the checksum"):
        load_model("generalist")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"SHA256SUMS: cannot be read \(No such file or directory\); run: pip"),
        (b"\xff", r"SHA256SUMS: cannot be read \(it is not text in UTF-8\)"),
        (b"", "SHA256SUMS: does not list generalist.safetensors"),
        (b"a" * 64 + b"  other.safetensors", "SHA256SUMS: does not list generalist.safetensors"),
        (b"a" * 64 + b"  b.txt\nab  c", "SHA256SUMS: line 2 is not a checksum and the name of a"),
        (b"a" * 64 + b"  generalist.safetensors\n", "so it is damaged; run: pip"),
    ],
)
def test_a_faulty_list_of_checksums_is_named(
    content: bytes | None, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums = ship(tmp_path, monkeypatch).with_name("SHA256SUMS")
    sums.unlink()
    if content is not None:
        sums.write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        load_model("generalist")


def test_good_models_are_listed_beside_a_broken_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (wrong := ship(tmp_path, monkeypatch, "wrong")).write_bytes(
        wrong.read_bytes().replace(rb"\"licence\": \"Apache-2.0\"", rb"\"licence\": 2.0           ")
    )
    package = ship(tmp_path, monkeypatch).parent
    (package / "extra.safetensors").write_bytes(b"no weights")
    (package / "folder.safetensors").mkdir()
    (package / "link.safetensors").symlink_to("nowhere")
    assert main(["models", "--weights"]) == 1
    printed = capsys.readouterr()
    assert printed.out.splitlines()[0] == "generalist 1.2.3: A tiny model for tests"
    first, second = printed.err.splitlines()
    assert "SHA256SUMS: does not list extra.safetensors" in first
    assert "wrong.safetensors: licence: Input should be a valid string" in second
    assert main(["models", "--weights", "generalist"]) == 0
    assert main(["models", "--weights", "folder"]) == 2


def test_a_checkpoint_and_a_ready_model_exclude_each_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["segment", "a", "b", "--model", "generalist", "--checkpoint", "c"]) == 2
    assert "not allowed with" in capsys.readouterr().err


def test_an_installed_package_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cellbench_weights").mkdir()
    (tmp_path / "cellbench_weights/__init__.py").touch()
    checkout = weights_folder()
    assert checkout is not None
    assert (checkout / "__init__.py").is_file()
    monkeypatch.syspath_prepend(tmp_path)
    assert weights_folder() == tmp_path / "cellbench_weights"


def test_an_empty_name_is_no_ready_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ship(tmp_path, monkeypatch)
    assert main(["segment", str(tmp_path), str(tmp_path / "out"), "--model", ""]) == 2
    assert "model '': no such ready model; choose from generalist" in capsys.readouterr().err
