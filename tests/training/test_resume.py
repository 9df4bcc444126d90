"""The checkpoint that a verb starts from must be one of the model that the user names."""

from pathlib import Path

import pytest
import torch
from checkpoints import save_checkpoint, small_unet
from outside_packages import on_path, write_package

from cellbench.cli import main
from cellbench.models.checkpoint_keys import MODEL_KEY

VERBS = ["fit", "validate", "test", "predict"]


def error_line(words: list[str], capsys: pytest.CaptureFixture[str], status: int = 1) -> str:
    capsys.readouterr()
    assert main(words) == status
    (line,) = capsys.readouterr().err.strip().splitlines()[-1:]
    return line.removeprefix("cellbench: ")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("key", [MODEL_KEY, "_class_path", "class_path"])
def test_code_of_another_class_is_not_run(
    key: str, verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = save_checkpoint(small_unet(), tmp_path / "a.ckpt")
    content = torch.load(file, weights_only=True)
    if key == MODEL_KEY:
        content[key] = "lab.loud.Loud"
    else:
        content["hyper_parameters"] = {key: "lab.loud.Loud"}
    torch.save(content, file)
    with on_path(write_package(tmp_path / "site")):
        line = error_line([verb, "--model", "unet", "--ckpt_path", str(file)], capsys)
        assert line.startswith(f"ckpt_path: {file} is a checkpoint of lab.loud.Loud, not of ")
        assert "was run" not in capsys.readouterr().out


@pytest.mark.usefixtures("default_dataset")
def test_the_last_checkpoint_of_another_model_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run/checkpoints").mkdir(parents=True)
    file = save_checkpoint(small_unet(), tmp_path / "run/checkpoints/last.ckpt")
    words = ["--model", "swin_unetr", "--trainer.default_root_dir", str(tmp_path / "run")]
    line = error_line(["fit", *words, "--ckpt_path", "last"], capsys)
    assert line.startswith(
        f"ckpt_path: {file} is a checkpoint of cellbench.models.unet.UNetBoundary"
    )


@pytest.mark.parametrize("verb", ["fit", "validate"])
@pytest.mark.parametrize("path", ["absent.ckpt", "hpc", "http://127.0.0.1/a.ckpt"])
def test_what_is_not_a_file_is_refused(
    path: str, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = error_line([verb, "--model", "unet", "--ckpt_path", path], capsys)
    assert line == (
        f"ckpt_path: '{Path(path)}' is not a file; name a checkpoint that `cellbench fit` wrote, or "
        "write `best` or `last` for those in --trainer.default_root_dir"
    )


def test_a_checkpoint_in_a_folder_is_proposed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["test", "--model", "unet", "--ckpt_path", str(tmp_path)]
    refused = f"ckpt_path: '{tmp_path}' is not a file but a folder; name a checkpoint"
    assert error_line(words, capsys) == refused
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints/last.ckpt").touch()
    assert error_line(words, capsys) == f"{refused}, such as {tmp_path}/checkpoints/last.ckpt"


def test_a_file_of_something_else_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for content in ({"state_dict": {}}, [1], {MODEL_KEY: "unet", "hyper_parameters": {1: 2}}):
        torch.save(content, tmp_path / "a.ckpt")
        words = ["fit", "--model", "unet", "--ckpt_path", str(tmp_path / "a.ckpt")]
        assert "not a checkpoint of a cellbench model" in error_line(words, capsys)
        segment = ["segment", str(tmp_path), str(tmp_path), "--checkpoint"]
        (tmp_path / "a.png").touch()
        assert "not a checkpoint" in error_line([*segment, str(tmp_path / "a.ckpt")], capsys)
