"""Boards to draw, made from random scores through the real ranking."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cellbench.boards import write_board

COLUMNS = [
    *("algorithm", "image", "modality", "threshold", "f1"),
    *("runtime_s", "tolerance_s", "rank_runtime_s", "status"),
]


def make_board(
    folder: Path,
    names: Sequence[str],
    images: int = 6,
    *,
    modalities: Sequence[str] = ("DIC", ""),
    timed: bool = True,
    f1: float | None = None,
    failed: int = 0,
) -> Path:
    """Rank random scores into a folder.

    Args:
        folder: of the board.
        names: of the algorithms.
        images: how many.
        modalities: of the images, in turn.
        timed: whether there are running times.
        f1: of every algorithm on every image; None for random ones.
        failed: on how many images the last algorithm fails.
    """
    rng = np.random.default_rng(0)
    rows = []
    for name in names:
        for i in range(images):
            runtime = 4.0 + 3 * i + 2 * rng.random()
            lost = name == names[-1] and i < failed
            rows.append(
                {
                    "algorithm": name,
                    "image": f"image{i}",
                    "modality": modalities[i % len(modalities)],
                    "threshold": 0.5,
                    "f1": 0.0 if lost else rng.random() if f1 is None else f1,
                    "runtime_s": runtime if timed else None,
                    "tolerance_s": 10.0,
                    "rank_runtime_s": np.inf if lost else max(0, runtime - 10) if timed else None,
                    "status": "failed" if lost else "ok",
                }
            )
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=COLUMNS).to_csv(folder / "scores.csv", index=False)
    write_board([folder / "scores.csv"], folder, bootstrap=20)
    return folder
