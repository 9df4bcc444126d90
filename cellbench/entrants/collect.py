"""Take the label map that a program left: only a regular file, within limits, and checked at once."""

import hashlib
import os
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from cellbench.entrants.limits import label_map_bytes
from cellbench.entrants.workplace import MOST_FILES, FileStates, Workplace, file_state
from cellbench.errors import EntrantError, InvalidLabelsError, LabelMapError
from cellbench.evaluation.seals import checksum_of
from cellbench.evaluation.statuses import Status
from cellbench.files import is_junk, written_whole
from cellbench.labels import check_labels, label_path, open_labels, read_labels, write_labels
from cellbench.labels.names import match_labels

_CHUNK = 1 << 20
_SHOWN = 3
_LONGEST_NAME = 100
_TIFF = (b"II", b"MM")


@dataclass(frozen=True)
class Taken:
    """What a program left for an image.

    Attributes:
        status: the status that ``cellbench evaluate`` gives it, too.
        message: what is wrong with it; empty if nothing is.
        checksum: SHA-256 of the label map; empty if there is no usable one.
        name: name of the file that the program wrote; empty if there is no usable one.
    """

    status: Status
    message: str = ""
    checksum: str = ""
    name: str = ""


class _RefusedError(Exception):
    """A file that is not taken: the status and the reason."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def take_label_map(
    workplace: Workplace,
    stem: str,
    shape: tuple[int, int],
    target: Path,
    answered: FileStates | None = None,
    stems: Collection[str] = (),
) -> Taken:
    """Copy the label map of an image from a program's outputs to ``target`` and check it.

    The label map may have any name and format that evaluation accepts; ``target`` becomes a TIFF. No link
    is followed, and nothing but a regular file with a single name is opened.

    Args:
        workplace: the folders of the program, which has ended or has answered.
        stem: stem of the image.
        shape: (H, W) of the image, in pixels.
        target: the file to write; nothing is written unless the label map is usable.
        answered: states of the outputs when the program answered, after which it may not change them;
            None if it has ended.
        stems: stems of all images whose label maps may be among the outputs.

    Returns:
        The status, and what is wrong.
    """
    try:
        outputs = workplace.open_outputs()
        try:
            name = _find(outputs, stem, stems)
            with _opened(outputs, name, answered) as file, written_whole(target) as copy:
                checksum = _copy(file, copy, label_map_bytes(*shape))
                _check(copy, shape)
                checksum = _as_tiff(copy) or checksum
        finally:
            os.close(outputs)
    except _RefusedError as refused:
        return Taken(refused.status, str(refused))
    except EntrantError as error:
        return Taken(Status.MISSING, str(error))
    return Taken(Status.OK, checksum=checksum, name=name)


def _find(outputs: int, stem: str, stems: Collection[str]) -> str:
    """Return the name of the file of an image's label map."""
    with os.scandir(outputs) as entries:
        folders = {
            entry.name: entry.is_dir(follow_symlinks=False)
            for entry in islice(entries, MOST_FILES + 1)
        }
    names = list(folders)
    if len(names) > MOST_FILES:
        reason = f"left more than {MOST_FILES} files in the outputs folder"
        raise _RefusedError(Status.FAILED, reason)
    names = sorted(name for name in names if not is_junk(name))
    found = match_labels({stem, *stems}, names)
    fitting = found.get(stem, [])
    if len(fitting) > 1:
        both = " and ".join(sorted(fitting)[:2])
        raise _RefusedError(Status.INVALID, f"wrote two label maps for the image: {both}")
    if fitting:
        return fitting[0]
    others = set(names).difference(*found.values())
    shown = sorted(others)[:_SHOWN]
    wrote = ", ".join(f"{_printable(name)}{'/' * folders[name]}" for name in shown)
    wanted = label_path("", stem).name
    raise _RefusedError(Status.MISSING, f"wrote {wrote}, wanted {wanted}" if others else "")


def _printable(name: str) -> str:
    """Return a name that a program chose so that it can be shown on a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in name[:_LONGEST_NAME])


@contextmanager
def _opened(outputs: int, name: str, answered: FileStates | None) -> Iterator[int]:
    # Without O_NONBLOCK, opening a named pipe waits for a writer.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        found = os.stat(name, dir_fd=outputs, follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode):
            raise _RefusedError(Status.MISSING, f"{name}: not a regular file, so it is not opened")
        if found.st_nlink > 1:
            raise _RefusedError(
                Status.MISSING, f"{name}: a hard link to another file, so it is not taken"
            )
        if answered is not None and answered.get(name) != file_state(found):
            raise _RefusedError(Status.FAILED, f"{name}: written after the answer")
        file = _open_own(outputs, name, flags)
    except OSError as error:
        raise _RefusedError(Status.UNREADABLE, f"{name}: {error.strerror}") from error
    try:
        opened = os.fstat(file)
        if not stat.S_ISREG(opened.st_mode) or opened.st_nlink > 1 or opened.st_ino != found.st_ino:
            raise _RefusedError(Status.MISSING, f"{name}: replaced while it was opened")
        yield file
    finally:
        os.close(file)


def _open_own(outputs: int, name: str, flags: int) -> int:
    """Open a file of the program, also if the program took away the permission to read it."""
    try:
        return os.open(name, flags, dir_fd=outputs)
    except PermissionError:
        handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=outputs)
        try:
            os.chmod(f"/proc/self/fd/{handle}", stat.S_IRUSR)  # noqa: PTH101  (a descriptor)
        finally:
            os.close(handle)
        return os.open(name, flags, dir_fd=outputs)


def _copy(file: int, target: Path, most: int) -> str:
    """Copy an open file and return the checksum of the copy."""
    checksum, size, before = hashlib.sha256(), 0, file_state(os.fstat(file))
    with target.open("wb") as copy:
        while chunk := os.read(file, _CHUNK):
            size += len(chunk)
            if size > most:
                reason = f"the label map's file is larger than {most >> 20} MiB"
                raise _RefusedError(Status.FAILED, reason)
            checksum.update(chunk)
            copy.write(chunk)
    if file_state(os.fstat(file)) != before:
        raise _RefusedError(Status.FAILED, "the label map was changed while it was copied")
    return checksum.hexdigest()


def _check(copy: Path, shape: tuple[int, int]) -> None:
    """Check what evaluation checks: a readable label map of the image's size."""
    try:
        labels = open_labels(copy)
        if labels.shape != shape:
            reason = f"the label map has the shape {labels.shape}, but the image has {shape}"
            raise _RefusedError(Status.WRONG_SHAPE, reason)
        for band in labels.bands():
            check_labels(band)
    except InvalidLabelsError as error:
        raise _RefusedError(Status.INVALID, _without_path(error, copy)) from error
    except (LabelMapError, OSError, MemoryError) as error:
        raise _RefusedError(Status.UNREADABLE, _without_path(error, copy)) from error


def _as_tiff(copy: Path) -> str:
    """Convert a label map of another format, and return its new checksum; an empty text for a TIFF."""
    with copy.open("rb") as file:
        if file.read(2) in _TIFF:
            return ""
    try:
        write_labels(copy, read_labels(copy))
    except (LabelMapError, MemoryError) as error:
        raise _RefusedError(Status.UNREADABLE, _without_path(error, copy)) from error
    return checksum_of(copy)


def _without_path(error: BaseException, copy: Path) -> str:
    return " ".join(str(error).replace(str(copy), "label map").split())
