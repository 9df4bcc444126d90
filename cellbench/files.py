"""Files: written completely or not at all, and found by stem."""

import errno
import hashlib
import json
import logging
import os
import re
import stat
import threading
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cellbench.errors import CellbenchError, UsageError, WriteError

# Our own message says what is wrong with a file; the log of a decoder would only add lines.
for _decoder in ("tifffile", "imagecodecs", "czifile", "liffile", "nd2"):
    logging.getLogger(_decoder).addHandler(logging.NullHandler())
    logging.getLogger(_decoder).propagate = False
_tifffile_log = logging.getLogger("tifffile")

_FREE_SPACE = "free some disk space and run the same command again"
_WRITE_ADVICE = {
    None: _FREE_SPACE,  # NumPy raises errors without a number when the disk is full
    errno.ENOSPC: _FREE_SPACE,
    errno.EDQUOT: _FREE_SPACE,
    errno.EFBIG: "allow larger files (ulimit -f) and run the same command again",
    errno.EIO: "check the disk and run the same command again",
}
_JUNK = frozenset(
    [
        *("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "@eadir", "#recycle"),
        *("__pycache__", "lost+found", "system volume information"),
    ]
)
_PARTIAL = ".*.partial*"
_PARTIAL_OF = re.compile(r"\.(?P<stem>.+)\.(?P<process>[0-9]+)\.partial(\.\w+)?")


_TIFF_TAG = re.compile(r"<TiffTag.fromfile> raised .*?<tifffile.TiffTag (\d+) ")
# Tags that decide which pixels a page has, where they are, how they are encoded, what their axes are.
_PIXEL_TAGS = {
    *range(254, 260), 262, 266, 270, 273, 277, 278, 279, 284, 292, 293, 317, *range(320, 326), 330, 338,
    339, 347, *range(512, 522), *range(529, 533), *range(32995, 32999), *range(33628, 33632), 34362, 34412,
    65420, 65426, 65432,
}  # fmt: skip


def max_pixels() -> int:
    """Return the largest number of pixels of an image or label map that is opened.

    The limit is 2,000,000,000 unless the environment variable CELLBENCH_MAX_PIXELS is set. It protects the
    machine from damaged headers and from small files that unpack to huge ones.

    Raises:
        UsageError: if CELLBENCH_MAX_PIXELS is not a positive integer.
    """
    text = os.environ.get("CELLBENCH_MAX_PIXELS", "2_000_000_000")
    try:
        limit = int(text)
    except ValueError:
        limit = 0
    if limit < 1:
        raise UsageError(
            f"CELLBENCH_MAX_PIXELS={text}: not a number of pixels; set a positive integer"
        )
    return limit


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Provide a temporary path beside ``path`` and rename it to ``path`` when the block succeeds.

    Readers see the old or the new file, never a part of it. The parent folder is created if needed.

    Args:
        path: the file to write.

    Yields:
        The temporary path, with the extension of ``path``; the file is removed if the block raises.

    Raises:
        WriteError: if the file or its folder cannot be written, for example because the disk is full.

    Examples:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "table.csv"
        >>> with written_whole(target) as temporary:
        ...     _ = temporary.write_text("a,b")
        >>> target.read_text()
        'a,b'
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    with write_faults_named(path, temporary):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Somebody may have left a link of this name, through which another file would be written.
        temporary.unlink(missing_ok=True)
        try:
            yield temporary
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def write_faults_named(path: Path, *others: Path) -> Iterator[None]:
    """Name the file in errors of writing: the system's own message often does not.

    Args:
        path: the file that is written in the block.
        others: further files that the block writes on the way to ``path``.

    Raises:
        WriteError: if the block raises an OSError about one of these files or their folder, or one
            that names no file.
    """
    try:
        yield
    except OSError as error:
        own = {*map(str, (path, *path.parents, *others))}
        if isinstance(error, BrokenPipeError) or (
            error.filename is not None and os.fsdecode(error.filename) not in own
        ):
            raise
        advice = _WRITE_ADVICE.get(error.errno, "check the path and its permissions")
        reason = error.strerror or " ".join(str(error).split()) or type(error).__name__
        raise WriteError(f"{path}: cannot be written ({reason}); {advice}") from error


def remove_partial_files(folder: Path) -> None:
    """Remove the temporary files that [`written_whole`][] left in a folder when it was killed.

    Args:
        folder: the folder, which no other process may be writing to; need not exist.
    """
    for partial in folder.glob(_PARTIAL):
        if not partial.is_dir():
            partial.unlink(missing_ok=True)


def remove_abandoned_files(path: Path) -> None:
    """Remove temporary files that processes left that were killed while they wrote a file.

    Unlike [`remove_partial_files`][], this may be used in a folder that others write to. On Windows,
    nothing is removed.

    Args:
        path: the file; those whose stem begins with its stem, such as the tables beside it, count too.
    """
    if os.name != "posix" or not path.parent.is_dir():
        return
    for partial in path.parent.iterdir():
        named = _PARTIAL_OF.fullmatch(partial.name)
        if named and named["stem"].startswith(path.stem) and not _runs(int(named["process"])):
            partial.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):  # of somebody else; not one of our numbers
        return True
    return True


