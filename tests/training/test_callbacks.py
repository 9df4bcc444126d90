"""Averaged weights, the NaN guard, the learning rate."""

import math
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import make_dataset
from label_maps import discs
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Timer

from cellbench.errors import CellbenchError
from cellbench.models.unet import UNetBoundary
from cellbench.training.callbacks import AveragedWeights, NonFiniteGuard
from cellbench.training.datamodule import CellDataModule
from cellbench.training.pictures import draw_result
from cellbench.training.schedule import CpuTimer, learning_rate_factor, training_progress


class Poisoned(UNetBoundary):
    """Returns NaN in some steps, from one step on."""

    def __init__(self, start: int, steps: int) -> None:
        super().__init__(channels=(4, 8), residual_units=1, window=64)
        self.poison = range(start, start + steps)

    def training_step(self, batch, batch_idx):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        loss = super().training_step(batch, batch_idx)
        return loss * math.nan if batch_idx in self.poison else loss


def train(model: UNetBoundary, tmp_path: Path, steps: int, guard: NonFiniteGuard) -> None:
    data = CellDataModule(
        str(make_dataset(tmp_path / "data")),
        crop_size=64,
        batch_size=1,
        patches_per_epoch=steps,
        num_workers=0,
        cache=str(tmp_path / "cache"),
    )
    trainer = Trainer(
        max_epochs=1,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=0,
        gradient_clip_val=1.0,
        callbacks=[guard],
        default_root_dir=tmp_path,
    )
    trainer.fit(model, data)


def test_single_bad_steps_are_skipped(tmp_path: Path) -> None:
    model = Poisoned(start=1, steps=2)
    with pytest.warns(UserWarning, match="gradients are not finite, step skipped"):
        train(model, tmp_path, 5, NonFiniteGuard(patience=3))
    assert all(torch.isfinite(each).all() for each in model.parameters())


def test_bad_steps_in_a_row_stop_training(tmp_path: Path) -> None:
    with pytest.raises(CellbenchError, match=r"lower model\.learning_rate"):
        train(Poisoned(start=1, steps=4), tmp_path, 6, NonFiniteGuard(patience=3))


def test_the_average_follows_fast_at_first() -> None:
    average = AveragedWeights(decay=0.9)._kwargs["multi_avg_fn"]
    for steps, share in ((0, 0.9), (10**6, 0.1)):
        old = torch.zeros(2)
        average([old[:1], old[1:]], [torch.ones(1), torch.ones(1)], torch.tensor(steps))
        assert old.tolist() == pytest.approx([share, share])


def test_counts_and_indices_are_not_averaged() -> None:
    average = AveragedWeights()._kwargs["multi_avg_fn"]
    old, new = torch.arange(100), torch.arange(100) + 7
    average([old], [new], torch.tensor(50))
    assert torch.equal(old, new)


def test_the_clock_of_the_first_process_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer(max_time="00:01:00:00", accelerator="cpu", logger=False)
    (timer,) = (each for each in trainer.callbacks if isinstance(each, Timer))
    monkeypatch.setattr(timer, "time_elapsed", lambda *_: 900.0)
    monkeypatch.setattr(Trainer, "estimated_stepping_batches", math.inf)
    assert training_progress(trainer) == pytest.approx(0.25)
    monkeypatch.setattr(trainer.strategy, "broadcast", lambda share: share + 0.5)
    assert training_progress(trainer) == pytest.approx(0.75)


def test_a_limit_on_cpu_time_counts_work_and_not_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trainer, "estimated_stepping_batches", math.inf)
    timer = CpuTimer("00:00:01:00")
    trainer = Trainer(callbacks=[timer], accelerator="cpu", logger=False)
    now = [100.0]
    monkeypatch.setattr(time, "process_time", lambda: now[0])
    timer.load_state_dict({"time_elapsed": {"train": 6.0}})  # of an interrupted run
    timer.on_train_start(trainer, LightningModule())
    assert (timer.time_elapsed(), timer.time_remaining()) == (6, 54)
    now[0] = 109.0
    assert training_progress(trainer) == pytest.approx(0.25)
    timer.on_train_batch_end(trainer)
    assert not trainer.should_stop
    now[0] = 154.0
    timer.on_train_batch_end(trainer)
    assert trainer.should_stop
    timer.on_train_end(trainer, LightningModule())
    now[0] = 200.0
    assert timer.time_elapsed() == 60


@pytest.mark.parametrize(
    ("step", "progress", "expected"),
    [(0, 0.0, 0.01), (49, 0.0, 0.5), (99, 0.0, 1.0), (500, 0.5, 0.5), (999, 1.0, 0.0)],
)
def test_learning_rate(step: int, progress: float, expected: float) -> None:
    assert learning_rate_factor(step, 100, progress) == pytest.approx(expected)


def test_outlines_are_drawn_in_two_colours() -> None:
    image = np.full((96, 112, 3), 0.5)
    picture = draw_result(image, discs(), np.roll(discs(), 5, axis=1))
    assert picture.dtype == np.uint8
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) == 3
