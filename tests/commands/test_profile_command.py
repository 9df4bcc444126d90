"""`cellbench profile`: rows on the terminal, and a table whose name states the environment."""

from pathlib import Path

import pytest
import torch
from checkpoints import save_checkpoint, small_unet

from cellbench.cli import main
from cellbench.inference.profile_table import COLUMNS, read_profiles


def test_a_checkpoint_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint = str(save_checkpoint(small_unet(), tmp_path / "model.ckpt"))
    words = ["profile", checkpoint, "--sizes", "32", "64", "--precision", "32", "--repeats", "1"]
    assert main([*words, "--device", "cpu", "--out", str(tmp_path / "out")]) == 0
    (table,) = (tmp_path / "out").iterdir()
    assert table.name.startswith("profile-cpu-")
    version = torch.__version__.partition("+")[0]
    assert table.name.endswith(f"-{torch.get_num_threads()}threads-torch{version}.csv")
    rows = read_profiles(table)
    assert [each["size"] for each in rows] == ["32", "64"]
    assert {each["model"] for each in rows} == {checkpoint}
    assert int(rows[1]["macs"]) == 4 * int(rows[0]["macs"])
    said = capsys.readouterr().out
    assert f"parameters {rows[0]['parameters']}" in said
    assert f"table written to {table}" in said


def test_help_explains_every_column(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "--help"]) == 0
    said = capsys.readouterr().out
    for name, meaning in COLUMNS.items():
        assert f"{name}: {meaning}" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["absent"], "absent: not a model, a checkpoint or a run folder"),
        (["unet", "--sizes", "0"], "--sizes 0: must be 1 or more"),
        (["unet", "--repeats", "0"], "--repeats 0: must be 1 or more"),
        (["unet", "--device", "nonsense"], "device 'nonsense': not available"),
        (["unet", "--out", __file__], "test_profile_command.py: is a file; name a folder"),
    ],
)
def test_wrong_usage(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", *words]) == 2
    assert message in capsys.readouterr().err
