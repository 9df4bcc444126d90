"""`cellbench evaluate` as users call it: its tables, its protocols, its messages."""

import io
import json
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from label_maps import discs

from cellbench.cli import main
from cellbench.commands import evaluate
from cellbench.commands.evaluate import PROTOCOL_NAMES
from cellbench.evaluation import PROTOCOLS
from cellbench.evaluation.measures import Table
from cellbench.evaluation.rows import columns
from cellbench.labels import write_labels


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    """Two algorithms on three images."""
    for number, stem in enumerate("abc"):
        write_labels(tmp_path / f"truth/{stem}_label.tiff", discs(seed=number))
        write_labels(tmp_path / f"all/mine/{stem}_label.tiff", discs(seed=number))
        shifted = np.roll(discs(seed=number), 3, axis=0)
        write_labels(tmp_path / f"all/theirs/{stem}_label.tiff", shifted)
    return [str(tmp_path / "truth"), str(tmp_path / "all")]


@pytest.mark.parametrize("name", PROTOCOLS)
def test_explain_needs_no_folders(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--protocol", name, "--explain"]) == 0
    assert capsys.readouterr().out.startswith(f"protocol:   {name}, version ")


def test_help_has_choices_defaults_and_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert tuple(PROTOCOLS) == PROTOCOL_NAMES
    assert main(["evaluate", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "--protocol {neurips22,neurips22-v1,exact} scoring rules (default: neurips22)" in text
    assert "which is replaced if it exists (default: scores.csv)" in text
    assert "example: cellbench evaluate data/sample/test/labels predictions --out" in text


def test_unknown_protocols_are_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "a", "b", "--protocol", "neurips"]) == 2
    assert "choose from 'neurips22', 'neurips22-v1', 'exact'" in capsys.readouterr().err


def test_linked_folders_are_called_as_the_links_are(folders: list[str], tmp_path: Path) -> None:
    (tmp_path / "linked").mkdir()
    for name, target in (("alpha", "mine"), ("beta", "theirs")):
        (tmp_path / "linked" / name).symlink_to(tmp_path / "all" / target)
    out = tmp_path / "scores.csv"
    assert main(["evaluate", folders[0], str(tmp_path / "linked"), "--out", str(out)]) == 0
    assert set(pd.read_csv(out)["algorithm"]) == {"alpha", "beta"}


def test_a_label_map_that_is_gone_is_missing(folders: list[str], tmp_path: Path) -> None:
    mine = tmp_path / "all/mine"
    (mine / "resources.csv").write_text("image,status\na,ok\nb,ok\nc,timeout\n")
    for stem in "ac":
        (mine / f"{stem}_label.tiff").unlink()
    out = tmp_path / "scores.csv"
    assert main(["evaluate", folders[0], str(mine), "--out", str(out)]) == 0
    assert pd.read_csv(out)["status"].tolist() == ["missing", "ok", "timeout"]


def test_every_table(folders: list[str], tmp_path: Path) -> None:
    out = tmp_path / "board" / "scores.csv"
    words = ["evaluate", *folders, "--out", str(out), "--thresholds", "0.5", "0.75"]
    assert main([*words, "--details", "--cells", "--protocol", "exact"]) == 0
    assert sorted(path.name for path in out.parent.iterdir()) == [
        *("scores.csv", "scores.json", "scores_cells.csv", "scores_details.csv"),
        "scores_summary.csv",
    ]
    tables = {
        "scores": pd.read_csv(out),
        "details": pd.read_csv(out.with_name("scores_details.csv")),
        "cells": pd.read_csv(out.with_name("scores_cells.csv")),
    }
    assert {name: tuple(table) for name, table in tables.items()} == {
        table.value: columns(table) for table in Table
    }
    assert len(tables["scores"]) == 2 * 3 * 2
    assert tables["details"]["algorithm"].tolist() == ["mine"] * 3 + ["theirs"] * 3
    assert (tables["details"].query("algorithm == 'mine'")["ap"] == 1).all()
    summary = pd.read_csv(out.with_name("scores_summary.csv"))
    pooled = summary.query("algorithm == 'theirs' and group == 'all'").iloc[0]
    assert pooled["tp"] == tables["details"].query("algorithm == 'theirs'")["tp"].sum()
    shapes = summary.query("algorithm == 'theirs' and group == 'cell shape'")
    assert shapes["value"].tolist() == ["round", "oval", "long"]
    cells = tables["cells"].query("algorithm == 'theirs' and map == 'truth'")
    round_cells = cells[cells["elongation"] < 1.3]
    assert shapes["true_cells"].tolist()[0] == len(round_cells)
    assert shapes["fn_missed"].tolist()[0] == (round_cells["kind"] == "missed").sum()
    assert shapes["fn_missed"].sum() == pooled["fn_missed"]
    record = json.loads(out.with_name("scores.json").read_text())
    assert (record["protocol"]["name"], record["thresholds"]) == ("exact", [0.5, 0.75])


def test_jobs_do_not_change_a_byte(folders: list[str], tmp_path: Path) -> None:
    written = []
    for jobs in ("1", "2"):
        out = tmp_path / jobs / "scores.csv"
        more = ["--jobs", jobs, "--details", "--cells"]
        assert main(["evaluate", *folders, "--out", str(out), *more]) == 0
        written.append({path.name: path.read_bytes() for path in out.parent.iterdir()})
    assert written[0] == written[1]


class Terminal(io.StringIO):
    """What is written to it is written to a terminal."""

    def isatty(self) -> bool:
        return True


def test_the_bar_shows_rate_and_time_left(
    folders: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert main(["evaluate", *folders, "--out", str(tmp_path / "scores.csv")]) == 0
    shown = terminal.getvalue()
    assert "theirs: 100%" in shown
    assert re.search(r"3/3 \[\d\d:\d\d<\d\d:\d\d, .*image/s\]", shown)


def test_without_folders_the_usage_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate"]) == 2
    assert "name the folder of true label maps" in capsys.readouterr().err


def test_tables_of_a_stopped_evaluation_are_not_ranked(
    folders: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Scores of one protocol could stand beside the record of another."""
    scores = tmp_path / "scores.csv"
    words = ["evaluate", *folders, "--out", str(scores)]
    assert main(words) == 0
    with monkeypatch.context() as patch:
        patch.setattr(evaluate, "_write", lambda *_: sys.exit(9))
        assert main([*words, "--protocol", "exact"]) == 9
    capsys.readouterr()
    assert main(["rank", str(scores), "--out", str(tmp_path / "board")]) == 1
    message = (
        "scores.json: cellbench evaluate was stopped while it wrote these scores; run it again\n"
    )
    assert capsys.readouterr().err.endswith(message)
    assert main([*words, "--protocol", "exact"]) == 0
    assert main(["rank", str(scores), "--out", str(tmp_path / "board")]) == 0
