"""Files: written whole or not at all, and found by stem."""

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cellbench.errors import CellbenchError

# Without a handler, tifffile's log of oddities in damaged files goes to stderr beside our one line.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

MAX_PIXELS = 2_000_000_000
"""Largest image or label map that is opened: a damaged header must not take the machine down."""


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` and rename it to ``path`` when the block succeeds.

    Readers see the old file or the new one, never a part. The parent folder is made where it is absent.

    Args:
        path: the file to write.

    Yields:
        The temporary path, with the suffix of ``path``; it is removed if the block raises.

    Example:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "table.csv"
        >>> with written_whole(target) as temporary:
        ...     _ = temporary.write_text("a,b")
        >>> target.read_text()
        'a,b'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def files_by_stem(
    folder: str | Path, suffixes: Iterable[str], error: type[CellbenchError], ending: str = ""
) -> dict[str, Path]:
    """Find the files of a folder by stem: the name without its last extension and ``ending``.

    Args:
        folder: where to look; subfolders and hidden files are passed over.
        suffixes: accepted extensions, lower case, with the dot.
        error: what to raise.
        ending: what follows the stem, such as ``_label``; files without it are passed over.

    Returns:
        Stem to path, sorted by stem.

    Raises:
        CellbenchError: as ``error``, if the folder is absent or two files share a stem.
    """
    folder, suffixes = Path(folder), frozenset(suffixes)
    if not folder.is_dir():
        raise error(f"{folder}: no such folder")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        hidden = path.name.startswith(".")
        if hidden or path.suffix.lower() not in suffixes or not path.stem.endswith(ending):
            continue
        if not path.is_file():
            continue
        stem = path.stem.removesuffix(ending)
        if stem in found:
            raise error(f"{path}: has the same stem as {found[stem].name}; rename one of them")
        found[stem] = path
    return found


def fingerprint(files: Sequence[Path | None], *settings: object) -> str:
    """Give a key that changes when a file (by path, size or time) or a setting does.

    Returns:
        64 hexadecimal digits.
    """
    parts: list[object] = [str(setting) for setting in settings]
    for path in files:
        stat = path.stat() if path is not None and path.is_file() else None
        parts.append(
            [str(path and path.resolve()), stat and stat.st_size, stat and stat.st_mtime_ns]
        )
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
