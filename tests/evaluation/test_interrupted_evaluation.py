"""Evaluation in several processes, after a kill, and beside a label map that cannot be used."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from label_maps import discs
from prediction_folders import STEMS

from cellbench.errors import ScoresError
from cellbench.evaluation import evaluate_folder, score_folder
from cellbench.evaluation.measures import Table
from cellbench.evaluation.parallel import results_as_they_come
from cellbench.evaluation.rows import columns
from cellbench.labels import write_labels


def test_processes_give_the_same_table(folders: tuple[Path, Path]) -> None:
    serial = evaluate_folder(*folders, thresholds=[0.5, 0.75])
    pd.testing.assert_frame_equal(evaluate_folder(*folders, thresholds=[0.5, 0.75], jobs=2), serial)
    assert serial["threshold"].tolist() == [0.5, 0.75] * len(STEMS)


def test_a_killed_run_goes_on_where_it_stopped(folders: tuple[Path, Path], tmp_path: Path) -> None:
    truth, predictions = folders
    journal = tmp_path / "journal"

    class Kill(BaseException):
        pass

    done = []

    def kill_after_three(count: int, total: int) -> None:
        done.append((count, total))
        if count == 3:
            raise Kill

    with pytest.raises(Kill):
        evaluate_folder(truth, predictions, journal=journal, progress=kill_after_three)
    with journal.open("a") as file:
        file.write('\n["half a li')
    assert len(journal.read_text().splitlines()) == 5
    # Of the three that are done, one prediction changes and is scored again.
    write_labels(predictions / "a_label.tiff", np.zeros_like(discs()))
    again = []
    table = evaluate_folder(
        truth, predictions, journal=journal, progress=lambda *state: again.append(state)
    ).set_index("image")
    assert done == [(0, 7), (1, 7), (2, 7), (3, 7)]
    assert again == [(2, 7), (3, 7), (4, 7), (5, 7), (6, 7), (7, 7)]
    assert table.loc["a", "f1"] == 0
    pd.testing.assert_frame_equal(
        table.reset_index()[list(columns(Table.SCORES))], evaluate_folder(truth, predictions)
    )


def test_processes_keep_what_is_done_when_killed(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    """The first image is slow; the others are kept although it has not ended."""
    truth, predictions = folders
    every_pixel = np.random.default_rng(0).permutation(6_000_000).reshape(2000, 3000)
    for folder in folders:
        write_labels(folder / "a_label.tiff", every_pixel)
    journal = tmp_path / "journal"
    code = (
        "from cellbench.evaluation import evaluate_folder\n"
        "if __name__ == '__main__':\n"
        f"    evaluate_folder({str(truth)!r}, {str(predictions)!r}, jobs=2, journal={str(journal)!r})"
    )
    (tmp_path / "score.py").write_text(code)
    process = subprocess.Popen([sys.executable, str(tmp_path / "score.py")], start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while not journal.is_file() or journal.read_text().count("\n") < len(STEMS) - 1:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    while _members(process.pid):  # the workers end with their parent
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _members(group: int) -> list[str]:
    """List the living processes of a process group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(stat.parent.name)
    return found


def test_a_process_that_dies_is_one_clear_error() -> None:
    with pytest.raises(ScoresError, match="a scoring process died"):
        list(results_as_they_come(os._exit, {"a": 1}, jobs=2))


def test_a_bad_truth_is_told_after_the_others_are_scored(
    folders: tuple[Path, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    truth, predictions = folders
    path = truth / "a_label.tiff"
    path.write_bytes(path.read_bytes()[:-9])
    journal = tmp_path / "journal"
    with pytest.raises(ScoresError, match=r"a_label\.tiff: .*this truth cannot be used; all other"):
        evaluate_folder(truth, predictions, journal=journal)
    assert str(path) not in caplog.text
    assert len(journal.read_text().split()) > 0
    states: list[tuple[int, int]] = []
    write_labels(path, discs(seed=0))
    evaluate_folder(truth, predictions, journal=journal, progress=lambda *s: states.append(s))
    assert states == [(6, 7), (7, 7)]


def test_a_finished_journal_gives_the_same_rows(folders: tuple[Path, Path], tmp_path: Path) -> None:
    journal, tables = tmp_path / "journal", tuple(Table)
    first = score_folder(*folders, tables=tables, journal=journal)
    again = score_folder(*folders, tables=tables, journal=journal)
    # repr: NaN equals itself there.
    assert repr(again) == repr(first)
