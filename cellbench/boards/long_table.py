"""Any long table: one row for each algorithm and case, with the value to rank."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cellbench.boards.measured import Measured, one_modality_each
from cellbench.boards.text_table import raise_first, read_text, to_numbers
from cellbench.errors import ScoresError, UsageError
from cellbench.ranking.tables import Missing

_OWN = ("algorithm", "image", "modality", "status", "runtime_s", "tolerance_s", "rank_runtime_s")
_NOT_A_VALUE = (*_OWN, "challenge", "rank_runtime", "runtime", "rank", "")

_LARGEST = 1e100  # sums of values stay finite


@dataclass(frozen=True)
class Columns:
    """Which columns of a long table hold what.

    Attributes:
        case: what the algorithms are compared on, such as an image.
        algorithm: who is compared.
        value: what is ranked.
        modality: by which the cases are parted; None for not at all.
        higher_is_better: whether larger values are better.
        missing: see :class:`cellbench.boards.measured.Measured`.
    """

    case: str
    algorithm: str
    value: str
    modality: str | None = None
    higher_is_better: bool = True
    missing: Missing = "worst"

    def __post_init__(self) -> None:
        if self.value in _NOT_A_VALUE:
            raise UsageError(f"value {self.value!r}: is a board's own word; rename the column")
        if not isinstance(self.missing, str) and not np.isfinite(self.missing):
            raise UsageError(f"missing {self.missing}: give worst, drop or a finite number")
        named = [self.case, self.algorithm, self.value]
        named += [] if self.modality is None else [self.modality]
        if len(set(named)) < len(named):
            raise UsageError(f"columns {', '.join(named)}: one column cannot be two things")

    def as_words(self) -> list[str]:
        """Give the options of ``cellbench rank`` that say the same."""
        words = ["--case", self.case, "--algorithm", self.algorithm, "--value", self.value]
        words += ["--modality", self.modality] if self.modality is not None else []
        words += [] if self.higher_is_better else ["--smaller-is-better"]
        return [*words, "--missing", str(self.missing)]


def read_long_table(paths: Sequence[str | Path], columns: Columns) -> Measured:
    """Read one or more long tables, together one board.

    A case that an algorithm has no row for, or an empty value (also ``NA`` or ``NaN``), is missing.

    Args:
        paths: CSV files in UTF-8 with a header.
        columns: which columns hold what.

    Returns:
        What to rank; a missing value has the status ``missing``.

    Raises:
        ScoresError: if a file cannot be read, lacks a column or rows, a value is no finite number,
            an algorithm has a case twice, a case has two modalities, or there is no value at all.
        UsageError: if a column is named for two things, or no file is named.
    """
    if not paths:
        raise UsageError("rank: name at least one table")
    source = ", ".join(str(path) for path in paths)
    rows = pd.concat([_read_file(Path(path), columns) for path in paths], ignore_index=True)
    twice = rows[rows.duplicated(["algorithm", "image"])]
    if len(twice):
        algorithm, image = twice.iloc[0][["algorithm", "image"]]
        raise ScoresError(f"{source}: {algorithm!r} has the case {image!r} twice; keep one row")
    if rows[columns.value].isna().all():
        raise ScoresError(
            f"{source}: {columns.value!r} has no value at all; there is nothing to rank"
        )
    rows = one_modality_each(_complete(rows), source)
    status = np.where(rows[columns.value].isna(), "missing", "ok")
    rows = rows.assign(status=status, runtime_s=np.nan, tolerance_s=np.nan, rank_runtime_s=np.nan)
    return Measured(
        rows,
        columns.value,
        columns.higher_is_better,
        missing=columns.missing,
        failures=failure_rule(columns.missing),
        untimed="the table holds no running times",
    )


def failure_rule(missing: Missing) -> str:
    """Say in words what a missing value is."""
    rules = {
        "worst": "a missing value is infinitely bad: it ties after all that are there",
        "drop": "a missing value has no rank: each algorithm is ranked on the cases it has",
    }
    return rules.get(str(missing), f"a missing value counts as {missing}")


def _read_file(path: Path, columns: Columns) -> pd.DataFrame:
    named = [columns.case, columns.algorithm, columns.value]
    text = read_text(path, named + ([columns.modality] if columns.modality else []), "name a CSV")
    if text.empty:
        raise ScoresError(f"{path}: has a header but no rows; there is nothing to rank")
    rows = pd.DataFrame(
        {
            "algorithm": text[columns.algorithm],
            "image": text[columns.case],
            "modality": text[columns.modality] if columns.modality else "",
            columns.value: to_numbers(text[columns.value], path),
        }
    )
    checks = {
        f"names no {columns.algorithm}": rows["algorithm"] == "",
        f"names no {columns.case}": rows["image"] == "",
        f"{columns.value} is infinite, or beyond {_LARGEST:g}": rows[columns.value].abs()
        > _LARGEST,
        "is a second row for its algorithm and case": rows.duplicated(["algorithm", "image"]),
    }
    for what, wrong in checks.items():
        raise_first(wrong, path, what)
    return rows


def _complete(rows: pd.DataFrame) -> pd.DataFrame:
    """Give every algorithm a row for every case, sorted by both."""
    names = ["algorithm", "image"]
    every = pd.MultiIndex.from_product([sorted(rows[name].unique()) for name in names], names=names)
    complete = rows.set_index(names).reindex(every).reset_index()
    return complete.assign(modality=complete["modality"].fillna(""))
