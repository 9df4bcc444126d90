"""Boards, datasets and predictions for tests of the page."""

from collections.abc import Collection, Sequence
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
from datasets import make_dataset

from cellbench.boards import write_board
from cellbench.evaluation import evaluate_folder
from cellbench.labels import label_files, label_path, read_labels, write_labels

HOSTILE = (
    "<script>alert(1)</script>",
    '=HYPERLINK("http://x","y")',
    '"><img src=x onerror=alert(1)>',
    "</script>",
    "n" * 300,
    "🧫 emoji 😀",
    "../../outside",
    "__proto__",
)
"""Names that break pages, tables and paths which are made without care."""


class Outline(HTMLParser):
    """Elements, ids, headings and what the page refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def values(self, name: str) -> list[str]:
        return [str(attributes[name]) for _, attributes in self.tags if name in attributes]


def scores_of(
    names: Sequence[str],
    images: Sequence[str],
    modalities: Sequence[str] = ("DIC", "fluorescence"),
    *,
    timed: bool = True,
    failed: Collection[tuple[str, str]] = (),
) -> pd.DataFrame:
    """Make scores in which the first algorithm is the best; some (algorithm, image) fail."""
    rng = np.random.default_rng(0)
    rows = []
    for place, name in enumerate(names):
        for number, image in enumerate(images):
            ok = (name, image) not in failed
            seconds = 8.0 + (place + number) % 9 if timed and ok else np.nan
            excess = np.fmax(seconds - 10, 0) if timed else np.nan
            rows.append(
                {
                    "algorithm": name,
                    "image": image,
                    "modality": modalities[number % len(modalities)],
                    "threshold": 0.5,
                    "f1": 0.9 / (1 + place / 8) * rng.uniform(0.9, 1) * ok,
                    "runtime_s": seconds,
                    "tolerance_s": 10.0,
                    "rank_runtime_s": excess if ok else np.inf,
                    "status": "ok" if ok else "timeout",
                }
            )
    return pd.DataFrame(rows)


def write_scores(folder: Path, scores: pd.DataFrame, samples: int = 20) -> Path:
    """Write the board of some scores."""
    folder.mkdir(parents=True, exist_ok=True)
    scores.to_csv(folder / "scores.csv", index=False)
    write_board([folder / "scores.csv"], folder, bootstrap=samples)
    return folder


def make_predictions(root: Path, out: Path, names: Sequence[str]) -> Path:
    """Spoil the truth of the test split in a folder for each name, the later the worse."""
    for place, name in enumerate(names):
        for stem, path in label_files(root / "test" / "labels").items():
            write_labels(label_path(out / name, stem), spoil(read_labels(path), place))
    return out


def spoil(truth: np.ndarray, errors: int) -> np.ndarray:
    """Miss, merge and split so many cells each, and make up one."""
    spoiled = truth.astype(np.uint16)
    cells = [cell for cell in np.unique(truth) if cell]
    for cell in cells[:errors]:
        spoiled[truth == cell] = 0
    for first, second in zip(cells[errors : 2 * errors], cells[-errors:], strict=False):
        spoiled[truth == second] = first
    for cell in cells[2 * errors : 3 * errors]:
        rows, columns = np.nonzero(truth == cell)
        right = columns > np.median(columns)
        spoiled[rows[right], columns[right]] = 500 + cell
    if errors:
        spoiled[4:8, 4:8] = 999
    return spoiled


def make_all(folder: Path, names: Sequence[str], images: int = 4) -> tuple[Path, Path, Path]:
    """Make a board from real predictions: board, dataset, predictions."""
    root = make_dataset(folder / "data", images)
    predictions = make_predictions(root, folder / "predictions", names)
    tables = [evaluate_folder(root / "test" / "labels", predictions / name) for name in names]
    return write_scores(folder / "board", pd.concat(tables)), root, predictions
