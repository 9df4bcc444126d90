"""Starting from the weights of a checkpoint: what fits is loaded, the rest is named."""

import logging
from pathlib import Path

import pytest
import torch
from checkpoints import save_checkpoint, small_unet
from datasets import make_dataset
from torch import nn
from training_runs import fit

from cellbench.errors import CheckpointError
from cellbench.inference import load_model
from cellbench.models.weights import load_weights


def network(*sizes: int) -> nn.Module:
    return nn.Sequential(*(nn.Linear(size, 2) for size in sizes))


def stored(module: nn.Module, path: Path) -> Path:
    torch.save({"state_dict": module.state_dict()}, path)
    return path


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    source, target = network(3, 4, 5), network(3, 9)
    before = target[1].weight.clone()  # type: ignore[index]
    line = load_weights(target, stored(source, tmp_path / "source.ckpt"))
    assert torch.equal(target[0].weight, source[0].weight)  # type: ignore[index]
    assert torch.equal(target[1].weight, before)  # type: ignore[index]
    assert line == (
        f"{tmp_path / 'source.ckpt'}: training starts from 3 of the model's 4 weights; "
        "1 of another shape: 1.weight; 2 in the file but not in the model: 2.weight, 2.bias"
    )
    more = load_weights(network(3, 4, 5, 6), tmp_path / "source.ckpt")
    assert "2 not in the file: 3.weight, 3.bias" in more


def test_long_lists_are_cut(tmp_path: Path) -> None:
    file = stored(network(*range(1, 13)), tmp_path / "long.ckpt")
    line = load_weights(network(1), file)
    assert "22 in the file but not in the model: 1.weight" in line
    assert line.endswith(" and 14 more")
    assert "\n" not in line


def test_nothing_that_fits_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="none of its 2 weights fits"):
        load_weights(network(5), stored(nn.ModuleDict({"a": nn.Linear(1, 1)}), tmp_path / "a.ckpt"))


@pytest.mark.parametrize("content", [None, b"no checkpoint", [1], {"weights": {}}])
def test_what_is_no_checkpoint_is_one_line(
    content: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file.ckpt"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content is not None:
        torch.save(content, file)
    data = make_dataset(tmp_path / "data", images=1)
    assert fit("unet", tmp_path / "run", data, "--model.init_args.weights", str(file)) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith(f"cellbench: {file}: ")


@pytest.mark.slow
def test_training_starts_from_weights_and_needs_them_no_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data, first, second = make_dataset(tmp_path / "data"), tmp_path / "first", tmp_path / "second"
    assert fit("unet", first, data) == 0
    source = first / "checkpoints/last.ckpt"
    still = ("--model.init_args.learning_rate", "0", "--model.init_args.weights", str(source))
    with caplog.at_level(logging.INFO):
        assert fit("unet", second, data, *still) == 0
    (line,) = [each.message for each in caplog.records if "training starts from" in each.message]
    assert "; " not in line  # everything fits
    before, after = (
        torch.load(run / "checkpoints/last.ckpt", weights_only=True) for run in (first, second)
    )
    learned = [name for name in before["state_dict"] if name.endswith("weight")]
    assert learned
    for key in ("state_dict", "current_model_state"):
        assert all(torch.equal(before["state_dict"][name], after[key][name]) for name in learned)
    assert after["global_step"] == 4  # a new run, unlike with --ckpt_path
    source.unlink()
    load_model(second / "checkpoints/best.ckpt", "cpu")
    resume = ("--ckpt_path", "last", "--trainer.max_epochs", "3")
    assert fit("unet", second, data, *still, *resume) == 0


def test_a_model_starts_from_a_similar_one(tmp_path: Path) -> None:
    small = small_unet()
    other = type(small)(channels=(4, 8), residual_units=2, window=64)
    line = load_weights(other, save_checkpoint(small, tmp_path / "small.ckpt"))
    assert "training starts from" in line
    assert "not in the file" in line
