"""Locks that keep two processes from writing to the same folder or file at the same time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cellbench.errors import CellbenchError
from cellbench.files import write_faults_named

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


@contextmanager
def locked_folder(folder: Path, error: type[CellbenchError]) -> Iterator[None]:
    """Keep other processes that use this function out of a folder while the block runs.

    The lock ends with the process, even if it is killed, and leaves no file behind. On systems without
    such locks (Windows), nothing is locked.

    Args:
        folder: the folder; it is created if it does not exist.
        error: type of the error that is raised.

    Raises:
        CellbenchError: of the type ``error``, if another process has locked the folder.
        WriteError: if the folder cannot be created.
    """
    with write_faults_named(folder):
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY) if fcntl else None
    try:
        if handle is not None and not lock(handle):
            raise error(
                f"{folder}: another cellbench process is writing to this folder; wait until it has "
                "ended and run the same command again"
            )
        yield
    finally:
        if handle is not None:
            os.close(handle)


def lock(handle: int) -> bool:
    """Lock an open file or folder until it is closed, without waiting.

    Args:
        handle: its file descriptor.

    Returns:
        Whether it is locked now; False if another process has locked it. True where the system has
        no such locks.
    """
    try:
        if fcntl:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # some network file systems have no locks
        return True
    return True
