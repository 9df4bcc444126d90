"""Folders that are written whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cellbench.errors import CellbenchError
from cellbench.files import write_faults_named
from cellbench.locks import locked_folder


@contextmanager
def folder_written_whole(
    out: str | Path, error: type[CellbenchError], *, replaces: bool = False
) -> Iterator[Path]:
    """Provide a temporary folder beside ``out`` and rename it to ``out`` when the block succeeds.

    Args:
        out: the folder to write.
        error: type of the errors that are raised.
        replaces: whether ``out`` may have content, all of which is removed at the end. Otherwise it must be
            empty or absent.

    Yields:
        The temporary folder, which exists and is empty; it is removed if the block raises.

    Raises:
        CellbenchError: if ``out`` has content although it may not, cannot be written, or is being written
            by another process; or as the block. The messages name ``out``, not the temporary folder.
    """
    check_free_folder(out, error, replaces=replaces)
    out = Path(out)
    target = out.resolve()
    temporary = target.with_name(f".{target.name}.partial")
    try:
        with locked_folder(temporary, error), write_faults_named(target, temporary):
            for left in temporary.iterdir():  # by a process that was killed
                shutil.rmtree(left) if left.is_dir() else left.unlink()
            try:
                yield temporary
                _replace(target, temporary)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
    except CellbenchError as fault:
        raise type(fault)(str(fault).replace(str(temporary), str(out))) from fault


def check_free_folder(
    out: str | Path, error: type[CellbenchError], *, replaces: bool = False
) -> None:
    """Refuse a folder that cannot be written, before anything is computed.

    Args:
        out: the folder to write.
        error: type of the error that is raised.
        replaces: whether ``out`` may have content.

    Raises:
        CellbenchError: if ``out`` is a file, or has content although it may not, or a folder above it is
            a file.
    """
    target = Path(out).resolve()
    if target.exists() and not (target.is_dir() and (replaces or not any(target.iterdir()))):
        raise error(
            f"{out}: exists and is not an empty folder; remove it, or choose another folder"
        )
    if blocked := [each for each in target.parents if each.is_file()]:
        raise error(f"{blocked[0]}: is a file; {out} cannot be written in it")


def _replace(target: Path, new: Path) -> None:
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)  # of a process that was killed
    if target.exists() and any(target.iterdir()):
        target.replace(old)
    try:
        new.replace(target)
    except OSError:
        if old.exists():
            old.replace(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
