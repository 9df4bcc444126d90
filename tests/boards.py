"""Scores and folders of boards, for tests."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd

COLUMNS = [
    *("algorithm", "image", "modality", "height", "width", "threshold"),
    *("true_cells", "predicted_cells", "tp", "fp", "fn", "precision", "recall", "f1", "dice"),
    *("runtime_s", "tolerance_s", "rank_runtime_s", "status"),
]


def files(folder: Path) -> dict[str, bytes]:
    """Read every file of a folder, by its path in it."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def bind_again(board: Path, **facts: object) -> None:
    """Make edited tables and scores of a board pass as those that were ranked.

    Args:
        board: the folder of the board.
        facts: what else its provenance.json should state.
    """
    path = board / "provenance.json"
    record = json.loads(path.read_text())
    digests = {
        table.name: hashlib.sha256(table.read_bytes()).hexdigest() for table in board.glob("*.csv")
    }
    record["tables"] = {name: digests[name] for name in record["tables"]}
    for scores in record["scores"]:
        scores["sha256"] = digests.get(scores["file"], scores["sha256"])
    path.write_text(json.dumps(record | facts))


def make_scores(algorithms: int = 4, images: int = 12, seed: int = 0) -> pd.DataFrame:
    """Make scores at thresholds 0.5 and 0.7; the last algorithm fails on the first image."""
    rng = np.random.default_rng(seed)
    rows = [
        {
            "algorithm": f"algorithm {a}",
            "image": f"image{i}",
            "modality": ["DIC", "fluorescence"][i % 2],
            "threshold": threshold,
            "f1": rng.random() * (1 - a / 9),
            "runtime_s": 6.0 + i + a,
            "rank_runtime_s": max(0.0, i + a - 4.0),
            "status": "ok",
        }
        for threshold in (0.7, 0.5)
        for a in range(algorithms)
        for i in range(images)
    ]
    scores = pd.DataFrame(rows).reindex(columns=COLUMNS)
    failed = (scores.algorithm == f"algorithm {algorithms - 1}") & (scores.image == "image0")
    lost = {"f1": 0.0, "runtime_s": 1.0, "rank_runtime_s": np.inf, "status": "failed"}
    for column, value in lost.items():
        scores.loc[failed, column] = value
    return scores


def save(scores: pd.DataFrame, folder: Path) -> Path:
    """Write scores to ``folder/scores.csv``, and return that path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "scores.csv"
    scores.to_csv(path, index=False)
    return path
