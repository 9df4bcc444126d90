"""What a program writes to its folders, compared with its limits.

Runs without other packages, because the supervisor of a program imports it.
"""

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_DEPTH = 100
_BLOCK = 512  # bytes, whatever the file system's own blocks


def over_disk_limit(order: Mapping[str, Any]) -> str:
    """Return which limit the files of a program exceed: ``disk``, ``files`` or nothing.

    Args:
        order: ``watched`` (the folders that it may write to), ``disk_bytes`` and ``files``.
    """
    size = 0
    for files, (entry, depth) in enumerate(walk(order["watched"]), start=1):
        with contextlib.suppress(OSError):
            status = entry.stat(follow_symlinks=False)
            size += status.st_blocks * _BLOCK if stat.S_ISREG(status.st_mode) else 0
        if size > order["disk_bytes"]:
            return "disk"
        if files > order["files"] or depth > _DEPTH:
            return "files"
    return ""


def walk(folders: Iterable[str]) -> Iterator[tuple[os.DirEntry[str], int]]:
    """Yield the files and folders in folders with their depth, without following links.

    Args:
        folders: where to begin.

    Yields:
        An entry, and the number of folders above it; folders that cannot be read have none.
    """
    todo = [(folder, 0) for folder in folders]
    while todo:
        folder, depth = todo.pop()
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                yield entry, depth
                if entry.is_dir(follow_symlinks=False):
                    todo.append((entry.path, depth + 1))
