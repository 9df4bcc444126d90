"""The journal of a long run: a run that was stopped continues, and does nothing twice."""

import json
import os
from pathlib import Path
from typing import Any, TextIO

from cellbench.files import write_faults_named, written_whole

_LONGEST_LINE = 64 << 20
"""Bytes; a longer line is not one of ours, and is not held in memory."""


class Journal:
    """Results of finished images, one line of JSON each, appended as soon as they are known.

    If somebody removes or replaces the file during the run, it is written again with all results.

    Args:
        path: the file; with None, nothing is recorded.
    """

    def __init__(self, path: str | Path | None) -> None:
        self._path = None if path is None else Path(path)
        self._file: TextIO | None = None
        self._done: dict[str, Any] = {}
        if self._path is not None and self._path.is_file():
            with self._path.open("rb") as file:
                while line := file.readline(_LONGEST_LINE):
                    if (record := _parse(line.decode("utf-8", "replace"))) is not None:
                        self._keep(*record)

    def get(self, key: str) -> Any:  # noqa: ANN401 (JSON holds values of any type)
        """Return the result that an earlier run recorded, or None if there is none.

        Args:
            key: the key it was recorded under.
        """
        return self._done.get(key)

    def values(self) -> list[Any]:
        """Return the results of all keys, the one that was recorded last at the end."""
        return list(self._done.values())

    def add(self, key: str, result: object) -> None:
        """Record the result of a finished image immediately.

        Args:
            key: a text that changes with everything the result depends on.
            result: anything that JSON can hold; numbers may be infinite or NaN.

        Raises:
            WriteError: if the file cannot be written.
        """
        if self._path is not None:
            with write_faults_named(self._path):
                if self._file is None:
                    self._path.parent.mkdir(parents=True, exist_ok=True)
                    self._file = self._path.open("a", encoding="utf-8")
                elif not _is_at(self._path, self._file):
                    self._file.close()
                    with written_whole(self._path) as temporary:
                        temporary.write_text(
                            "".join(_line(*record) for record in self._done.items()), "utf-8"
                        )
                    self._file = self._path.open("a", encoding="utf-8")
                self._file.write(_line(key, result))
                self._file.flush()
        self._keep(key, result)

    def _keep(self, key: str, result: object) -> None:
        self._done.pop(key, None)  # a key that is recorded again moves to the end
        self._done[key] = result


def _is_at(path: Path, file: TextIO) -> bool:
    """Return whether an open file still has this path."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(file.fileno()))
    except OSError:
        return False


def _line(key: str, result: object) -> str:
    # The line break comes first, because the previous line may be incomplete after a kill.
    return "\n" + json.dumps([key, result])


def _parse(line: str) -> tuple[str, Any] | None:
    """Read one line; None if it is incomplete, as the last one may be after a kill, or not ours."""
    try:
        key, result = json.loads(line)
    except (ValueError, TypeError, RecursionError):
        return None
    return (key, result) if isinstance(key, str) else None
