"""Files: written whole or not at all, and found by stem."""

import csv
import hashlib
import json
import logging
import os
import threading
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from cellbench.errors import CellbenchError, UsageError

# What is wrong with a file is told in our one line, not in a decoder's log on stderr.
for _decoder in ("tifffile", "imagecodecs"):
    logging.getLogger(_decoder).addHandler(logging.NullHandler())
    logging.getLogger(_decoder).propagate = False
_tifffile_log = logging.getLogger("tifffile")


def max_pixels() -> int:
    """Give the size of the largest image or label map that is opened; CELLBENCH_MAX_PIXELS sets another.

    A damaged header, or a small file that unpacks to a huge one, must not take the machine down.

    Raises:
        UsageError: if CELLBENCH_MAX_PIXELS is no positive number.
    """
    text = os.environ.get("CELLBENCH_MAX_PIXELS", "2_000_000_000")
    try:
        limit = int(text)
    except ValueError:
        limit = 0
    if limit < 1:
        raise UsageError(f"CELLBENCH_MAX_PIXELS={text}: is no positive number of pixels")
    return limit


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
    """Find the one file of each stem; see :func:`all_files_by_stem`.

    Raises:
        CellbenchError: as ``error``, if the folder is absent or two files share a stem.
    """
    found: dict[str, Path] = {}
    for stem, paths in all_files_by_stem(folder, suffixes, error, ending).items():
        if len(paths) > 1:
            raise error(f"{paths[1]}: has the same stem as {paths[0].name}; rename one of them")
        found[stem] = paths[0]
    return found


def all_files_by_stem(
    folder: str | Path, suffixes: Iterable[str], error: type[CellbenchError], ending: str = ""
) -> dict[str, list[Path]]:
    """Find the files of a folder by stem: the name without its last extension and ``ending``.

    Args:
        folder: where to look; subfolders and hidden files are passed over.
        suffixes: accepted extensions, lower case, with the dot.
        error: what to raise.
        ending: what follows the stem, such as ``_label``; files without it are passed over.

    Returns:
        Stem to paths, sorted by file name.

    Raises:
        CellbenchError: as ``error``, if the folder is absent.
    """
    folder, suffixes = Path(folder), frozenset(suffixes)
    if not folder.is_dir():
        raise error(f"{folder}: no such folder")
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        hidden = path.name.startswith(".")
        if hidden or path.suffix.lower() not in suffixes or not path.stem.endswith(ending):
            continue
        if path.is_dir():
            continue
        # Archives made on a Mac decompose accented letters in some of the names.
        stem = unicodedata.normalize("NFC", path.stem.removesuffix(ending))
        found.setdefault(stem, []).append(path)
    return found


@contextmanager
def tiff_faults_raised() -> Iterator[None]:
    """Raise what tifffile only logs: a tag beyond the end of a truncated file changes how pixels read.

    Raises:
        ValueError: at the end of the block, with tifffile's message.
    """
    faults: list[str] = []
    collector = logging.Handler(logging.ERROR)
    thread = threading.get_ident()
    collector.addFilter(lambda record: record.thread == thread)
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
            header = reader.fieldnames or ()  # an empty file would be read again for it
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise error(f"{path}: cannot be read as a CSV in UTF-8 ({fault})") from fault
    lacking = [column for column in columns if column not in header]
    if lacking:
        raise error(f"{path}: lacks the column {lacking[0]!r}; the header must name it")
    for number, row in enumerate(rows, start=2):
        for column in columns:
            if not row[column].strip():
                raise error(f"{path}: line {number} lacks {column!r}; fill it in")
    return rows


def write_rows(
    path: str | Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]
) -> None:
    """Write a CSV table in UTF-8, whole or not at all; what a row lacks, and NaN, stays empty.

    Args:
        path: the file; its folder is made.
        columns: the header.
        rows: may hold no other columns.
    """
    with (
        written_whole(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({name: "" if value != value else value for name, value in row.items()})


def fingerprint(files: Sequence[Path | None], *settings: object) -> str:
    """Give a key that changes when a file (by path, size or time) or a setting does.

    Returns:
        64 hexadecimal digits.
    """
    parts: list[object] = [str(setting) for setting in settings]
    for path in files:
        stat = path.stat() if path is not None and path.is_file() else None
        parts.append(
            [str(path and path.absolute()), stat and stat.st_size, stat and stat.st_mtime_ns]
        )
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
