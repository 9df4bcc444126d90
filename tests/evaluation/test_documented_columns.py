"""docs/formats.md describes the columns that ``cellbench evaluate`` writes, with a unit for each."""

import re
from pathlib import Path

import pytest
from datasets import make_dataset

from cellbench.cli import main

FORMATS = Path(__file__).parents[2] / "docs/formats.md"


def documented(file: str) -> list[str]:
    """Return the names in the first column of a table in the documentation."""
    text = FORMATS.read_text(encoding="utf-8").partition(f"### The columns of {file}\n")[2]
    section = re.split(r"^#", text, flags=re.MULTILINE)[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if "| `" in line]
    for names, unit, meaning in rows:
        assert unit, names
        assert len(meaning) > 10, names
    return [name for names, _, _ in rows for name in re.findall(r"`(\w+)`", names)]


@pytest.mark.parametrize("name", ["details", "cells"])
def test_the_documented_columns_are_the_written_ones(name: str, tmp_path: Path) -> None:
    labels = make_dataset(tmp_path / "data", images=1) / "test/labels"
    out = tmp_path / "scores.csv"
    assert main(["evaluate", str(labels), str(labels), "--out", str(out), f"--{name}"]) == 0
    written = (tmp_path / f"scores_{name}.csv").read_text().splitlines()[0].split(",")
    assert documented(f"scores_{name}.csv") == written
    assert len(written) == {"details": 49, "cells": 12}[name]
