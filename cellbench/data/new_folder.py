"""A new dataset folder: written completely or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cellbench.errors import CellbenchError, DatasetError
from cellbench.files import write_faults_named
from cellbench.locks import locked_folder


@contextmanager
def new_dataset_folder(root: str | Path, out: str | Path) -> Iterator[Path]:
    """Provide a temporary folder beside ``out`` and rename it to ``out`` when the block succeeds.

    Args:
        root: the dataset folder from which the new one is made.
        out: the dataset folder to write; it must be empty or absent, and outside ``root``.

    Yields:
        The temporary folder, which exists; it is removed if the block raises.

    Raises:
        DatasetError: if ``out`` is not empty, is in ``root``, or is being written by another process.
        CellbenchError: if ``out`` cannot be written, or as the block; the messages name ``out``, not
            the temporary folder.
    """
    out = Path(out)
    check_free(root, out)
    target = out.resolve()
    temporary = target.with_name(f".{target.name}.partial")
    try:
        with locked_folder(temporary, DatasetError), write_faults_named(target, temporary):
            for left in temporary.iterdir():  # by a process that was killed
                shutil.rmtree(left) if left.is_dir() else left.unlink()
            try:
                yield temporary
                temporary.replace(target)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
    except CellbenchError as error:
        raise type(error)(str(error).replace(str(temporary), str(out))) from error


def check_free(root: str | Path, out: str | Path) -> None:
    """Refuse a place where no new dataset folder can be written, before anything is computed.

    Args:
        root: the dataset folder from which the new one is made.
        out: the dataset folder to write.

    Raises:
        DatasetError: if ``out`` is in ``root``, is a file or not empty, or a folder above it is a file.
    """
    root, target = Path(root), Path(out).resolve()
    if target.is_relative_to(root.resolve()):
        raise DatasetError(f"{out}: is in the dataset folder {root}; choose a folder outside it")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise DatasetError(
            f"{out}: exists and is not an empty folder; remove it, or choose another folder"
        )
    if blocked := [each for each in target.parents if each.is_file()]:
        raise DatasetError(f"{blocked[0]}: is a file; {out} cannot be written in it")
