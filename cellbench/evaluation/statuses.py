"""How an entrant's run of each image ended, as ``cellbench run`` recorded it."""

import unicodedata
from pathlib import Path

from cellbench.errors import ScoresError
from cellbench.files import read_rows

RESOURCES_FILE = "resources.csv"
STATUSES = ("ok", "missing", "unreadable", "wrong-shape", "invalid", "failed", "timeout")


def read_statuses(predictions: Path) -> dict[str, str]:
    """Read the status of each image from ``resources.csv``; empty where there is none.

    Raises:
        ScoresError: if the file lacks its columns or has an unknown status.
    """
    path = predictions / RESOURCES_FILE
    if not path.is_file():
        return {}
    statuses: dict[str, str] = {}
    for number, row in enumerate(read_rows(path, ["image", "status"], ScoresError), start=2):
        if row["status"] not in STATUSES:
            raise ScoresError(f"{path}: line {number} has the status {row['status']!r}; mend it")
        statuses[unicodedata.normalize("NFC", row["image"])] = row["status"]
    return statuses
