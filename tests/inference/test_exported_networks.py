"""Exported networks give the maps of PyTorch, also at odd sides; packages explain their decoding."""

import zipfile
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from checkpoints import save_checkpoint, tiny_model
from ready_models import ABOUT, tiny_checkpoint

from cellbench.cli import main
from cellbench.data.sample import real_picture
from cellbench.errors import CheckpointError
from cellbench.inference import load_model
from cellbench.inference.exporters.bioimageio import rescaled
from cellbench.inference.exporters.exported import exported_network
from cellbench.inference.exporters.onnx_file import run_network, run_onnx
from cellbench.labels import read_labels


def need_packages() -> None:
    for name in ("onnx", "onnxscript", "onnxruntime", "bioimageio.spec"):
        pytest.importorskip(name, reason='needs pip install "cellbench[export]"')


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked BioImage.IO package of a tiny model."""
    need_packages()
    folder = tmp_path_factory.mktemp("package")
    (folder / "about.yaml").write_text(yaml.safe_dump(ABOUT))
    words = [str(tiny_checkpoint(folder / "model.ckpt")), str(folder / "model.zip")]
    assert (
        main(["export", *words, "--to", "bioimageio", "--about", str(folder / "about.yaml")]) == 0
    )
    with zipfile.ZipFile(folder / "model.zip") as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def test_the_description_states_data_licence_and_sizes(package: Path) -> None:
    described = yaml.safe_load(next(package.glob("*.yaml")).read_text("utf-8"))
    assert described["license"] == "Apache-2.0"
    assert described["cite"][0]["doi"] == "10.1038/s41592-019-0612-7"
    assert described["inputs"][0]["axes"][-1]["size"] == {"min": 32, "step": 1}
    readme = (package / "README.md").read_text("utf-8")
    assert "Cells, licence CC0-1.0: https://example.org/cells" in readme


def test_the_expected_outputs_are_those_of_the_network(package: Path) -> None:
    raw = np.load(package / "test_image.npy")
    for name, maps in run_onnx(package / "network.onnx", rescaled(raw)).items():
        expected = np.load(package / f"test_{name}.npy")
        np.testing.assert_allclose(maps, expected, atol=1e-4)


@pytest.mark.parametrize("shape", [(2, 3, 33, 47), (1, 3, 64, 65), (1, 3, 128, 96)])
def test_any_size_gives_the_maps_of_pytorch(package: Path, shape: tuple[int, ...]) -> None:
    network = exported_network(load_model(package / "weights.safetensors", "cpu"))
    image = np.random.default_rng(0).random(shape, np.float32)
    found, expected = run_onnx(package / "network.onnx", image), run_network(network, image)
    for name, maps in expected.items():
        assert found[name].shape == maps.shape
        np.testing.assert_allclose(found[name], maps, atol=0.01)  # weights.safetensors is rounded


def test_the_code_in_the_documentation_decodes(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (package / "README.md").read_text("utf-8").split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(package)
    (package / "cells.tif").write_bytes(real_picture()[0].read_bytes())
    exec(code, {})
    assert read_labels(package / "cells_label.tiff").shape == (512, 512)


@dataclass
class Exported:
    """A tiny stardist, whose maps are on every second pixel, as ONNX; and what the command printed."""

    checkpoint: Path
    path: Path
    lines: list[str]


@pytest.fixture(scope="module")
def on_a_grid(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    need_packages()
    folder = tmp_path_factory.mktemp("on_a_grid")
    checkpoint = save_checkpoint(tiny_model("stardist"), folder / "model.ckpt")
    printed = StringIO()
    with redirect_stdout(printed):
        assert main(["export", str(checkpoint), str(folder / "a.onnx"), "--to", "onnx"]) == 0
    return Exported(checkpoint, folder / "a.onnx", printed.getvalue().splitlines())


@pytest.mark.slow
def test_onnx_is_compared_with_pytorch(on_a_grid: Exported) -> None:
    assert on_a_grid.lines[1].startswith("largest differences between ONNX and PyTorch: ")
    assert on_a_grid.lines[2].endswith(" with both")


@pytest.mark.slow
def test_maps_on_a_grid_keep_their_last_row(on_a_grid: Exported) -> None:
    network = exported_network(load_model(on_a_grid.checkpoint, "cpu"))
    assert network.model.representation.grid == 2
    image = np.random.default_rng(0).random((1, 3, 65, 33), np.float32)
    found, expected = run_onnx(on_a_grid.path, image), run_network(network, image)
    assert {maps.shape[-2:] for maps in found.values()} == {(65, 33)}
    for name, maps in expected.items():
        np.testing.assert_allclose(found[name], maps, atol=1e-3)


def test_a_model_of_several_networks_is_refused(tmp_path: Path) -> None:
    model = tiny_model("multi_stream")
    with pytest.raises(CheckpointError, match=r"multi_stream: .* cannot be exported"):
        exported_network(load_model(save_checkpoint(model, tmp_path / "a.ckpt"), "cpu"))


def test_an_operation_that_onnx_lacks_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    need_packages()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no operator\nand much more")

    monkeypatch.setattr(torch.onnx, "export", fail)
    checkpoint = tiny_checkpoint(tmp_path / "model.ckpt")
    assert main(["export", str(checkpoint), str(tmp_path / "a.onnx"), "--to", "onnx"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "unet: its network cannot be converted to ONNX (no operator)" in line
    assert not (tmp_path / "a.onnx").exists()
