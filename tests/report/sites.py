"""Folders of boards for tests of the site."""

from pathlib import Path

import yaml
from pages import HOSTILE, scores_of, write_scores

from cellbench.boards import write_board
from cellbench.boards.reading import read_board
from cellbench.report.page import write_page

ENTRIES = {
    "unet": {"licence": "MIT", "trained_on": ["cells"]},
    "stardist": {
        "title": "The star method",
        "licence": "Apache-2.0",
        "trained_on": ["cells", "dsb"],
    },
    "hover": {"paper": "doi:10.1016/j.media.2019.101563"},
    "mesmer": {"licence": "MIT"},
}


def write_boards(folder: Path) -> Path:
    """Write three boards with pages; unet and stardist are on all of them, and hostile names on one."""
    _write_submissions(folder / "cells", ["unet", "stardist", "hover"], ["DIC", "fluorescence"])
    _write_submissions(folder / "nuclei", ["mesmer", "stardist", "unet"], ["fluorescence"])
    names = ["stardist", *HOSTILE, "unet"]
    write_scores(folder / "<b>tissue", scores_of(names, ["x", "y", "z"], ["brightfield", ""]))
    for board in folder.iterdir():
        write_page(read_board(board), [])  # drawing is tested elsewhere
    return folder


def _write_submissions(board: Path, names: list[str], modalities: list[str]) -> None:
    scores = scores_of(names, [f"image{number}" for number in range(12)], modalities)
    submissions = []
    for name in names:
        submission = board.parents[1] / "submissions" / board.name / name
        submission.mkdir(parents=True)
        scores[scores["algorithm"] == name].to_csv(submission / "scores.csv", index=False)
        entry = yaml.safe_dump({"name": name, **ENTRIES[name]})
        (submission / "entry.yaml").write_text(entry)
        submissions.append(submission)
    write_board(submissions, board, bootstrap=20)
