"""Files that a training verb cannot use as its checkpoint: one line each."""

import shutil
from pathlib import Path

import pytest
import torch
from checkpoints import save_checkpoint, small_unet
from trained_runs import Command, words


@pytest.mark.parametrize("verb", ["fit", "validate", "test", "predict"])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("image.png", "is not a readable checkpoint; name a file that `cellbench fit` wrote"),
        ("empty.ckpt", "is an empty file; copy it again"),
        ("cellpose.pth", "not a checkpoint of a cellbench model"),
        ("folder", "is not a file but a folder; name a checkpoint"),
        ("half.ckpt", "is not a readable checkpoint; name a file that `cellbench fit` wrote"),
    ],
)
def test_files_that_are_no_checkpoints(
    name: str,
    expected: str,
    verb: str,
    trained: Path,
    tmp_path: Path,
    command: Command,
) -> None:
    shutil.copy(next((trained / "data/test/images").iterdir()), tmp_path / "image.png")
    (tmp_path / "empty.ckpt").touch()
    torch.save(small_unet().state_dict(), tmp_path / "cellpose.pth")
    (tmp_path / "folder").mkdir()
    whole = (trained / "run/checkpoints/best.ckpt").read_bytes()
    (tmp_path / "half.ckpt").write_bytes(whole[: len(whole) // 2])
    line = [*words(verb, trained), "--ckpt_path", str(tmp_path / name)]
    last = command(line, 1)[1].strip().splitlines()[-1]
    assert last.startswith("cellbench: ckpt_path: ")
    assert str(tmp_path / name) in last
    assert expected in last


def test_weights_alone_cannot_be_continued(trained: Path, tmp_path: Path, command: Command) -> None:
    file = save_checkpoint(small_unet(), tmp_path / "weights.ckpt")
    line = [*words("fit", trained), "--ckpt_path", str(file)]
    last = command(line, 1)[1].strip().splitlines()[-1]
    assert f"start from its weights with --model.init_args.weights {file}" in last


def test_continuing_with_another_network_is_one_line(
    trained: Path, tmp_path: Path, command: Command
) -> None:
    shutil.copytree(trained / "run", tmp_path / "run")
    run = ("--trainer.default_root_dir", str(tmp_path / "run"), "--trainer.max_epochs", "3")
    line = [*words("fit", trained), *run, "--ckpt_path", "last", "--model.channels", "[4, 16]"]
    last = command(line, 1)[1].strip().splitlines()[-1]
    assert last.startswith(
        "cellbench: ckpt_path: the checkpoint does not fit the options of the model (size mismatch"
    )


def test_an_option_that_the_checkpoint_overrides_is_named(
    trained: Path, command: Command, recwarn: pytest.WarningsRecorder
) -> None:
    line = [*words("validate", trained), "--model.overlap", "0.75", "--model.window=64"]
    command(line)
    ignored = [str(each.message) for each in recwarn if "is not used" in str(each.message)]
    file = trained / "run/checkpoints/best.ckpt"
    assert ignored == [f"model.overlap is not used; {file} stores the options of its model"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"loops": {}},
            "does not say how many epochs and steps are done; it is damaged, or another",
        ),
        (
            {"global_step": None},
            "does not say how many epochs and steps are done; it is damaged, or",
        ),
        (
            {"lr_schedulers": [{}]},
            "the state of the training cannot be restored (KeyError: 'lr_lambd",
        ),
        (
            {"CellDataModule": {}},
            "the state of the training cannot be restored (KeyError: 'steps'); ",
        ),
    ],
)
def test_a_checkpoint_with_damaged_parts_is_one_line(
    change: dict[str, object], expected: str, trained: Path, tmp_path: Path, command: Command
) -> None:
    content = torch.load(trained / "run/checkpoints/last.ckpt", weights_only=True)
    torch.save(content | change, tmp_path / "a.ckpt")
    line = [*words("fit", trained), "--trainer.default_root_dir", str(tmp_path / "run")]
    more = ["--trainer.max_epochs", "3", "--ckpt_path", str(tmp_path / "a.ckpt")]
    last = command([*line, *more], 1)[1].strip().splitlines()[-1]
    assert last.startswith("cellbench: ckpt_path: the ")
    assert expected in last
