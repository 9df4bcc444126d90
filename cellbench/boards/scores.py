"""scores.csv: reading it and checking that its algorithms can be compared."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cellbench.boards.measured import Measured, one_modality_each
from cellbench.boards.text_table import raise_first, read_text, to_numbers
from cellbench.errors import ScoresError

THRESHOLD = 0.5
"""IoU at which the challenge ranks."""

_ROUNDED = 0.01  # seconds; tables may round their times

_WORDS = ("algorithm", "image", "modality", "status")
_NUMBERS = ("threshold", "f1", "runtime_s", "rank_runtime_s")
_WHERE_KNOWN = ("tolerance_s", "true_cells")


def read_scores(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Read the rows at IoU threshold 0.5 of one or more scores.csv and check them.

    Args:
        paths: CSV files with one row per algorithm, image and threshold; together they hold one
            board.

    Returns:
        algorithm, image, modality, status as text; threshold, f1, runtime_s, rank_runtime_s and, empty
        where a file lacks them, tolerance_s and true_cells as numbers. Sorted by algorithm and image;
        every algorithm has every image once; a row that is not ok has an infinite rank runtime.

    Raises:
        ScoresError: if a file cannot be read, lacks columns or rows, a number is out of range, times
            contradict each other, a row that is not ok earns something, an algorithm has an image
            twice, or lacks images that another one has, or an image has two modalities.
    """
    if not paths:
        raise ScoresError("scores: give at least one scores.csv")
    source = ", ".join(str(path) for path in paths)
    scores = pd.concat([read_scores_file(Path(path)) for path in paths], ignore_index=True)
    _check_same_images(scores, source)
    scores = one_modality_each(scores, source)
    return scores.sort_values(["algorithm", "image"], ignore_index=True)


def measure_scores(scores: pd.DataFrame, decimals: int | None) -> Measured:
    """Say what is ranked of checked scores: F1, to so many decimals, and the running times."""
    return Measured(
        scores,
        decimals=decimals,
        failures="F1 0 and an infinite rank runtime, which ties as worst",
        untimed="some algorithm has no running times, so all are ranked on F1 alone",
    )


def check_same_truth(scores: pd.DataFrame) -> None:
    """Check that all algorithms were scored against the same label maps, as far as one can tell.

    Not for a protocol under which the number of true cells depends on the prediction.

    Raises:
        ScoresError: if an image has another number of true cells for another algorithm.
    """
    counts = scores.dropna(subset="true_cells").drop_duplicates(["image", "true_cells"])
    differ = counts[counts.duplicated("image", keep=False)]
    if len(differ):
        image = differ["image"].iloc[0]
        first, second = differ[differ["image"] == image].head(2).itertuples()
        raise ScoresError(
            f"scores: the image {image!r} has {first.true_cells:g} true cells for "
            f"{first.algorithm!r} and {second.true_cells:g} for {second.algorithm!r}; "
            "score them against the same truth"
        )


def read_scores_file(path: Path) -> pd.DataFrame:
    """Read and check one file; see :func:`read_scores`."""
    text = read_text(path, (*_WORDS, *_NUMBERS), "make it with cellbench evaluate")
    text = text.assign(**{name: "" for name in _WHERE_KNOWN if name not in text})
    numbers = {name: to_numbers(text[name], path) for name in (*_NUMBERS, *_WHERE_KNOWN)}
    rows = text[list(_WORDS)].assign(**numbers)
    rows = rows[rows.threshold == THRESHOLD]
    if rows.empty:
        raise ScoresError(f"{path}: has no rows at threshold {THRESHOLD}; evaluate at it")
    _check_rows(rows, path)
    return rows.assign(rank_runtime_s=rows.rank_runtime_s.mask(rows.status != "ok", np.inf))


def _check_rows(rows: pd.DataFrame, path: Path) -> None:
    failed = rows.status != "ok"
    unfair = failed & ((rows.f1 > 0) | np.isfinite(rows.rank_runtime_s))
    above = (rows.runtime_s - rows.tolerance_s).clip(lower=0)  # NaN where either is not known
    wrong_by = (rows.rank_runtime_s - above).abs()
    checks = {
        "names no algorithm": rows.algorithm == "",
        "names no image": rows.image == "",
        "f1 is not between 0 and 1": ~rows.f1.between(0, 1),
        "runtime_s is negative or infinite": (rows.runtime_s < 0) | np.isinf(rows.runtime_s),
        "tolerance_s is negative or infinite": (rows.tolerance_s < 0) | np.isinf(rows.tolerance_s),
        "rank_runtime_s is negative": rows.rank_runtime_s < 0,
        "rank_runtime_s is not what runtime_s is above tolerance_s": ~failed
        & (wrong_by > _ROUNDED),
        "is not ok, so f1 must be 0 and rank_runtime_s infinite": unfair,
        "is a second row for its algorithm and image": rows.duplicated(["algorithm", "image"]),
    }
    for what, wrong in checks.items():
        raise_first(wrong, path, what)


def _check_same_images(scores: pd.DataFrame, source: str) -> None:
    twice = scores[scores.duplicated(["algorithm", "image"])]
    if len(twice):
        algorithm, image = twice.iloc[0][["algorithm", "image"]]
        raise ScoresError(f"{source}: {algorithm!r} has the image {image!r} twice; keep one row")
    images = scores.image.nunique()
    lacking = images - scores.groupby("algorithm").size()
    if lacking.any():
        algorithm = str(lacking.idxmax())
        raise ScoresError(
            f"{source}: {algorithm!r} lacks {lacking[algorithm]} of {images} images; "
            "evaluate it on all of them"
        )
