"""One seed, one result: run twice, stopped and resumed, in two processes, compiled."""

import csv
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from datasets import make_dataset
from training_runs import fit, fit_words

from cellbench.errors import UsageError
from cellbench.inference import load_model
from cellbench.models.swin_unetr import SwinUNETRBoundary
from cellbench.models.unet import UNetBoundary

DETERMINISTIC = ("--trainer.deterministic", "true")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    torch.use_deterministic_algorithms(False)


def weights(run: Path, name: str = "last") -> dict[str, torch.Tensor]:
    content = torch.load(run / f"checkpoints/{name}.ckpt", weights_only=True)
    return {**content["state_dict"], **content["current_model_state"]}


def assert_equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def keep_epochs() -> tuple[str, ...]:
    callback = "--trainer.callbacks"
    return (
        f"{callback}+=pytorch_lightning.callbacks.ModelCheckpoint",
        f"{callback}.filename={{epoch}}",
        f"{callback}.save_top_k=-1",
        f"{callback}.mode=max",  # Lightning tells callbacks apart by it
        f"{callback}.save_on_train_epoch_end=true",
    )


@pytest.mark.slow
@pytest.mark.parametrize("model", ["unet", "multi_stream"])
def test_two_runs_and_a_resumed_one_give_the_same_weights(model: str, tmp_path: Path) -> None:
    """Also with workers, whose number changes nothing."""
    data = make_dataset(tmp_path / "data")
    names = ("first", "second", "resumed", "other")
    first, second, resumed, other = (tmp_path / name for name in names)
    assert fit(model, first, data, *DETERMINISTIC, *keep_epochs()) == 0
    assert fit(model, second, data, *DETERMINISTIC, "--data.num_workers", "2") == 0
    assert_equal(weights(first), weights(second))
    start = ("--ckpt_path", str(first / "checkpoints/epoch=0.ckpt"))
    assert fit(model, resumed, data, *DETERMINISTIC, *start, "--data.num_workers", "1") == 0
    assert_equal(weights(first), weights(resumed))
    assert fit(model, other, data, *DETERMINISTIC, "--seed_everything", "1") == 0
    assert not torch.equal(*(next(iter(weights(run).values())) for run in (first, other)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "strategy"), [("unet", "ddp"), ("multi_stream", "ddp_find_unused_parameters_true")]
)
def test_two_processes_train_one_model(model: str, strategy: str, tmp_path: Path) -> None:
    data, run = make_dataset(tmp_path / "data", images=3), tmp_path / "run"
    words = [
        *fit_words(model, run, data),
        *("--trainer.strategy", strategy, "--trainer.devices", "2", "--trainer.max_epochs", "1"),
        *("--data.patches_per_epoch", "8"),
    ]
    subprocess.run([sys.executable, "-m", "cellbench.cli", *words], check=True, timeout=300)
    content = torch.load(run / "checkpoints/last.ckpt", weights_only=True)
    assert content["global_step"] == 2  # 8 patches, two at a time, in two processes
    with (run / "logs/version_0/metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert any(row["val/f1"] for row in rows)
    assert all(float(row["train/images_per_s"]) > 0 for row in rows if row["train/images_per_s"])
    assert load_model(run / "checkpoints/last.ckpt", "cpu").model_name() == model


def test_batches_accumulate(tmp_path: Path) -> None:
    data, run = make_dataset(tmp_path / "data", images=1), tmp_path / "run"
    more = ("--trainer.accumulate_grad_batches", "2", "--data.patches_per_epoch", "8")
    assert fit("unet", run, data, *more) == 0
    content = torch.load(run / "checkpoints/last.ckpt", weights_only=True)
    assert content["global_step"] == 4


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="compiling needs a C++ compiler")
def test_a_compiled_network_gives_the_same_gradients(tmp_path: Path) -> None:
    model = UNetBoundary(channels=(4, 8), residual_units=1, window=64, compiled=True)
    model.setup("fit")
    assert model._compiled_network is not None
    image = torch.rand(2, 3, 64, 64)
    gradients = []
    for network in (model.network, model._compiled_network):
        model.zero_grad()
        network(image)["classes"].square().mean().backward()
        gradients.append([each.grad for each in model.parameters() if each.grad is not None])
    for eager, compiled in zip(*gradients, strict=True):
        torch.testing.assert_close(compiled, eager, rtol=1e-3, atol=1e-5)
    content = {"state_dict": model.state_dict(), "hyper_parameters": dict(model.hparams)}
    model.on_save_checkpoint(content)
    torch.save(content, tmp_path / "model.ckpt")
    loaded = load_model(tmp_path / "model.ckpt", "cpu")
    with torch.inference_mode():
        assert loaded.segment(torch.rand(3, 9, 9)).shape == (9, 9)


def test_the_order_in_memory_changes_nothing() -> None:
    torch.manual_seed(0)
    plain = UNetBoundary(channels=(4, 8), residual_units=1)
    ordered = UNetBoundary(channels=(4, 8), residual_units=1, channels_last=True)
    ordered.load_state_dict(plain.state_dict())
    weight = next(each for each in ordered.parameters() if each.ndim == 4 and each.shape[1] > 1)
    assert weight.is_contiguous(memory_format=torch.channels_last)
    image = torch.rand(2, 3, 64, 64)
    torch.testing.assert_close(ordered(image)["classes"], plain(image)["classes"])


def test_the_encoder_learns_at_its_own_rate() -> None:
    model = SwinUNETRBoundary(feature_size=12, learning_rate=1e-3, encoder_rate=0.1)
    rest, encoder = model.parameter_groups()
    assert encoder["lr"] == pytest.approx(1e-4)
    assert {id(each) for each in encoder["params"]} == {
        id(each) for each in model.network.encoder.parameters()
    }
    assert len(rest["params"]) + len(encoder["params"]) == len(list(model.parameters()))
    with pytest.raises(UsageError, match="no encoder"):
        UNetBoundary(encoder_rate=0.1)
