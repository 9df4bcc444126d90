"""Submissions: folders of an entry.yaml and scores.csv, and what the board tells of each algorithm."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from cellbench.boards.scores import read_scores_file
from cellbench.entrants.entries import AlgorithmEntry, read_algorithm
from cellbench.errors import CellbenchError, EntrantError

SCORES_FILE = "scores.csv"
COLUMNS = (
    *("algorithm", "title", "authors", "paper", "code", "licence", "weights_licence"),
    *("trained_on", "submitted"),
)


def find_scores(paths: Sequence[str | Path]) -> tuple[list[Path], list[AlgorithmEntry]]:
    """Give the files of scores, and the entries of those that are folders of a submission.

    Raises:
        EntrantError: if a submission has faults; all of them at once.
    """
    entries = {Path(path): _read_submission(Path(path)) for path in paths if Path(path).is_dir()}
    files = [Path(path) / SCORES_FILE if Path(path) in entries else Path(path) for path in paths]
    return files, list(entries.values())


def _read_submission(folder: Path) -> AlgorithmEntry:
    faults: list[str] = []
    name = folder.resolve().name
    entry = None
    try:
        entry = read_algorithm(folder)
        if entry.name != name:
            faults.append(f"{folder}: the entry is called {entry.name!r}; name it as its folder")
    except EntrantError as error:
        faults.append(str(error))
    try:
        others = set(read_scores_file(folder / SCORES_FILE)["algorithm"]) - {name}
        if others:
            faults.append(
                f"{folder / SCORES_FILE}: has the algorithm {min(others)!r}; "
                f"only {name!r} belongs there"
            )
    except CellbenchError as error:
        faults.append(str(error))
    if entry is None or faults:
        raise EntrantError("; ".join(faults))
    return entry


def make_algorithms(
    names: Iterable[str], entries: Iterable[AlgorithmEntry], submitted: Iterable[AlgorithmEntry]
) -> pd.DataFrame:
    """Tell of each algorithm what its entry says.

    Args:
        names: the algorithms of the board.
        entries: of those that were run here; others than the board's are passed over.
        submitted: of those whose scores were handed in.

    Returns:
        ``COLUMNS``, one row per name; empty where nothing is known.
    """
    handed_in = {entry.name: entry for entry in submitted}
    known = {entry.name: entry for entry in entries} | handed_in
    return pd.DataFrame(
        [[name, *_told(known.get(name)), name in handed_in] for name in names],
        columns=list(COLUMNS),
    )


def _told(entry: AlgorithmEntry | None) -> list[str]:
    """Give the words for the columns between the first and the last."""
    told = [getattr(entry, column, "") for column in COLUMNS[1:-1]]
    return [words if isinstance(words, str) else "; ".join(words) for words in told]
