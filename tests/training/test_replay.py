"""Training in two phases on the command line: the second replays images of the first dataset."""

import logging
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from datasets import make_dataset
from training_runs import fit

from cellbench.training.draws import Draw
from cellbench.training.patches import PatchDataset


@pytest.mark.slow
def test_the_second_phase_starts_from_the_first_and_replays_its_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    old, new = make_dataset(tmp_path / "old"), make_dataset(tmp_path / "new")
    assert fit("unet", tmp_path / "first", old) == 0
    checkpoint = tmp_path / "first/checkpoints/last.ckpt"

    drawn: list[str] = []
    get = PatchDataset.__getitem__

    def recorded(dataset: PatchDataset, draw: Draw) -> dict[str, Any]:
        drawn.append(dataset.items[draw.image].root.name)
        return get(dataset, draw)

    monkeypatch.setattr(PatchDataset, "__getitem__", recorded)
    words = [
        *("--model.init_args.weights", str(checkpoint), "--model.init_args.learning_rate", "0"),
        *("--data.roots", f"[{new},{old}]", "--data.shares", "[0.889,0.111]"),
        *("--data.batch_size", "9", "--data.patches_per_epoch", "18"),
    ]
    with caplog.at_level(logging.INFO):
        assert fit("unet", tmp_path / "second", new, *words) == 0
    assert f"{checkpoint}: training starts from" in caplog.text
    assert len(drawn) == 36  # two epochs of two batches
    for start in range(0, 36, 9):
        assert sorted(drawn[start : start + 9]) == ["new"] * 8 + ["old"]
    # Without a learning rate, the second phase ends with the weights that it started from.
    before, after = (
        torch.load(tmp_path / run / "checkpoints/last.ckpt", weights_only=True)["state_dict"]
        for run in ("first", "second")
    )
    learned = [name for name in before if name.endswith("weight")]
    assert learned
    assert all(torch.equal(before[name], after[name]) for name in learned)
    entry = yaml.safe_load((tmp_path / "second/entry.yaml").read_text(encoding="utf-8"))
    assert entry["trained_on"] == ["new", "old"]
