"""Submissions: folders of an entry.yaml and scores.csv, and what the entries state of each algorithm."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from cellbench.boards.schema import SCORES, TABLES
from cellbench.boards.scores import F1, read_scores_file
from cellbench.entrants.entries import ENTRY_FILE, AlgorithmEntry, read_algorithm
from cellbench.errors import CellbenchError, EntrantError

SCORES_FILE = SCORES.file


def find_scores(
    paths: Sequence[str | Path], measure: str = F1
) -> tuple[list[Path], list[AlgorithmEntry]]:
    """Find the files of scores, and read the entries of submissions.

    Args:
        paths: files of scores, and folders of submissions.
        measure: the column that is ranked.

    Returns:
        The files, and the entries of the submissions.

    Raises:
        EntrantError: if a submission has faults; the message lists all of them.
    """
    entries = {
        Path(path): _read_submission(Path(path), measure) for path in paths if Path(path).is_dir()
    }
    files = [Path(path) / SCORES_FILE if Path(path) in entries else Path(path) for path in paths]
    return files, list(entries.values())


def _read_submission(folder: Path, measure: str) -> AlgorithmEntry:
    if not (folder / ENTRY_FILE).is_file():
        raise EntrantError(
            f"{folder}: has no {ENTRY_FILE}; a submission is a folder with {ENTRY_FILE} and {SCORES_FILE} "
            "(to rank a table, name the file instead of its folder)"
        )
    faults: list[str] = []
    name = folder.resolve().name
    entry = None
    try:
        entry = read_algorithm(folder)
        if entry.name != name:
            faults.append(
                f"{folder}: `name` in the entry is {entry.name!r}; it must be the folder's name"
            )
    except EntrantError as error:
        faults.append(str(error))
    try:
        others = set(read_scores_file(folder / SCORES_FILE, measure)["algorithm"]) - {name}
        if others:
            faults.append(
                f"{folder / SCORES_FILE}: contains the algorithm {min(others)!r}; "
                f"it may contain {name!r} only"
            )
    except CellbenchError as error:
        faults.append(str(error))
    if entry is None or faults:
        raise EntrantError("; ".join(faults))
    return entry


def make_algorithms(
    names: Sequence[str], entries: Iterable[AlgorithmEntry], submitted: Iterable[AlgorithmEntry]
) -> pd.DataFrame:
    """Return algorithms.csv: what the entry of each algorithm states.

    Args:
        names: the algorithms of the board.
        entries: of algorithms that were run here; those that are not on the board are left out.
        submitted: of algorithms whose scores were handed in.

    Returns:
        One row per name; empty where nothing is known.
    """
    handed_in = {entry.name: entry for entry in submitted}
    known = {entry.name: entry for entry in entries} | handed_in
    columns = TABLES["algorithms"].names()
    stated = [_statements(known.get(name), columns[1:-1]) for name in names]
    rows = [[name, *words, name in handed_in] for name, words in zip(names, stated, strict=True)]
    return pd.DataFrame(rows, columns=columns)


def _statements(entry: AlgorithmEntry | None, columns: Sequence[str]) -> list[str]:
    """Return what an entry states for each column; empty text where it states nothing."""
    words = [getattr(entry, column, "") for column in columns]
    return [word if isinstance(word, str) else "; ".join(word) for word in words]
