"""Any long table: one row for each algorithm and case, with the value to rank."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cellbench.boards.measured import Measured, one_modality_each
from cellbench.boards.schema import reserved_names
from cellbench.boards.text_table import raise_first, read_text, to_numbers
from cellbench.errors import ScoresError, UsageError
from cellbench.evaluation.statuses import Status
from cellbench.ranking.tables import Missing

_LARGEST = 1e100  # sums of values stay finite
_TASKS = "; if the table holds several tasks, name their column with --modality"
_OTHER_COLUMNS = (
    "name the columns with --case, --algorithm, --value and --modality; a table with a column for each "
    "algorithm must first get one row for each algorithm and case (pandas: melt; R: pivot_longer)"
)


@dataclass(frozen=True)
class Columns:
    """Which columns of a long table hold what.

    Attributes:
        case: identifies the case, for example an image; the algorithms are compared on the same cases.
        algorithm: names the algorithm.
        value: what is ranked.
        modality: groups the cases; each group is also ranked by itself. None: no groups.
        higher_is_better: whether larger values are better.
        missing: see [`cellbench.boards.measured.Measured`][].

    Raises:
        UsageError: if a column is named for two things, the value has a reserved name, or ``missing``
            cannot be used.
    """

    case: str
    algorithm: str
    value: str
    modality: str | None = None
    higher_is_better: bool = True
    missing: Missing = "worst"

    def __post_init__(self) -> None:
        if self.value in reserved_names():
            raise UsageError(
                f"value {self.value!r}: this column name is reserved; rename the column in the table"
            )
        if not isinstance(self.missing, str) and not np.isfinite(self.missing):
            raise UsageError(f"missing {self.missing}: must be worst, drop or a finite number")
        named = [self.case, self.algorithm, self.value]
        named += [] if self.modality is None else [self.modality]
        if len(set(named)) < len(named):
            raise UsageError(f"columns {', '.join(named)}: name a different column for each")

    def as_words(self) -> list[str]:
        """Return the options of ``cellbench rank`` that choose these columns."""
        words = ["--case", self.case, "--algorithm", self.algorithm, "--value", self.value]
        words += ["--modality", self.modality] if self.modality is not None else []
        words += [] if self.higher_is_better else ["--smaller-is-better"]
        return [*words, "--missing", str(self.missing)]


def read_long_table(paths: Sequence[str | Path], columns: Columns) -> Measured:
    """Read one or more long tables, together one board.

    A value is missing where an algorithm has no row for a case, or its cell is empty, ``NA`` or ``NaN``. An
    infinitely bad value counts in the same way, but has the status ``failed``. Where an algorithm has a
    case twice in two groups (``columns.modality``), these are two cases.

    Args:
        paths: CSV files with a header; semicolons or tabs may separate their columns.
        columns: which columns hold what.

    Returns:
        What to rank; a missing value has the status ``missing``.

    Raises:
        ScoresError: if a file cannot be read, a column or all rows are missing, a value is not a
            finite number, an algorithm has a case twice, a case has two modalities, or there is no
            value at all.
        UsageError: if no file is named.
    """
    if not paths:
        raise UsageError("rank: at least one table is needed")
    source = ", ".join(str(path) for path in paths)
    rows = pd.concat([_read_file(Path(path), columns) for path in paths], ignore_index=True)
    if columns.modality is not None:
        rows = _separate_groups(rows, source)
    twice = rows[rows.duplicated(["algorithm", "image"])]
    if len(twice):
        algorithm, image = twice.iloc[0][["algorithm", "image"]]
        raise ScoresError(
            f"{source}: {algorithm!r} has the case {image!r} twice; keep one of the rows{_TASKS}"
        )
    if rows[columns.value].isna().all():
        raise ScoresError(
            f"{source}: the column {columns.value!r} is empty or infinite; there is nothing to rank"
        )
    rows = one_modality_each(_complete(rows), source)
    failed = rows["infinite"].eq(True).to_numpy()
    status = np.where(rows[columns.value].isna(), Status.MISSING.value, Status.OK.value)
    status = np.where(failed, Status.FAILED.value, status)
    rows = rows.drop(columns="infinite").assign(
        status=status, runtime_s=np.nan, tolerance_s=np.nan, rank_runtime_s=np.nan
    )
    return Measured(
        rows,
        columns.value,
        columns.higher_is_better,
        missing=columns.missing,
        failures=failure_rule(columns.missing),
        untimed="the table has no running times",
        unit="image" if columns.case.casefold() == "image" else "case",
    )


def failure_rule(missing: Missing) -> str:
    """Return in words what a missing value counts as.

    Args:
        missing: see [`cellbench.boards.measured.Measured`][].
    """
    if missing == "worst":
        return "infinitely bad: it ties after all values that are present"
    if missing == "drop":
        return "left out: each algorithm is ranked on the cases that it has"
    return f"{missing:g}"


def _read_file(path: Path, columns: Columns) -> pd.DataFrame:
    named = [columns.case, columns.algorithm, columns.value]
    named += [columns.modality] if columns.modality else []
    text = read_text(path, named, "name an existing CSV file", _OTHER_COLUMNS)
    if text.empty:
        raise ScoresError(f"{path}: there is a header but no rows; there is nothing to rank")
    values, infinite = _finite(text[columns.value], path, columns)
    rows = pd.DataFrame(
        {
            "algorithm": text[columns.algorithm].str.strip(),
            "image": text[columns.case].str.strip(),
            "modality": text[columns.modality].str.strip() if columns.modality else "",
            columns.value: values,
            "infinite": infinite,
        }
    )
    keys = ["algorithm", "image", *(["modality"] if columns.modality else [])]
    checks = {
        f"{columns.algorithm} is empty": rows["algorithm"] == "",
        f"{columns.case} is empty": rows["image"] == "",
    }
    for what, wrong in checks.items():
        raise_first(wrong, path, what)
    again = "this algorithm has a row for the case already"
    raise_first(rows.duplicated(keys), path, again, f"keep one of them{_TASKS}")
    return rows


def _finite(column: pd.Series, path: Path, columns: Columns) -> tuple[pd.Series, pd.Series]:
    """Return the numbers, and which of them are infinitely bad; these are missing in the numbers."""
    numbers = to_numbers(column, path)
    words = column.str.strip().str.lower().str.lstrip("+-").isin(("inf", "infinity"))
    infinite = words & ((numbers < 0) == columns.higher_is_better)
    better = "largest" if columns.higher_is_better else "smallest"
    raise_first(
        words & ~infinite,
        path,
        f"{columns.value} is infinite, and the {better} value is the best here",
        "leave the cell empty if there is no result, and use --smaller-is-better for errors only",
    )
    large = f"{columns.value} is larger than {_LARGEST:g}"
    raise_first((numbers.abs() > _LARGEST) & ~infinite, path, large)
    if columns.missing == "drop":
        raise_first(
            infinite,
            path,
            f"{columns.value} is infinite, and --missing drop would leave out a failed case",
            "leave the cell empty to leave it out, or use --missing worst",
        )
    return numbers.mask(infinite), infinite


def _separate_groups(rows: pd.DataFrame, source: str) -> pd.DataFrame:
    """Put the group before the names of all cases if an algorithm has a case of one name in two groups."""
    several = rows.groupby(["algorithm", "image"])["modality"].transform("nunique") > 1
    if not several.any():
        return rows
    shared = rows["image"].isin(rows.loc[several, "image"])
    unknown = rows[shared & (rows["modality"] == "")]
    if len(unknown):
        image = unknown["image"].iloc[0]
        raise ScoresError(
            f"{source}: the case {image!r} is in several groups, and one of its rows names none; name it"
        )
    named = rows["modality"].where(rows["modality"] == "", rows["modality"] + "/")
    return rows.assign(image=named + rows["image"])


def _complete(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row for every algorithm and case, sorted by both."""
    names = ["algorithm", "image"]
    every = pd.MultiIndex.from_product([sorted(rows[name].unique()) for name in names], names=names)
    complete = rows.set_index(names).reindex(every).reset_index()
    return complete.assign(modality=complete["modality"].fillna(""))
