"""A new dataset folder: written completely or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cellbench.errors import CellbenchError, DatasetError
from cellbench.files import write_faults_named


@contextmanager
def new_dataset_folder(root: str | Path, out: str | Path) -> Iterator[Path]:
    """Provide a temporary folder beside ``out`` and rename it to ``out`` when the block succeeds.

    Args:
        root: the dataset folder from which the new one is made.
        out: the dataset folder to write; it must be empty or absent, and outside ``root``.

    Yields:
        The temporary folder, which exists; it is removed if the block raises.

    Raises:
        DatasetError: if ``out`` is not empty, or is in ``root``.
        CellbenchError: if ``out`` cannot be written, or as the block; the messages name ``out``, not
            the temporary folder.
    """
    root, out = Path(root), Path(out)
    target = out.resolve()
    if target.is_relative_to(root.resolve()):
        raise DatasetError(f"{out}: is in the dataset folder {root}; choose a folder outside it")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise DatasetError(f"{out}: exists and is not an empty folder; choose another folder")
    temporary = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with write_faults_named(target, temporary):
            temporary.mkdir(parents=True)
            yield temporary
            temporary.replace(target)
    except CellbenchError as error:
        raise type(error)(str(error).replace(str(temporary), str(out))) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
