"""Profiles of models: what is counted, and the table that keeps it."""

import gc
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoints import save_checkpoint, small_unet

from cellbench.errors import CellbenchError, UsageError
from cellbench.inference.profile import make_or_load, profile_model, profiles, profiling_image
from cellbench.inference.profile_table import (
    COLUMNS,
    Profile,
    file_name,
    read_profiles,
    write_profiles,
)
from cellbench.labels import LabelMap
from cellbench.models import DenseModel, DenseSegmenter
from cellbench.models.unet import UNetBoundary
from cellbench.representations import Boundary


class OnePixel(torch.nn.Module):
    """A 1 × 1 convolution: 9 weights and 3 biases, 9 multiplications per pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = torch.nn.Conv2d(3, 3, 1)

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        classes = self.convolution(image)
        self.precision = classes.dtype
        return {"classes": classes}


def row(**changes: object) -> Profile:
    values: dict[str, object] = {"model": "a", "size": 64, "precision": "32", "device": "cpu"}
    values |= {"parameters": 12, "macs": 9, "network_s": 0.123456, "decoding_s": 0.2}
    values |= {"latency_s": 0.323456, "images_per_s": 3.0916, "peak_memory_mb": 9.0, "repeats": 2}
    return Profile(**(values | changes))  # type: ignore[arg-type]


def test_operations_and_parameters_are_counted() -> None:
    model = DenseModel(OnePixel(), Boundary(), window=64).eval()
    found = profile_model("one", model, 64, "32", repeats=1)
    assert (found.parameters, found.macs) == (12, 9 * 64 * 64)
    assert (found.model, found.size, found.precision, found.device) == ("one", 64, "32", "cpu")
    assert found.decoding_s is not None
    assert found.latency_s == found.network_s + found.decoding_s
    assert found.images_per_s == 1 / found.latency_s


def test_windows_that_overlap_are_counted_as_often_as_they_are_predicted() -> None:
    model = DenseModel(OnePixel(), Boundary(), window=64, overlap=0.5).eval()
    # 128 pixels are covered by three windows in each direction
    assert profile_model("one", model, 128, "32", repeats=1).macs == 9 * (3 * 64) ** 2


def test_half_precision_is_measured_on_demand() -> None:
    network = OnePixel()
    model = DenseModel(network, Boundary(), window=64).eval()
    assert profile_model("one", model, 32, "bf16", repeats=1).precision == "bf16"
    assert network.precision == torch.bfloat16


def test_a_model_without_dense_maps_of_its_own_is_measured_as_a_whole() -> None:
    class Whole(UNetBoundary):
        def segment(self, image: torch.Tensor) -> LabelMap:
            return super().segment(image)

    model = Whole(channels=(4, 8), residual_units=1, window=64).eval()
    found = profile_model("whole", model, 32, "32", repeats=1)
    assert found.decoding_s is None
    assert found.latency_s == found.network_s
    assert found.macs > 0


def test_the_image_is_real_and_has_any_size() -> None:
    image, labels = profiling_image(1100)
    assert image.shape == (1100, 1100, 3)
    assert 0 <= image.min() < image.max() <= 1
    np.testing.assert_array_equal(image[:512, :512], image[512:1024, 512:1024])
    inside = labels[:512, :512] > 0
    assert inside.any()
    np.testing.assert_array_equal(inside, labels[512:1024, :512] > 0)
    assert set(labels[:512, :512][inside]).isdisjoint(labels[512:1024, :512][inside])


def test_models_checkpoints_and_runs_are_found(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    last = save_checkpoint(small_unet(), run / "checkpoints/last.ckpt")
    for word in (last, run):
        model = make_or_load(str(word), "cpu")
        assert isinstance(model, DenseSegmenter)
        assert model.model_name() == "unet"
        assert model.window == 64
        assert not model.training
    assert type(make_or_load("unet", "cpu")) is UNetBoundary
    with pytest.raises(
        UsageError, match=r"absent: not a model, a checkpoint or a run folder .*unet"
    ):
        make_or_load("absent")


def test_a_model_is_gone_before_the_next_one_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    alive: list[weakref.ref[object]] = []

    def make(*arguments: object, **options: object) -> object:
        assert not any(each() for each in alive)
        model = small_unet()
        alive.append(weakref.ref(model))
        return model

    monkeypatch.setattr("cellbench.inference.profile.make_or_load", make)
    gc.disable()  # it would free the first model at any time
    try:
        assert len(list(profiles(["a", "b"], [32], ["32"], "cpu", 1))) == 2
    finally:
        gc.enable()


def test_precisions_that_mean_the_same_are_measured_once(tmp_path: Path) -> None:
    checkpoint = str(save_checkpoint(small_unet(), tmp_path / "model.ckpt"))
    rows = [each for _, each in profiles([checkpoint], [32, 48], ["32", "32"], "cpu", 1)]
    assert [(each.size, each.precision) for each in rows] == [(32, "32"), (48, "32")]


def test_out_of_memory_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(*_: object) -> None:
        raise torch.OutOfMemoryError("much text")

    monkeypatch.setattr("cellbench.inference.profile.profile_model", fail)
    checkpoint = str(save_checkpoint(small_unet(), tmp_path / "model.ckpt"))
    with pytest.raises(CellbenchError, match="out of memory for an image of 32 × 32 pixels"):
        list(profiles([checkpoint], [32], ["32"], "cpu"))


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (
            ("cpu", "AMD EPYC 7B13", 2, "2.9.0+cpu"),
            "profile-cpu-AMD_EPYC_7B13-2threads-torch2.9.0.csv",
        ),
        (
            ("cuda", "NVIDIA H100 80GB HBM3", None, "2.9.1+cu128"),
            "profile-cuda-NVIDIA_H100_80GB_HBM3-torch2.9.1.csv",
        ),
        (("cpu", "../a/b: c", 1, "2.8"), "profile-cpu-a_b_c-1threads-torch2.8.csv"),
        (("mps", "", 8, "2.8"), "profile-mps-unknown-8threads-torch2.8.csv"),
    ],
)
def test_the_file_name_is_the_environment(
    parts: tuple[str, str, int | None, str], name: str
) -> None:
    assert file_name(*parts) == name


def test_rows_are_replaced_or_kept(tmp_path: Path) -> None:
    table = tmp_path / "out/profile.csv"
    write_profiles(table, [row(), row(size=256), row(model="b")])
    write_profiles(table, [row(network_s=1.0), row(precision="bf16", decoding_s=None)])
    rows = read_profiles(table)
    assert [*rows[0]] == [*COLUMNS]
    assert [(each["model"], each["size"], each["precision"]) for each in rows] == [
        ("a", "64", "32"),
        ("a", "64", "bf16"),
        ("a", "256", "32"),
        ("b", "64", "32"),
    ]
    assert [each["network_s"] for each in rows] == ["1", "0.1235", "0.1235", "0.1235"]
    assert rows[1]["decoding_s"] == ""


@pytest.mark.parametrize(
    "content", ["", "model,size\na,64\n", "\0\xff", ",".join(COLUMNS) + "\na,64\n"]
)
def test_other_files_are_not_overwritten(content: str, tmp_path: Path) -> None:
    table = tmp_path / "profile.csv"
    table.write_text(content, encoding="latin-1")
    with pytest.raises(CellbenchError, match="not a table that this version"):
        write_profiles(table, [row()])
    assert table.read_text(encoding="latin-1") == content
