"""Averaged weights, the NaN guard, the learning rate."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import make_dataset
from label_maps import discs
from pytorch_lightning import Trainer

from cellbench.data.datamodule import CellDataModule
from cellbench.errors import CellbenchError
from cellbench.models.callbacks import AveragedWeights, NonFiniteGuard, draw_outlines
from cellbench.models.schedule import learning_rate_factor
from cellbench.models.unet import UNetBoundary


class Poisoned(UNetBoundary):
    """Gives NaN from one step on, for some steps."""

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


def test_single_bad_steps_are_left_out(tmp_path: Path) -> None:
    model = Poisoned(start=1, steps=2)
    with pytest.warns(UserWarning, match="gradients are not finite, step left out"):
        train(model, tmp_path, 5, NonFiniteGuard(patience=3))
    assert all(torch.isfinite(each).all() for each in model.parameters())


def test_bad_steps_in_a_row_stop_training(tmp_path: Path) -> None:
    with pytest.raises(CellbenchError, match=r"lower model\.learning_rate"):
        train(Poisoned(start=1, steps=4), tmp_path, 6, NonFiniteGuard(patience=3))


def test_the_average_follows_fast_at_first() -> None:
    average = AveragedWeights(decay=0.9)._kwargs["avg_fn"]
    old, new = torch.zeros(1), torch.ones(1)
    assert average(old, new, torch.tensor(0)).item() == pytest.approx(0.9)
    assert average(old, new, torch.tensor(10**6)).item() == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("step", "progress", "expected"),
    [(0, 0.0, 0.01), (49, 0.0, 0.5), (99, 0.0, 1.0), (500, 0.5, 0.5), (999, 1.0, 0.0)],
)
def test_learning_rate(step: int, progress: float, expected: float) -> None:
    assert learning_rate_factor(step, 100, progress) == pytest.approx(expected)


def test_outlines_are_drawn_in_two_colours() -> None:
    image = np.full((96, 112, 3), 0.5)
    picture = draw_outlines(image, discs(), np.roll(discs(), 5, axis=1))
    assert picture.dtype == np.uint8
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) == 3
