"""The journal of a long run: what was done is not done again after a kill."""

import json
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]


class Journal:
    """Results of finished images, one JSON line each, appended as they come.

    Args:
        path: the file; None keeps nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._done: dict[str, Any] = {}
        if path is not None and path.is_file():
            self._done = dict(filter(None, map(_parse, path.read_text("utf-8").splitlines())))

    def get(self, key: str) -> Any:  # noqa: ANN401 (whatever JSON holds)
        """Give what is recorded under a key, or None."""
        return self._done.get(key)

    def add(self, key: str, result: object) -> None:
        """Record the result of a finished image at once.

        Args:
            key: changes with whatever the result depends on.
            result: anything that JSON holds; numbers may be infinite or NaN.
        """
        self._done[key] = result
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                # The line break comes first: a kill may have cut the line before short.
                file.write("\n" + json.dumps([key, result]))


def _parse(line: str) -> tuple[str, Any] | None:
    """Read one line; a kill may have cut the last one short."""
    try:
        key, result = json.loads(line)
    except (ValueError, TypeError):
        return None
    return key, result
