"""The journal of a long run: what was done is not done again after a kill."""

import json
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]


class Journal:
    """Rows of finished images, one JSON line each, appended as they come.

    Args:
        path: the file; None keeps nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._done: dict[str, Rows] = {}
        if path is not None and path.is_file():
            self._done = dict(filter(None, map(_parse, path.read_text("utf-8").splitlines())))

    def get(self, key: str) -> Rows | None:
        """Give the rows recorded under a key, or None."""
        return self._done.get(key)

    def add(self, key: str, rows: Rows) -> None:
        """Record the rows of a finished image at once."""
        self._done[key] = rows
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                # The line break comes first: a kill may have cut the line before short.
                file.write("\n" + json.dumps([key, rows]))


def _parse(line: str) -> tuple[str, Rows] | None:
    """Read one line; a kill may have cut the last one short."""
    try:
        key, rows = json.loads(line)
    except (ValueError, TypeError):
        return None
    return key, rows
