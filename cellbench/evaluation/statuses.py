"""Whether an image has a usable prediction, and why not; as ``cellbench run`` recorded it."""

import unicodedata
from enum import StrEnum
from pathlib import Path

from cellbench.csv_tables import read_rows_by_line
from cellbench.errors import ScoresError

RESOURCES_FILE = "resources.csv"
"""Name of the table of a run in a predictions folder: how each image ended, and what it took."""
COMPARED_FILE = "timings.csv"
"""Name of the table of the images that were measured warm and cold."""


class Status(StrEnum):
    """Why an image has no usable prediction, or ``ok``. Any other status scores F1 0."""

    OK = "ok"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    WRONG_SHAPE = "wrong-shape"
    INVALID = "invalid"
    FAILED = "failed"
    TIMEOUT = "timeout"


def read_statuses(predictions: Path) -> dict[str, Status]:
    """Read how the run of each image ended from ``resources.csv``.

    Args:
        predictions: the predictions folder.

    Returns:
        Image stem to status; empty if the folder has no ``resources.csv``.

    Raises:
        ScoresError: if the file lacks a column or has an unknown status.
    """
    path = predictions / RESOURCES_FILE
    if not path.is_file():
        return {}
    statuses: dict[str, Status] = {}
    for line, row in read_rows_by_line(path, ["image", "status"], ScoresError).items():
        try:
            status = Status(row["status"])
        except ValueError as error:
            raise ScoresError(
                f"{path}: line {line} has the unknown status {row['status']!r}; "
                f"use one of {', '.join(Status)}"
            ) from error
        statuses[unicodedata.normalize("NFC", row["image"])] = status
    return statuses
