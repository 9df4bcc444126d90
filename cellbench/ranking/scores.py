"""scores.csv: reading it and checking that its algorithms can be compared."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cellbench.errors import ScoresError

THRESHOLD = 0.5
"""IoU at which the challenge ranks."""

_WORDS = ("algorithm", "image", "modality", "status")
_NUMBERS = ("threshold", "f1", "runtime_s", "rank_runtime_s")


def read_scores(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Read the rows at IoU threshold 0.5 of one or more scores.csv and check them.

    Args:
        paths: CSV files with one row per algorithm, image and threshold; together they hold one
            board.

    Returns:
        algorithm, image, modality, status as text; threshold, f1, runtime_s, rank_runtime_s as
        numbers. Sorted by algorithm and image; every algorithm has every image once; a row that is
        not ok has an infinite rank runtime.

    Raises:
        ScoresError: if a file cannot be read, lacks columns or rows, a number is out of range, a
            row that is not ok earns something, an algorithm has an image twice, or lacks images
            that another one has.
    """
    if not paths:
        raise ScoresError("scores: give at least one scores.csv")
    source = ", ".join(str(path) for path in paths)
    scores = pd.concat([_read_file(Path(path)) for path in paths], ignore_index=True)
    _check_same_images(scores, source)
    return scores.sort_values(["algorithm", "image"], ignore_index=True)


def as_table(scores: pd.DataFrame, column: str) -> pd.DataFrame:
    """Turn one column of checked scores into a table: index images, columns algorithms."""
    return scores.pivot(index="image", columns="algorithm", values=column)


def _read_file(path: Path) -> pd.DataFrame:
    # All is read as text first: an algorithm may be called "NA", and a wrong number has a line to name.
    try:
        with warnings.catch_warnings(action="error", category=pd.errors.ParserWarning):
            text = pd.read_csv(
                path, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False
            )
    except FileNotFoundError as error:
        raise ScoresError(f"{path}: no such file; make it with cellbench evaluate") from error
    except (OSError, ValueError, pd.errors.ParserWarning) as error:
        reason = " ".join(str(error).split())
        raise ScoresError(f"{path}: cannot be read as a CSV of scores ({reason})") from error
    lacking = [column for column in (*_WORDS, *_NUMBERS) if column not in text.columns]
    if lacking:
        raise ScoresError(f"{path}: lacks the columns {', '.join(lacking)}")
    rows = text[list(_WORDS)].assign(**{name: _numbers(text[name], path) for name in _NUMBERS})
    rows = rows[rows.threshold == THRESHOLD]
    if rows.empty:
        raise ScoresError(f"{path}: has no rows at threshold {THRESHOLD}; evaluate at it")
    _check_rows(rows, path)
    return rows.assign(rank_runtime_s=rows.rank_runtime_s.mask(rows.status != "ok", np.inf))


def _numbers(column: pd.Series, path: Path) -> pd.Series:
    stripped = column.str.strip()
    numbers = pd.to_numeric(stripped.mask(stripped == ""), errors="coerce").astype(float)
    wrong = numbers.isna() & (stripped != "") & (stripped.str.lower() != "nan")
    _raise_first(wrong, path, f"{column.name} is not a number")
    return numbers


def _check_rows(rows: pd.DataFrame, path: Path) -> None:
    failed = rows.status != "ok"
    unfair = failed & ((rows.f1 > 0) | np.isfinite(rows.rank_runtime_s))
    checks = {
        "names no algorithm": rows.algorithm == "",
        "names no image": rows.image == "",
        "f1 is not between 0 and 1": ~rows.f1.between(0, 1),
        "runtime_s is negative or infinite": (rows.runtime_s < 0) | np.isinf(rows.runtime_s),
        "rank_runtime_s is negative": rows.rank_runtime_s < 0,
        "is not ok, so f1 must be 0 and rank_runtime_s infinite": unfair,
        "is a second row for its algorithm and image": rows.duplicated(["algorithm", "image"]),
    }
    for what, wrong in checks.items():
        _raise_first(wrong, path, what)


def _raise_first(wrong: pd.Series, path: Path, what: str) -> None:
    if wrong.any():
        # The header is line 1.
        line = int(wrong.index[wrong][0]) + 2
        raise ScoresError(f"{path}: line {line}: {what}; mend that row")


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
