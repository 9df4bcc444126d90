"""Segmenting files with a trained model: bad images, bad checkpoints, times."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoints import small_unet
from PIL import Image

from cellbench.cli import main
from cellbench.errors import CheckpointError, UsageError
from cellbench.inference import load_model, segment_image
from cellbench.inference.ensemble import with_dense_maps
from cellbench.inference.run_files import segment_files
from cellbench.inference.tuning import tunable
from cellbench.labels import LabelMap, read_labels
from cellbench.models import DenseSegmenter
from cellbench.models.checkpoint_keys import MODEL_KEY
from cellbench.models.unet import UNetBoundary
from cellbench.representations.base import DecodedCells


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    model = UNetBoundary(channels=(4, 8), residual_units=1, window=64)
    content = {"state_dict": model.state_dict(), "hyper_parameters": dict(model.hparams)}
    model.on_save_checkpoint(content)
    torch.save(content, tmp_path / "model.ckpt")
    return tmp_path / "model.ckpt"


def test_one_bad_image_does_not_stop_the_rest(
    checkpoint: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    images, out = tmp_path / "images", tmp_path / "out"
    images.mkdir()
    Image.new("L", (70, 50), 9).save(images / "a.png")
    (images / "b.png").write_text("no picture")
    Image.new("RGB", (10, 10), 9).save(images / "c.d.bmp")
    status = main(["segment", str(images), str(out), "--checkpoint", str(checkpoint)])
    assert status == 1
    assert [record.getMessage().startswith(str(images / "b.png")) for record in caplog.records] == [
        True
    ]
    assert read_labels(out / "a_label.tiff").shape == (50, 70)
    assert read_labels(out / "c.d_label.tiff").shape == (10, 10)
    with (out / "runtime.csv").open(newline="") as file:
        assert [row["Img Name"] for row in csv.DictReader(file)] == ["a.png", "c.d.bmp"]
    assert main(["segment", str(images / "a.png"), str(out), "--checkpoint", str(checkpoint)]) == 0


def test_what_ends_one_image_does_not_stop_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    files = {stem: tmp_path / f"{stem}.png" for stem in "abcd"}
    for number, path in enumerate(files.values()):
        Image.new("L", (20, 20 + number)).save(path)
    faults = {21: RuntimeError("sizes of\ntensors"), 22: MemoryError(), 23: KeyboardInterrupt()}

    def segment(_model: object, image: np.ndarray, **_options: object) -> DecodedCells:
        if len(image) in faults:
            raise faults[len(image)]
        return DecodedCells(np.ones(image.shape[:2], int), {})

    monkeypatch.setattr("cellbench.inference.run_files.segment_cells", segment)
    with pytest.raises(KeyboardInterrupt):
        segment_files(small_unet(), files, tmp_path)
    assert [record.getMessage() for record in caplog.records] == [
        f"{files['b']}: sizes of tensors",
        f"{files['c']}: out of memory",
    ]
    with (tmp_path / "runtime.csv").open(newline="") as file:
        assert [row["Img Name"] for row in csv.DictReader(file)] == ["a.png"]


def test_the_checkpoint_alone_is_enough(checkpoint: Path) -> None:
    model = load_model(checkpoint, "cpu")
    assert isinstance(model, DenseSegmenter)
    assert model.model_name() == "unet"
    assert model.window == 64
    assert not model.training


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return (print, ("code from a checkpoint",))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a readable checkpoint"),
        (b"PK\3\4 nothing", "not a readable checkpoint"),
        ({"state_dict": {}}, "not a checkpoint of a cellbench model"),
        ([1, 2], "not a checkpoint of a cellbench model"),
        (
            {MODEL_KEY: "unet", "hyper_parameters": {}, "state_dict": {}},
            "does not fit the present version",
        ),
        (
            {MODEL_KEY: "unet", "hyper_parameters": {"depth": 3}, "state_dict": {}},
            "does not fit the present version",
        ),
        ({MODEL_KEY: "unet"}, "not a checkpoint of a cellbench model"),
        (
            {MODEL_KEY: "unet", "hyper_parameters": {"channels": []}, "state_dict": {}},
            "does not fit the present version",
        ),
        ({MODEL_KEY: "unet", "evil": Evil()}, "not a readable checkpoint"),
    ],
)
def test_bad_checkpoints(
    tmp_path: Path, content: object, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.ckpt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(CheckpointError, match=message) as error:
        load_model(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert "code from a checkpoint" not in capsys.readouterr().out


@pytest.mark.parametrize("inputs", ["absent", "empty"])
def test_nothing_to_segment(
    inputs: str, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    words = [
        "segment",
        str(tmp_path / inputs),
        str(tmp_path / "out"),
        "--checkpoint",
        str(checkpoint),
    ]
    assert main(words) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_label_map_of_before_does_not_stay(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a_label.tiff").write_text("old")
    words = [
        "segment",
        str(tmp_path / "a.png"),
        str(tmp_path / "out"),
        "--checkpoint",
        str(checkpoint),
    ]
    assert main(words) == 1
    assert not (tmp_path / "out/a_label.tiff").exists()
    Image.new("L", (9, 9)).save(tmp_path / "a.png")
    assert main([*words, "--device", "abacus"]) == 2


def test_a_large_image_is_segmented_in_windows(checkpoint: Path) -> None:
    model = load_model(checkpoint, "cpu")
    image = torch.from_numpy(np.random.default_rng(0).random((3, 700, 900), dtype=np.float32))
    with torch.inference_mode():
        assert model.segment(image).shape == (700, 900)


class FirstCell(UNetBoundary):
    """Keeps one cell of what its maps decode to."""

    def segment(self, image: torch.Tensor) -> LabelMap:
        return np.ones(image.shape[1:], np.int32)


def test_a_model_that_does_more_than_to_decode_its_maps_is_not_averaged_or_tuned() -> None:
    """Averaging and tuning decode the maps themselves and would leave out what it does."""
    model = FirstCell(channels=(4, 8), residual_units=1).eval()
    image = np.zeros((8, 8, 3), np.float32)
    assert segment_image(model, image).all()
    with_dense_maps(small_unet())
    for use in (with_dense_maps, tunable):
        with pytest.raises(UsageError, match="segments with a method segment of its own"):
            use(model)
    with pytest.raises(UsageError, match="cannot be averaged"):
        segment_image([model, model], image)
    with pytest.raises(UsageError, match="without --tta"):
        segment_image(model, image, augment=True)
