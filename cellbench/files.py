"""Files: written whole or not at all, and found by stem."""

import csv
import hashlib
import json
import logging
import os
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cellbench.errors import CellbenchError

# Without a handler, tifffile's log of oddities in damaged files goes to stderr beside our one line.
_tifffile_log = logging.getLogger("tifffile")
_tifffile_log.addHandler(logging.NullHandler())

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
        if path.is_dir():
            continue
        # Archives made on a Mac decompose accented letters in some of the names.
        stem = unicodedata.normalize("NFC", path.stem.removesuffix(ending))
        if stem in found:
            raise error(f"{path}: has the same stem as {found[stem].name}; rename one of them")
        found[stem] = path
    return found


@contextmanager
def tiff_faults_raised() -> Iterator[None]:
    """Raise what tifffile only logs: a tag beyond the end of a truncated file changes how pixels read.

    Raises:
        ValueError: at the end of the block, with tifffile's message.
    """
    faults: list[str] = []
    collector = logging.Handler(logging.ERROR)
    collector.emit = lambda record: faults.append(record.getMessage())  # type: ignore[method-assign]
    _tifffile_log.addHandler(collector)
    try:
        yield
    finally:
        _tifffile_log.removeHandler(collector)
    if faults:
        raise ValueError(faults[0])


def read_rows(
    path: Path, columns: Sequence[str], error: type[CellbenchError]
) -> list[dict[str, str]]:
    """Read a small CSV table with a header.

    Args:
        path: the file, in UTF-8.
        columns: what every row must have.
        error: what to raise.

    Returns:
        One mapping for each row, all as text.

    Raises:
        CellbenchError: as ``error``, if the file cannot be read, or lacks a column or a value in it.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise error(f"{path}: cannot be read as a CSV in UTF-8 ({fault})") from fault
    lacking = [column for column in columns if column not in (reader.fieldnames or ())]
    if lacking:
        raise error(f"{path}: lacks the column {lacking[0]!r}; the header must name it")
    for number, row in enumerate(rows, start=2):
        for column in columns:
            if not row[column].strip():
                raise error(f"{path}: line {number} lacks {column!r}; fill it in")
    return rows


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