def files_by_stem(
    folder: str | Path, suffixes: Iterable[str], error: type[CellbenchError], ending: str = ""
) -> dict[str, Path]:
    """Find the files in a folder by stem, the file name without its last extension and ``ending``.

    Args:
        folder: the folder; its subfolders and junk such as hidden files are ignored.
        suffixes: accepted extensions, lower case, with the dot.
        error: type of the errors that are raised.
        ending: text that follows the stem, such as ``_label``; files without it are ignored.

    Returns:
        Stem to path, sorted by file name.

    Raises:
        CellbenchError: of the type ``error``, if two files share a stem, or as in [`list_files`][].
    """
    found: dict[str, Path] = {}
    for path in list_files(folder, suffixes, error):
        if not path.stem.endswith(ending):
            continue
        # In archives from a Mac, some names have accents as separate characters.
        stem = unicodedata.normalize("NFC", path.stem.removesuffix(ending))
        if stem in found:
            raise error(
                f"{path}: has the same stem as {found[stem].name}; rename or remove one of them"
            )
        found[stem] = path
    return found


def list_files(
    folder: str | Path, suffixes: Iterable[str], error: type[CellbenchError]
) -> list[Path]:
    """List the files of a folder that have certain extensions, without junk and subfolders.

    Args:
        folder: the folder.
        suffixes: accepted extensions, lower case, with the dot.
        error: type of the errors that are raised.

    Returns:
        The paths, sorted.

    Raises:
        CellbenchError: of the type ``error``, if the folder is absent, or a file in it is a pipe, a
            socket or a device, or has a carriage return in its name.
    """
    folder, suffixes = Path(folder), frozenset(suffixes)
    if not folder.is_dir():
        raise error(f"{folder}: no such folder; check the path")
    found = []
    for path in sorted(folder.iterdir()):
        if is_junk(path.name) or path.suffix.lower() not in suffixes or path.is_dir():
            continue
        if "\r" in path.name:  # CSV tables would be torn there
            raise error(f"{str(path)!r}: the name has a line break; rename the file")
        if _is_special(path):
            raise error(
                f"{path}: is a pipe, a socket or a device; remove it, or replace it by a regular file"
            )
        found.append(path)
    return found


def is_junk(name: str) -> bool:
    """Return whether a file or folder only comes from an operating system or a program, as hidden ones do.

    Args:
        name: its name without the folder.

    Examples:
        >>> is_junk("__MACOSX"), is_junk("._a.tif"), is_junk("Thumbs.db"), is_junk("a.tif")
        (True, True, True, False)
    """
    return name.startswith((".", "$")) or name.casefold() in _JUNK


def _is_special(path: Path) -> bool:
    """Return whether opening a path could wait forever; a broken link is reported when it is read."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


@contextmanager
def tiff_faults_raised() -> Iterator[None]:
    """Raise the errors that tifffile only logs, such as a tag beyond the end of a truncated file.

    Without such a tag the pixels would be decoded wrongly. Damaged tags that do not concern the pixels,
    such as EXIF data, the resolution or private notes, are ignored.

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
    for fault in faults:
        tag = _TIFF_TAG.search(fault)
        if tag is None or int(tag[1]) in _PIXEL_TAGS:
            raise ValueError(fault)


def fingerprint(files: Sequence[Path | None], *settings: object) -> str:
    """Return a key that changes when a file (its path, size or time of change) or a setting does.

    Args:
        files: the files; None stands for a file that is not used.
        settings: everything else that the key depends on; their texts are compared.

    Returns:
        64 hexadecimal digits.
    """
    parts: list[object] = [str(setting) for setting in settings]
    for path in files:
        # Unlike Path.is_file, it is no error if the text is too long for a path.
        found = path.stat() if path is not None and os.path.isfile(path) else None  # noqa: PTH113
        parts.append(
            [str(path and path.absolute()), found and found.st_size, found and found.st_mtime_ns]
        )
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
