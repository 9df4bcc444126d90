"""Draws from several datasets: each batch has its shares, and the draws depend on seed and steps alone."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datamodules import attached_data
from datasets import make_dataset

from cellbench.errors import UsageError
from cellbench.training.datamodule import CellDataModule
from cellbench.training.draws import EpochDraws, part_of_each_draw


def drawn_images(
    weights: list[float], parts: list[int] | None, count: int = 512, seed: int = 1, steps: int = 0
) -> list[int]:
    draws = EpochDraws(torch.tensor(weights), count, seed, lambda: steps, parts)
    return [draw.image for draw in draws]


@pytest.mark.parametrize(
    ("shares", "batch"),
    [
        ([8 / 9, 1 / 9], [8, 1]),
        ([0.889, 0.111], [8, 1]),
        ([2 / 3, 1 / 3], [8, 4]),
        ([0.5, 0.25, 0.25], [4, 2, 2]),
        ([1.0], [7]),
    ],
)
def test_each_batch_has_the_shares(shares: list[float], batch: list[int]) -> None:
    order = part_of_each_draw(shares, 512)
    for start in range(0, 512 - sum(batch) + 1, sum(batch)):
        drawn = np.bincount(order[start : start + sum(batch)], minlength=len(batch))
        assert drawn.tolist() == batch


def test_any_nine_draws_in_a_row_have_eight_and_one() -> None:
    order = part_of_each_draw([8, 1], 5000)
    windows = np.lib.stride_tricks.sliding_window_view(order, 9)
    assert set(windows.sum(1).tolist()) == {1}


@pytest.mark.parametrize("seed", range(5))
def test_counts_are_never_a_draw_away_from_their_shares(seed: int) -> None:
    shares = np.random.default_rng(seed).dirichlet(np.ones(3))
    order = part_of_each_draw(shares, 300)
    counts = np.cumsum(np.eye(3)[order], axis=0)
    assert np.abs(counts - np.outer(np.arange(1, 301), shares)).max() <= 1


def test_within_a_part_images_are_drawn_by_weight() -> None:
    weights = [0.6, 0.2, 0.05, 0.15]
    counts = Counter(drawn_images(weights, [0, 0, 1, 1], count=10_000))
    assert counts[0] + counts[1] == 8000
    assert counts[0] / 8000 == pytest.approx(0.75, abs=0.02)
    assert counts[2] / 2000 == pytest.approx(0.25, abs=0.04)


def test_draws_depend_on_seed_and_steps_alone() -> None:
    weights, parts = [0.3, 0.5, 0.2], [0, 0, 1]
    same = drawn_images(weights, parts, seed=1, steps=7)
    assert drawn_images(weights, parts, seed=1, steps=7) == same
    assert drawn_images(weights, parts, seed=2, steps=7) != same
    assert drawn_images(weights, parts, seed=1, steps=8) != same


def test_one_part_changes_nothing() -> None:
    weights = [0.3, 0.5, 0.2]
    assert drawn_images(weights, [0, 0, 0]) == drawn_images(weights, None)


def test_a_part_that_an_epoch_would_never_draw_is_an_error() -> None:
    with pytest.raises(
        UsageError, match=r"data.patches_per_epoch 4: too few for one patch of each"
    ):
        EpochDraws(torch.tensor([0.889, 0.111]), 4, 1, lambda: 0, [0, 1])
    assert drawn_images([1.0, 0.0], [0, 1], count=4) == [0] * 4  # weight 0: it is not wanted


def replay(tmp_path: Path, **options: Any) -> CellDataModule:
    """Make a datamodule of two datasets, in batches of 8 images of the first and 1 of the second."""
    roots = [
        str(make_dataset(tmp_path / name, images=count)) for name, count in (("n", 2), ("o", 3))
    ]
    return attached_data(
        roots=roots,
        shares=[0.889, 0.111],
        batch_size=9,
        patches_per_epoch=72,
        cache=str(tmp_path / "cache"),
        **options,
    )


def test_batches_replay_one_old_image(tmp_path: Path) -> None:
    loader = replay(tmp_path).train_dataloader()
    batches = list(loader.batch_sampler)
    assert len(batches) == 8
    for batch in batches:
        assert sum(draw.image < 2 for draw in batch) == 8
        assert sum(draw.image >= 2 for draw in batch) == 1
    assert len({draw.image for batch in batches for draw in batch}) == 5


def test_workers_do_not_change_the_batches(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    torch.manual_seed(5)
    alone = [batch["image"] for batch in replay(tmp_path / "a", num_workers=0).train_dataloader()]
    torch.manual_seed(5)
    helped = [batch["image"] for batch in replay(tmp_path / "b", num_workers=1).train_dataloader()]
    assert len(alone) == len(helped) == 8
    assert all(torch.equal(one, other) for one, other in zip(alone, helped, strict=True))
