"""scores.csv: reading it and checking that its algorithms can be compared."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cellbench.boards.measured import Measured, one_modality_each
from cellbench.boards.text_table import raise_first, read_text, to_numbers
from cellbench.errors import ScoresError
from cellbench.evaluation.measures import MEASURES, Table, get_measure
from cellbench.evaluation.scoring import f1_score
from cellbench.evaluation.statuses import Status

THRESHOLD = 0.5
"""IoU at which the challenge ranks."""
F1 = "f1"
"""The measure that the challenge ranks."""

_NOISE_DECIMALS = 12  # so that values that differ only by floating-point error tie
_ROUNDED = 0.01  # seconds; tables may round their times
_ROUNDED_F1 = 1e-4  # tables may round their F1, as the official script does

_OTHER_TABLE = (
    "make it with cellbench evaluate, or name the columns of another table with --case, --algorithm "
    "and --value"
)
_WORDS = ("algorithm", "image", "modality", "status")
_TIMES = ("runtime_s", "rank_runtime_s")
_COUNTS = ("true_cells", "predicted_cells", "tp")
_WHERE_KNOWN = (*_TIMES, "tolerance_s", *_COUNTS)


def read_scores(paths: Sequence[str | Path], measure: str = F1) -> pd.DataFrame:
    """Read the rows at IoU threshold 0.5 of one or more scores.csv and check them.

    Args:
        paths: CSV files with one row per algorithm, image and threshold; together they are one
            board. To rank another measure than F1, also the table of details, which has no
            thresholds and no running times.
        measure: the column to rank.

    Returns:
        algorithm, image, modality, status as text; the measure, runtime_s, rank_runtime_s, tolerance_s,
        true_cells, predicted_cells and tp as numbers, empty where they are not known. Sorted by
        algorithm and image; every algorithm has every image once. F1 that the table rounded has all
        its digits again where the counts are known. A row that is not ok has an infinite rank runtime and,
        in place of the measure, 0 where higher is better and nothing where lower is better.

    Raises:
        ScoresError: if a file cannot be read, a column or row is missing, a number is out of range,
            times contradict each other, a row that is not ok has a good score, an algorithm has an
            image twice or lacks images that another one has, or an image has two modalities.
        UsageError: if the measure is not known.
    """
    if not paths:
        raise ScoresError("scores: at least one scores.csv is needed")
    source = ", ".join(str(path) for path in paths)
    parts = [read_scores_file(Path(path), measure) for path in paths]
    scores = pd.concat(parts, ignore_index=True)
    _check_same_images(scores, source)
    scores = one_modality_each(scores, source)
    return scores.sort_values(["algorithm", "image"], ignore_index=True)


def measure_scores(scores: pd.DataFrame, decimals: int | None, measure: str = F1) -> Measured:
    """Return what is ranked of checked scores: the measure, and the running times.

    Args:
        scores: as [`read_scores`][] returns them.
        decimals: ranks see F1 rounded to this many decimals, and other measures to 12.
        measure: the column to rank.

    Returns:
        What to rank.

    Raises:
        UsageError: if the measure is not known.
    """
    title = "F1" if measure == F1 else measure
    higher = is_higher_better(measure)
    worst = f"{title} 0" if higher else f"the worst {title}"
    return Measured(
        scores,
        measure,
        higher,
        decimals=decimals if measure == F1 else _NOISE_DECIMALS,
        failures=f"{worst} and an infinite rank runtime, which ties as worst",
        untimed=f"some algorithm has no running times, so all are ranked on {title} alone",
    )


def is_higher_better(measure: str) -> bool:
    """Return whether larger values of a measure are better.

    Args:
        measure: its name.

    Raises:
        UsageError: if the measure is not known.
    """
    return get_measure(measure).higher_is_better


def check_same_truth(scores: pd.DataFrame) -> None:
    """Check that all algorithms were scored against the same label maps, as far as can be seen.

    Not for a protocol under which the number of true cells depends on the prediction.

    Args:
        scores: as [`read_scores`][] returns them.

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
            "score both against the same label maps"
        )


