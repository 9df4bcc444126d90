"""robustness.csv and its summary: written by ``cellbench robustness``, read by the report."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from cellbench.boards.reading import read_table
from cellbench.boards.schema import ROBUSTNESS_TABLES, UNCHANGED
from cellbench.boards.text_table import write_text
from cellbench.errors import ScoresError
from cellbench.ranking.robustness import relative_robustness

_VALUES, _SUMMARY = ROBUSTNESS_TABLES["robustness"], ROBUSTNESS_TABLES["robustness_summary"]
_SEED = 2022
_KEY = ["algorithm", "kind", "severity", "image"]
_AGAIN = "run `cellbench robustness` again"
_ALL = "all"  # the row of the summary over all kinds


def write_robustness(folder: str | Path, rows: Iterable[Mapping[str, object]]) -> pd.DataFrame:
    """Write robustness.csv and robustness_summary.csv.

    Args:
        folder: the folder, which may be that of a board.
        rows: value by column of robustness.csv, in the order in which they are written.

    Returns:
        The summary, see [`summarise`][]; the same rows give the same intervals.

    Raises:
        ScoresError: if an algorithm has no values on unchanged images.
        WriteError: if a file cannot be written.
    """
    table = pd.DataFrame(list(map(dict, rows)), columns=_VALUES.names())
    summary = summarise(table)
    write_text(table, Path(folder) / _VALUES.file)
    write_text(summary, Path(folder) / _SUMMARY.file)
    return summary


def read_robustness(folder: str | Path) -> pd.DataFrame | None:
    """Read robustness.csv.

    Args:
        folder: the folder of a board.

    Returns:
        Its rows; None if there is no such file.

    Raises:
        ScoresError: if the file is damaged, has two rows for one image or an F1 outside of [0, 1], or an
            algorithm has no values on unchanged images.
    """
    path = Path(folder) / _VALUES.file
    if not path.is_file():
        return None
    table = read_table(path.parent, _VALUES, again=_AGAIN)
    unchanged = table["kind"] == UNCHANGED
    faults = {
        "two rows for one image": table.duplicated(_KEY),
        "an F1 that is not a number from 0 to 1": ~table["f1"].between(0, 1),
        f"a severity that does not fit its kind (0 is {UNCHANGED})": (
            (unchanged != (table["severity"] == 0))
            | (table["severity"] < 0)
            | (table["kind"] == _ALL)
        ),
        "an algorithm without values on unchanged images": ~table["algorithm"].isin(
            table.loc[unchanged, "algorithm"]
        ),
    }
    for fault, rows in faults.items():
        if rows.any():
            raise ScoresError(f"{path}: has {fault}; {_AGAIN}")
    return table


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Return robustness_summary.csv.

    Args:
        table: robustness.csv.

    Returns:
        Mean F1 and relative robustness with 95 % intervals, of 1000 bootstrap samples of the images.

    Raises:
        ScoresError: if an algorithm has no values on unchanged images.
    """
    summary = relative_robustness(table, rng=np.random.default_rng(_SEED))
    return summary[_SUMMARY.names()]
