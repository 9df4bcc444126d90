"""Test-time augmentation and ensembles: maps are averaged where they belong."""

import logging
import tracemalloc
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from checkpoints import save_checkpoint, small_unet
from label_maps import discs
from PIL import Image

from cellbench.cli import main
from cellbench.errors import CheckpointError
from cellbench.inference import ensemble, load_models, segment_image
from cellbench.inference.augmented import VIEWS, augmented_maps
from cellbench.inference.ensemble import mean_maps
from cellbench.inference.segment import predict_maps
from cellbench.labels import read_labels
from cellbench.models.swin_unetr import SwinUNETRBoundary
from cellbench.representations import REPRESENTATIONS

Maps = dict[str, npt.NDArray[np.floating]]


@pytest.mark.parametrize("name", sorted(REPRESENTATIONS))
@pytest.mark.parametrize(("flipped", "turns"), VIEWS)
def test_maps_of_a_turned_image_are_turned_back(name: str, flipped: bool, turns: int) -> None:
    """What the cells of a turned label map encode to is, turned back, what they encode to unturned."""
    options = {"exact_centres": True} if name == "hover" else {}  # the original's lean to one side
    representation = REPRESENTATIONS[name](**options)
    labels = np.kron(discs(radius=7, spacing=17)[:50, :60], np.ones((1, 2), int))
    turned = np.rot90(labels[:, ::-1] if flipped else labels, turns)
    maps = representation.turn_back(representation.encode(turned), turns, flipped)
    truth = representation.encode(labels)
    for key, expected in truth.items():
        assert maps[key].shape == expected.shape
        off = np.abs(maps[key].astype(float) - expected).mean() / max(np.abs(expected).mean(), 1e-9)
        assert off < 0.1  # rays are counted in whole pixels, not alike in all directions


def test_an_image_and_its_turned_copies_get_the_same_cells() -> None:
    model = small_unet()
    image = torch.rand(3, 64, 64)  # one window: its weights are symmetric
    with torch.inference_mode():
        maps = augmented_maps(model, image)["classes"]
        turned = augmented_maps(model, torch.rot90(image, 1, (-2, -1)))["classes"]
    np.testing.assert_allclose(np.rot90(maps, 1, (-2, -1)), turned, atol=1e-5)


def test_an_ensemble_averages_maps(tmp_path: Path) -> None:
    paths = [save_checkpoint(small_unet(seed), tmp_path / f"{seed}.ckpt") for seed in (0, 1)]
    models = load_models(paths, "cpu")
    image = np.random.default_rng(0).random((40, 70, 3))
    together = predict_maps(models, image, precision="32")["classes"]
    alone = [predict_maps([model], image, precision="32")["classes"] for model in models]
    np.testing.assert_allclose(together, (alone[0] + alone[1]) / 2, atol=1e-6)
    assert together.dtype == np.float32
    assert segment_image(models, image).shape == (40, 70)


def test_an_ensemble_has_one_kind_of_maps(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = save_checkpoint(small_unet(), tmp_path / "first.ckpt")
    other = save_checkpoint(SwinUNETRBoundary(feature_size=12), tmp_path / "other.ckpt")
    with pytest.raises(CheckpointError, match="swin_unetr, not unet") as error:
        load_models([first, other], "cpu")
    assert str(other) in str(error.value)
    tuned = small_unet()
    tuned.representation.set_decoding({"threshold": 0.3})
    second = save_checkpoint(tuned, tmp_path / "second.ckpt")
    with caplog.at_level(logging.WARNING):
        models = load_models([first, second], "cpu")
    assert models[0].representation.decoding()["threshold"] == 0.5
    assert "options of decoding differ" in caplog.text


@pytest.mark.parametrize("differ", ["largest_hole", "touching_weight"])
def test_options_that_shape_the_maps_must_agree(
    differ: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = {"a": small_unet(), "b": small_unet()}
    setattr(models["b"].representation, differ, 1)
    monkeypatch.setattr(ensemble, "load_model", lambda path, *_, **__: models[path])
    with pytest.raises(CheckpointError, match=f"differ in {differ}"):
        load_models(["a", "b"])


def test_the_options_of_segment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [save_checkpoint(small_unet(seed), tmp_path / f"{seed}.ckpt") for seed in (0, 1)]
    Image.new("L", (50, 30), 9).save(tmp_path / "a.png")
    words = ["segment", str(tmp_path / "a.png"), str(tmp_path / "out"), "--device", "cpu", "--tta"]
    for path in paths:
        words += ["--checkpoint", str(path)]
    assert main([*words, "--precision", "32"]) == 0
    assert "predicted 16 times and takes 16 times as long" in capsys.readouterr().err
    assert read_labels(tmp_path / "out/a_label.tiff").shape == (30, 50)


def test_averaging_holds_the_sum_and_one_part() -> None:
    tracemalloc.start()
    mean = mean_maps({"map": np.full((1, 1000, 1000), value)} for value in (1.0, 2.0, 6.0))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(mean["map"], 3)
    assert most < 2.1 * mean["map"].nbytes
