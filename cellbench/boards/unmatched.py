"""Prediction files that match no image, as ``cellbench evaluate`` records them beside scores.csv."""

import json
from collections.abc import Sequence
from pathlib import Path

from cellbench.errors import ScoresError
from cellbench.evaluation.record import record_path

UNMATCHED = "unmatched"
"""The fact in scores.json and provenance.json that lists these files by algorithm."""

_DETAILS = "_details"  # scores_details.csv has the record of scores.csv


def read_unmatched(paths: Sequence[Path]) -> dict[str, list[str]]:
    """Read which prediction files match no image.

    Args:
        paths: files of scores; the record beside each is read if there is one.

    Returns:
        Names of files, by algorithm; algorithms without such files are left out.

    Raises:
        ScoresError: if a record is damaged.
    """
    found: dict[str, list[str]] = {}
    for path in map(record_path, paths):
        record = path if path.is_file() else path.with_stem(path.stem.removesuffix(_DETAILS))
        if record.is_file():
            for algorithm, files in _read(record).items():
                found.setdefault(algorithm, []).extend(files)
    return {name: sorted(set(files)) for name, files in sorted(found.items()) if files}


def _read(path: Path) -> dict[str, list[str]]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        listed = record.get(UNMATCHED, {}).items()
        return {str(name): [str(file) for file in files] for name, files in listed}
    except (OSError, ValueError, AttributeError, TypeError, RecursionError) as error:
        raise ScoresError(
            f"{path}: does not list unmatched files as cellbench evaluate does; run it again"
        ) from error
