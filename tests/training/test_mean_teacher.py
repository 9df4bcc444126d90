"""Learning from images without label maps, in short trainings."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import make_dataset
from pytorch_lightning import Callback, Trainer
from training_runs import fit, fit_words

from cellbench.cli import main
from cellbench.errors import UsageError
from cellbench.models.batches import Batch
from cellbench.models.unet import UNetBoundary
from cellbench.training.callbacks import AveragedWeights
from cellbench.training.datamodule import CellDataModule
from cellbench.training.mean_teacher import MeanTeacher
from cellbench.training.unlabeled import UNLABELED

SURE = {"foreground": 0.6, "background": 0.4}
"""Gates that a training of seconds passes."""


class Log(Callback):
    """Keeps what each step logs."""

    def __init__(self) -> None:
        self.steps: list[dict[str, float]] = []

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        self.steps.append({name: float(each) for name, each in trainer.callback_metrics.items()})


def dataset(root: Path) -> Path:
    """Make a small dataset whose tune images are unlabelled images too."""
    make_dataset(root)
    (root / "unlabeled/images").mkdir(parents=True)
    for file in (root / "tune/images").iterdir():
        (root / "unlabeled/images" / file.name).write_bytes(file.read_bytes())
    return root


def train(
    folder: Path, teacher: MeanTeacher | None, steps: int = 4, model: UNetBoundary | None = None
) -> list[dict[str, float]]:
    """Train with a seed; return what each step logged."""
    torch.manual_seed(5)
    root = folder / "data"
    log = Log()
    data = CellDataModule(
        str(root if root.is_dir() else dataset(root)),
        crop_size=64,
        batch_size=2,
        patches_per_epoch=2 * steps,
        num_workers=0,
        cache=str(folder / "cache"),
    )
    trainer = Trainer(
        max_epochs=1,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[AveragedWeights(), *([teacher] if teacher else []), log],
        default_root_dir=folder,
    )
    small = {"channels": (8, 16), "residual_units": 1, "window": 64}
    trainer.fit(model or UNetBoundary(learning_rate=0.01, warmup_steps=2, **small), data)
    log.steps[-1] |= {name: float(each) for name, each in trainer.callback_metrics.items()}
    return log.steps


def test_after_the_burn_in_the_model_learns_from_unlabelled_patches(tmp_path: Path) -> None:
    steps = train(tmp_path, MeanTeacher(share=1, burn_in=0.1, **SURE), steps=40)
    taught = [each for each in steps if "train/unlabeled_loss" in each]
    assert taught[-1]["train/unlabeled_pixels"] > 0.5
    assert taught[-1]["train/unlabeled_cells"] > 2
    assert all(np.isfinite(each["train/unlabeled_loss"]) for each in taught)
    plain = train(tmp_path, None, steps=40)
    assert [each["train/loss"] for each in plain[:4]] == [each["train/loss"] for each in steps[:4]]
    assert plain[-1]["train/loss"] != steps[-1]["train/loss"]
    assert all("train/unlabeled_pixels" not in each for each in steps[:3])
    assert steps[-1]["val/teacher_f1"] == pytest.approx(steps[-1]["val/f1"])
    assert 0 < steps[-1]["val/student_f1"] <= 1


def test_before_the_burn_in_ends_training_is_the_same_as_without(tmp_path: Path) -> None:
    plain = train(tmp_path, None)
    off = train(tmp_path, MeanTeacher())
    burning = train(tmp_path, MeanTeacher(share=1.5, burn_in=1.0))
    for other in (off, burning):
        assert [each["train/loss"] for each in other] == [each["train/loss"] for each in plain]


def test_patches_without_a_sure_cell_add_nothing(tmp_path: Path) -> None:
    plain = train(tmp_path, None)
    unsure = train(tmp_path, MeanTeacher(share=1, burn_in=0, foreground=1.0))
    assert [each["train/loss"] for each in unsure] == [each["train/loss"] for each in plain]
    assert all(each["train/unlabeled_pixels"] == 0 for each in unsure)


def test_a_teacher_that_stays_unsure_is_reported(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="sure of hardly any cell in 50 batches in a row"):
        train(tmp_path, MeanTeacher(share=1, burn_in=0, foreground=1.0), steps=51)


def test_both_views_show_the_same_place(tmp_path: Path) -> None:
    class Keep(Callback):
        batch: Any = None

        def on_train_batch_start(self, *arguments: Any) -> None:
            Keep.batch = arguments[2][UNLABELED]

    teacher = MeanTeacher(share=1, burn_in=1, strength=0)
    data = CellDataModule(
        str(dataset(tmp_path / "data")),
        crop_size=64,
        batch_size=2,
        num_workers=0,
        patches_per_epoch=2,
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
        callbacks=[AveragedWeights(), teacher, Keep()],
        default_root_dir=tmp_path,
    )
    trainer.fit(UNetBoundary(channels=(4, 8), residual_units=1, window=64), data)
    assert Keep.batch["weak"].shape == (2, 3, 64, 64)
    assert torch.equal(Keep.batch["weak"], Keep.batch["strong"])


def test_a_resumed_training_continues(tmp_path: Path) -> None:
    data = dataset(tmp_path / "data")
    options = ("--unlabeled.share", "1", "--unlabeled.burn_in", "0.2", "--unlabeled.decay", "0.9")
    model = ("--model.channels", "[4, 8]", "--model.residual_units", "1")
    run = tmp_path / "run"
    assert fit("unet", run, data, *model, *options) == 0
    more = ("--trainer.max_epochs", "3", "--ckpt_path", "last")
    assert fit("unet", run, data, *model, *options, *more) == 0
    last = torch.load(run / "checkpoints/last.ckpt", weights_only=True)
    assert last["global_step"] == 6


def refusal(capsys: pytest.CaptureFixture[str], words: list[str]) -> str:
    capsys.readouterr()
    assert main(words) == 2
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_what_cannot_learn_from_unlabelled_images_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = make_dataset(tmp_path / "data")
    words = fit_words("unet", tmp_path / "run", data)
    line = refusal(capsys, [*words, "--unlabeled.share", "1"])
    assert f"unlabeled.share 1: no images without label maps in {data}" in line
    line = refusal(capsys, [*words, "--unlabeled.share=-1"])
    assert "unlabeled.share -1.0: must be 0 or more" in line
    line = refusal(capsys, [*words, "--unlabeled.burn_in", "1.5"])
    assert "unlabeled.burn_in 1.5: must be from 0 to 1" in line
    words = fit_words("multi_stream", tmp_path / "run", data)
    line = refusal(capsys, [*words, "--unlabeled.share", "1"])
    assert "unlabeled.share 1: MultiStream does not predict the maps of one representation" in line


def test_a_step_that_adds_no_losses_is_refused(tmp_path: Path) -> None:
    class Own(UNetBoundary):
        def training_step(self, batch: Batch, batch_idx: int) -> torch.Tensor:  # noqa: ARG002
            return self.loss(batch)

    with pytest.raises(UsageError, match="Own replaces training_step"):
        train(tmp_path, MeanTeacher(share=1), model=Own(channels=(4, 8), residual_units=1))


def test_train_images_without_label_maps_count(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "data")
    next((root / "train/labels").glob("train1*")).unlink()
    teacher = MeanTeacher(share=1, burn_in=0, **SURE)
    assert train(tmp_path, teacher)[-1]["train/unlabeled_pixels"] >= 0
