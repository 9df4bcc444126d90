"""Validations in the first minutes and at the end of training, and none where time is already scheduled."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from datasets import make_dataset
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import ModelCheckpoint

from cellbench.models.unet import UNetBoundary
from cellbench.training.datamodule import CellDataModule
from cellbench.training.extra_validation import ExtraValidations


class Clock(Callback):
    """A minute passes in each training step; remembers after which steps the trainer validates."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.minutes = 0
        self.validated: list[int] = []
        monkeypatch.setattr(time, "monotonic", lambda: 60.0 * self.minutes)

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: object, batch_idx: int
    ) -> None:
        del trainer, pl_module, batch, batch_idx
        self.minutes += 1

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        del pl_module
        if not trainer.sanity_checking:
            self.validated.append(trainer.global_step)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    yield Clock(monkeypatch)
    monkeypatch.undo()


def validated_steps(
    clock: Clock, folder: Path, patches: int, extra: Callback, **options: object
) -> list[int]:
    data = CellDataModule(
        str(make_dataset(folder / "data", images=1)),
        crop_size=64,
        batch_size=1,
        patches_per_epoch=patches,
        num_workers=0,
        cache=str(folder / "cache"),
    )
    trainer = Trainer(
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=1,
        callbacks=[clock, extra, ModelCheckpoint(folder, "best", monitor="val/f1", mode="max")],
        default_root_dir=folder,
        **options,  # type: ignore[arg-type]
    )
    trainer.fit(UNetBoundary(channels=(4, 8), residual_units=1, window=64), data)
    assert (folder / "best.ckpt").is_file() == bool(clock.validated)
    return clock.validated


def test_a_long_epoch_is_validated_in_its_first_minutes(clock: Clock, tmp_path: Path) -> None:
    options = {"max_epochs": 1, "check_val_every_n_epoch": 5}
    # After 2 minutes, 4 and 8 more, and at the end.
    steps = validated_steps(clock, tmp_path, 20, ExtraValidations(2), **options)
    assert steps == [2, 6, 14, 20]


def test_a_schedule_that_is_dense_enough_is_kept(clock: Clock, tmp_path: Path) -> None:
    options = {"max_epochs": 6, "check_val_every_n_epoch": 2}
    assert validated_steps(clock, tmp_path, 1, ExtraValidations(2), **options) == [2, 4, 6]


def test_the_schedule_continues_after_an_added_validation(clock: Clock, tmp_path: Path) -> None:
    options = {"max_epochs": 4, "check_val_every_n_epoch": 2}
    # Epochs end after 5, 10, 15 and 20 minutes; after the validation of minute 10, the next one is added
    # when 8 minutes have passed without any.
    steps = validated_steps(clock, tmp_path, 5, ExtraValidations(2), **options)
    assert steps == [2, 6, 10, 18, 20]


def test_a_schedule_in_minutes_is_kept_but_the_end_is_validated(
    clock: Clock, tmp_path: Path
) -> None:
    options = {
        "max_epochs": 2,
        "check_val_every_n_epoch": None,
        "val_check_interval": "00:06:00:00",
    }
    assert validated_steps(clock, tmp_path, 5, ExtraValidations(2), **options) == [10]


@pytest.mark.parametrize(
    ("limit", "last"), [({"max_steps": 7}, 7), ({"max_time": "00:00:05:00"}, 5)]
)
def test_the_last_step_is_validated(
    limit: dict[str, object], last: int, clock: Clock, tmp_path: Path
) -> None:
    options = {"check_val_every_n_epoch": 50, "max_epochs": 1000} | limit
    steps = validated_steps(clock, tmp_path, 4, ExtraValidations(60), **options)
    assert steps == [last]


def test_training_without_validation(clock: Clock, tmp_path: Path) -> None:
    options = {"max_epochs": 1, "limit_val_batches": 0}
    assert validated_steps(clock, tmp_path, 5, ExtraValidations(2), **options) == []
