"""How an entrant's run of each image ended, as ``cellbench run`` recorded it."""

import csv
from pathlib import Path

from cellbench.errors import ScoresError

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
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    statuses: dict[str, str] = {}
    for number, row in enumerate(rows, start=2):
        if "image" not in row or row.get("status") not in STATUSES:
            raise ScoresError(f"{path}: line {number} needs an image and one of {STATUSES}")
        statuses[row["image"]] = row["status"]
    return statuses
