"""Predictions written under any name and scored from the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
from label_formats import matlab, npy, png, seg_npy, tiff
from label_maps import discs

from cellbench.cli import main
from cellbench.labels import LabelMap

STEMS = ("plate1", "plate2", "plate3")


class Scored(NamedTuple):
    """What ``cellbench evaluate`` wrote and printed."""

    status: int
    scores: pd.DataFrame
    record: dict[str, object]
    out: str
    err: str


Evaluate = Callable[..., Scored]


def write(path: Path, labels: LabelMap) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    writers = {".png": png, ".npy": npy, ".mat": matlab}
    if path.name.lower().endswith("_seg.npy"):
        seg_npy(path, labels)
    else:
        writers.get(path.suffix.lower(), tiff())(path, labels)


def write_all(folder: Path, name: str, stems: tuple[str, ...] = STEMS) -> None:
    for number, stem in enumerate(stems):
        write(folder / name.format(stem), discs(seed=number))


@pytest.fixture
def evaluate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Evaluate:
    """Write a truth, and return what scores predictions against it."""
    if not (tmp_path / "truth").exists():
        write_all(tmp_path / "truth", "{}_label.tiff")

    def run(predictions: str = "pred", truth: str = "truth") -> Scored:
        out = tmp_path / "board/scores.csv"
        words = ["evaluate", str(tmp_path / truth), str(tmp_path / predictions), "--out", str(out)]
        status = main(words)
        printed = capsys.readouterr()
        err = printed.err + "".join(f"{message}\n" for message in caplog.messages)
        scores = pd.read_csv(out) if out.exists() else pd.DataFrame()
        record = json.loads(out.with_suffix(".json").read_text()) if out.exists() else {}
        return Scored(status, scores, record, printed.out, err)

    return run
