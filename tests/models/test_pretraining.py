"""Streams of a kind learn as one, and part: what is theirs then, in memory and in checkpoints."""

from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import make_dataset
from multi_streams import batch_of, same, stored_streams, tiny, weights
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import EarlyStopping
from torch.optim import AdamW
from training_runs import fit

from cellbench.models.multi_stream import PRETRAINS_KEY, MultiStream
from cellbench.training.callbacks import AveragedWeights
from cellbench.training.datamodule import CellDataModule


def train(
    model: MultiStream, tmp_path: Path, epochs: int, *callbacks: Callback, **options: Any
) -> Trainer:
    """Train, a step an epoch."""
    trainer = Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        callbacks=list(callbacks),
        default_root_dir=tmp_path,
        **options,
    )
    data = CellDataModule(
        str(make_dataset(tmp_path / "data", images=1)),
        crop_size=64,
        batch_size=1,
        patches_per_epoch=1,
        num_workers=0,
        cache=str(tmp_path / "cache"),
    )
    trainer.fit(model, data)
    return trainer


def test_in_pretraining_streams_of_a_kind_learn_as_one() -> None:
    model = tiny().train()
    optimizer = AdamW(model.parameters(), lr=1e-3)
    before = weights(model, 0)
    for _ in range(2):
        optimizer.zero_grad()
        model.loss(batch_of(model, [1, 3])).backward()
        optimizer.step()
    model.network.follow(optimizer)
    assert not same(before, weights(model, 0))
    assert same(weights(model, 0), weights(model, 1))
    assert same(weights(model, 0), weights(model, 2))
    leader, follower = (next(model.stream(index).network.parameters()) for index in (0, 2))
    assert optimizer.state[follower].keys() == optimizer.state[leader].keys()
    moments, leading = (optimizer.state[each]["exp_avg"] for each in (follower, leader))
    assert torch.equal(moments, leading)
    assert moments is not leading


def test_after_that_only_streams_with_patches_learn() -> None:
    model = tiny().train()
    optimizer = AdamW(model.parameters(), lr=1e-3, weight_decay=0.1)
    model.loss(batch_of(model, [0])).backward()
    optimizer.step()  # moments: a gradient of 0 would move on with them
    model.network.follow(optimizer)
    before = [weights(model, index) for index in range(4)]
    optimizer.zero_grad()
    model.routed_loss(batch_of(model, [1, 3, 1])).backward()
    assert all(each.grad is None for each in model.stream(2).parameters())
    optimizer.step()
    touched = [not same(before[index], weights(model, index)) for index in range(4)]
    assert touched == [False, True, False, True]


@pytest.mark.slow
def test_a_checkpoint_of_pretraining_has_all_streams(tmp_path: Path) -> None:
    data = make_dataset(tmp_path / "data")
    for run, steps in ((tmp_path / "first", "1"), (tmp_path / "more", "4")):
        options = ("--model.init_args.pretraining", "1", "--trainer.max_steps", steps)
        assert fit("multi_stream", run, data, *options) == 0
        for streams in stored_streams(run):
            assert same(streams[0], streams[1])
            assert same(streams[0], streams[2])
    for first, more in zip(
        *map(stored_streams, (tmp_path / "first", tmp_path / "more")), strict=True
    ):
        assert not same(first[2], more[2])


class AtTheTurn(Callback):
    """Keeps the averaged weights of two streams of a kind as they part."""

    def __init__(self, average: AveragedWeights) -> None:
        self._average = average
        self.parted: list[list[torch.Tensor]] = []

    def on_before_backward(
        self,
        trainer: Trainer,  # noqa: ARG002  (the signature is Lightning's)
        pl_module: LightningModule,
        loss: torch.Tensor,  # noqa: ARG002
    ) -> None:
        averaged = self._average.averaged
        assert isinstance(averaged, MultiStream)
        assert isinstance(pl_module, MultiStream)
        if not pl_module._pretrains and not self.parted:
            self.parted = [weights(averaged, 0), weights(averaged, 1)]


def test_averaged_weights_part_from_the_leader_too(tmp_path: Path) -> None:
    average = AveragedWeights()
    turn = AtTheTurn(average)
    model = tiny()
    before = weights(model, 0)
    train(model, tmp_path, 4, average, turn, limit_val_batches=0)
    leader, follower = turn.parted
    assert same(leader, follower)
    assert not same(before, follower)


def test_early_stopping_ends_pretraining_first(tmp_path: Path) -> None:
    model = tiny(learning_rate=0.0)
    stopping = EarlyStopping("val/f1", mode="max", patience=1, check_on_train_epoch_end=False)
    trainer = train(model, tmp_path, 20, stopping)
    assert trainer.global_step == 3  # the best, one not better: the groups, one more: the end
    content: dict[str, Any] = {}
    model.on_save_checkpoint(content)
    assert content[PRETRAINS_KEY] is False
