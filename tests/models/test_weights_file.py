"""Weights files hold the model of a checkpoint in half precision, and nothing that runs."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoints import save_checkpoint, small_unet, tiny_model
from ready_models import about, tiny_checkpoint

from cellbench.errors import CheckpointError, UsageError
from cellbench.inference import load_model, segment_image
from cellbench.inference.tuning import tune_checkpoint
from cellbench.models.own_segmenter import OwnSegmenter
from cellbench.models.weights import read_checkpoint
from cellbench.models.weights_file import read_weights_file, write_weights_file
from cellbench.models.weights_metadata import about_in, read_metadata


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A checkpoint and the weights file that is made from it."""
    checkpoint = tiny_checkpoint(tmp_path / "model.ckpt")
    write_weights_file(tmp_path / "model.safetensors", read_checkpoint(checkpoint), about())
    return checkpoint, tmp_path / "model.safetensors"


def header(path: Path) -> dict[str, dict[str, object]]:
    """Read the JSON at the beginning of a safetensors file, by its specification."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length])


def test_matrices_are_halved_and_vectors_kept(files: tuple[Path, Path]) -> None:
    stored, before = header(files[1]), read_checkpoint(files[0])["state_dict"]
    assert stored.keys() - {"__metadata__"} == before.keys()
    for name, value in before.items():
        kind = {torch.int64: "I64", torch.float32: "F16" if value.dim() > 1 else "F32"}
        assert stored[name]["dtype"] == kind[value.dtype]
    for name, value in read_weights_file(files[1])["state_dict"].items():
        assert value.dtype == before[name].dtype
        torch.testing.assert_close(value, before[name], rtol=1e-3, atol=1e-7)


def test_the_model_is_the_same(files: tuple[Path, Path]) -> None:
    old, new = (load_model(path, "cpu") for path in files)
    assert isinstance(new, OwnSegmenter)
    assert new.diameters == old.diameters == (10, 20, 40)
    assert new.representation.decoding() == old.representation.decoding()
    image = np.random.default_rng(0).random((70, 90, 3), np.float32)
    assert segment_image(new, image).shape == (70, 90)
    pixels = torch.from_numpy(image).permute(2, 0, 1)
    with torch.inference_mode():
        maps, halved = (each.predict_maps(pixels) for each in (old, new))
    for name, values in maps.items():
        np.testing.assert_allclose(halved[name], values, atol=0.01)


def test_what_the_model_is_can_be_read(files: tuple[Path, Path]) -> None:
    assert about_in(read_metadata(files[1]), files[1]) == about()
    assert about_in(read_checkpoint(files[0]), files[0]) is None


def test_paths_of_the_training_are_left_out(tmp_path: Path) -> None:
    checkpoint = read_checkpoint(tiny_checkpoint(tmp_path / "model.ckpt"))
    checkpoint["hyper_parameters"] |= {"weights": "/home/me/a.ckpt", "_class_path": "x"}
    write_weights_file(tmp_path / "a.safetensors", checkpoint, about())
    assert b"/home/me" not in (tmp_path / "a.safetensors").read_bytes()
    assert load_model(tmp_path / "a.safetensors", "cpu").model_name() == "unet"


@pytest.mark.parametrize("content", [b"", b"\x00" * 40, b"\xff" * 40, b"PK\x03\x04" + b"a" * 60])
def test_damaged_files_are_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"a\.safetensors: not a readable weights file"):
        load_model(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "not a weights file of cellbench"),
        ("no JSON", "not a weights file of cellbench"),
        ("[1]", "not a weights file of cellbench"),
        ("[" * 100_000, "not a weights file of cellbench"),
        ('{"cellbench_weights_file": 1}', "not a weights file of cellbench"),
        (
            '{"cellbench_weights_file": 1, "hyper_parameters": {}}',
            "not a weights file of cellbench",
        ),
        (
            '{"cellbench_weights_file": 2, "hyper_parameters": {}, "cellbench_model": ""}',
            "of format 2, .* update cellbench",
        ),
    ],
)
def test_other_files_are_refused(text: str | None, message: str, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    metadata = {} if text is None else {"cellbench": text}
    save_file({"a": torch.zeros(2)}, tmp_path / "a.safetensors", metadata)
    with pytest.raises(CheckpointError, match=message):
        load_model(tmp_path / "a.safetensors")


def test_a_class_that_is_not_registered_is_not_imported(tmp_path: Path) -> None:
    checkpoint = read_checkpoint(tiny_checkpoint(tmp_path / "model.ckpt"))
    checkpoint["cellbench_model"] = "antigravity.Model"
    write_weights_file(tmp_path / "a.safetensors", checkpoint, about())
    with pytest.raises(CheckpointError, match=r"antigravity\.Model is not registered"):
        load_model(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cellbench_model": "cellbench"}, r"the model class 'cellbench' is unknown\); copy or"),
        ({"cellbench_model": ["a.b"]}, r"the model class \['a.b'\] is unknown"),
        ({"cellbench_model": "a.b\x1b[2J"}, r"contains '\\x1b', which is not text"),
        ({"cellbench_weights_licence": ["MIT"]}, r"the licence .* is \['MIT'\]"),
        ({"hyper_parameters": {"window": 64.5}}, "64.5"),
        ({"hyper_parameters": {"window": True}}, "valid integer"),
        ({"hyper_parameters": {"channels_last": "false"}}, "valid boolean"),
        ({"hyper_parameters": {"channels": [4, "8"]}}, "valid integer"),
        ({"hyper_parameters": {"overlap": None}}, "valid number"),
    ],
)
def test_values_of_wrong_types_are_refused(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    checkpoint = read_checkpoint(tiny_checkpoint(tmp_path / "model.ckpt"))
    options = checkpoint["hyper_parameters"] | changes.pop("hyper_parameters", {})
    checkpoint |= {"hyper_parameters": options, **changes}
    write_weights_file(tmp_path / "a.safetensors", checkpoint, about())
    with pytest.raises(CheckpointError, match=message) as error:
        load_model(tmp_path / "a.safetensors", "cpu")
    assert "\n" not in str(error.value)


def test_encoders_are_not_looked_up_on_a_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = read_checkpoint(save_checkpoint(tiny_model("stardist"), tmp_path / "model.ckpt"))
    checkpoint["hyper_parameters"]["encoder"] = "hf-hub:timm/resnet18.a1_in1k"
    write_weights_file(tmp_path / "a.safetensors", checkpoint, about())
    asked: list[object] = []
    monkeypatch.setattr("socket.getaddrinfo", lambda *words, **_: asked.append(words))
    with pytest.raises(CheckpointError, match="not the name of an encoder in timm"):
        load_model(tmp_path / "a.safetensors", "cpu")
    assert not asked


def test_what_half_precision_cannot_hold_is_refused(tmp_path: Path) -> None:
    checkpoint = read_checkpoint(tiny_checkpoint(tmp_path / "model.ckpt"))
    name = next(name for name, value in checkpoint["state_dict"].items() if value.dim() > 1)
    checkpoint["state_dict"][name] = checkpoint["state_dict"][name] + 1e6
    with pytest.raises(CheckpointError, match="half precision cannot hold"):
        write_weights_file(tmp_path / "a.safetensors", checkpoint, about())
    assert not (tmp_path / "a.safetensors").exists()


def test_streams_are_kept(tmp_path: Path) -> None:
    checkpoint = save_checkpoint(tiny_model("multi_stream"), tmp_path / "model.ckpt")
    write_weights_file(tmp_path / "a.safetensors", read_checkpoint(checkpoint), about())
    assert load_model(tmp_path / "a.safetensors", "cpu").model_name() == "multi_stream"


def test_weights_files_are_not_tuned(files: tuple[Path, Path]) -> None:
    with pytest.raises(UsageError, match="a weights file is not changed"):
        tune_checkpoint(files[1], [])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(tmp_path: Path, value: float) -> None:
    model = small_unet()
    next(model.parameters()).data.view(-1)[0] = value
    with pytest.raises(CheckpointError, match="has values that are not finite"):
        load_model(save_checkpoint(model, tmp_path / "model.ckpt"), "cpu")


@pytest.mark.parametrize(
    "diameters", [(-1.0, -2.0, -3.0), (3.0, 2.0, 1.0), (0.0, 1.0, float("nan"))]
)
def test_diameters_that_no_cells_have_are_refused(
    tmp_path: Path, diameters: tuple[float, float, float]
) -> None:
    model = small_unet()
    model.diameters = diameters
    with pytest.raises(CheckpointError, match="diameters of cells are"):
        load_model(save_checkpoint(model, tmp_path / "model.ckpt"), "cpu")