def read_scores_file(path: Path, measure: str = F1) -> pd.DataFrame:
    """Read and check one file; see [`read_scores`][].

    Args:
        path: the file.
        measure: the column to rank.

    Returns:
        The rows at IoU threshold 0.5, in the order of the file.

    Raises:
        ScoresError: if the file cannot be read or a row is wrong.
        UsageError: if the measure is not known.
    """
    higher = is_higher_better(measure)
    needed = (*_WORDS, *(("threshold", *_TIMES, measure) if measure == F1 else ()))
    text = read_text(path, needed, "make it with cellbench evaluate", _OTHER_TABLE)
    text = text.assign(**{name: text[name].str.strip() for name in ("modality", "status")})
    if measure not in text:
        raise ScoresError(f"{path}: has no column {measure!r}; {_where_to_find(measure)}")
    present = [name for name in (measure, *_WHERE_KNOWN, "threshold") if name in text]
    numbers = {name: to_numbers(text[name], path) for name in dict.fromkeys(present)}
    unknown = dict.fromkeys([name for name in _WHERE_KNOWN if name not in text], np.nan)
    rows = text[list(_WORDS)].assign(**numbers, **unknown)
    if "threshold" in rows:
        rows = rows[rows.threshold == THRESHOLD]
        if rows.empty:
            raise ScoresError(
                f"{path}: there are no rows at IoU threshold {THRESHOLD}; "
                f"run cellbench evaluate with --thresholds {THRESHOLD}"
            )
    elif rows.empty:
        raise ScoresError(f"{path}: there are no rows; make it with cellbench evaluate")
    failed = rows.status != Status.OK
    checks = _checks_of_f1(rows, failed) if measure == F1 else _checks_of(rows, measure, higher)
    for what, wrong in {**_checks_of_rows(rows, failed), **checks}.items():
        raise_first(wrong, path, what)
    values = _all_digits(rows) if measure == F1 else rows[measure]
    worst = {measure: values.mask(failed, 0.0 if higher else np.nan)}
    return rows.assign(rank_runtime_s=rows.rank_runtime_s.mask(failed, np.inf), **worst)


def _where_to_find(measure: str) -> str:
    """Return which table of ``cellbench evaluate`` has a measure."""
    if Table.SCORES in MEASURES[measure].tables:
        return "rank scores.csv, the table that cellbench evaluate writes"
    return "rank the table of details that cellbench evaluate --details writes (scores_details.csv)"


def _all_digits(rows: pd.DataFrame) -> pd.Series:
    """Return F1 computed from the counts where they agree with it, because its last digits decide ties.

    Ranks see F1 rounded to 4 decimals, and rounding 0.65625 depends on the 17th digit. Tables of others
    have fewer digits, and version 1 of the protocols computed the last one in another way.
    """
    precision, recall = rows.tp / rows.predicted_cells, rows.tp / rows.true_cells
    exact = pd.Series(list(map(f1_score, precision, recall)), index=rows.index, dtype=float)
    return exact.where((exact - rows.f1).abs() <= _ROUNDED_F1, rows.f1)


def _checks_of_f1(rows: pd.DataFrame, failed: pd.Series) -> dict[str, pd.Series]:
    unfair = failed & ((rows.f1 > 0) | np.isfinite(rows.rank_runtime_s))
    return {
        "f1 is not between 0 and 1": ~rows.f1.between(0, 1),
        "the status is not ok, so f1 must be 0 and rank_runtime_s infinite": unfair,
    }


def _checks_of(rows: pd.DataFrame, measure: str, higher: bool) -> dict[str, pd.Series]:
    checks = {f"{measure} is infinite": np.isinf(rows[measure])}
    if higher:  # a failure counts as 0, which must not be better than anything
        checks[f"{measure} is negative"] = rows[measure] < 0
    return checks


def _checks_of_rows(rows: pd.DataFrame, failed: pd.Series) -> Mapping[str, pd.Series]:
    above = (rows.runtime_s - rows.tolerance_s).clip(lower=0)  # NaN where either is not known
    wrong = ~failed & ((rows.rank_runtime_s - above).abs() > _ROUNDED)
    return {
        f"the status is not one of {', '.join(Status)}": ~rows.status.isin(list(map(str, Status))),
        "the algorithm is empty": rows.algorithm == "",
        "the image is empty": rows.image == "",
        "runtime_s is negative or infinite": (rows.runtime_s < 0) | np.isinf(rows.runtime_s),
        "tolerance_s is negative or infinite": (rows.tolerance_s < 0) | np.isinf(rows.tolerance_s),
        "rank_runtime_s is negative": rows.rank_runtime_s < 0,
        "rank_runtime_s is not the part of runtime_s above tolerance_s": wrong,
        "this algorithm has a row for the image already": rows.duplicated(["algorithm", "image"]),
    }


def _check_same_images(scores: pd.DataFrame, source: str) -> None:
    twice = scores[scores.duplicated(["algorithm", "image"])]
    if len(twice):
        algorithm, image = twice.iloc[0][["algorithm", "image"]]
        raise ScoresError(
            f"{source}: {algorithm!r} has the image {image!r} twice; keep one of the rows"
        )
    images = scores.image.nunique()
    lacking = images - scores.groupby("algorithm").size()
    if lacking.any():
        algorithm = str(lacking.idxmax())
        raise ScoresError(
            f"{source}: {algorithm!r} has no row for {lacking[algorithm]} of {images} images; "
            "evaluate it on all of them"
        )
