"""A new dataset folder: written completely or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cellbench.errors import DatasetError
from cellbench.folders import check_free_folder, folder_written_whole


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
    check_free(root, out)
    with folder_written_whole(out, DatasetError) as temporary:
        yield temporary


def check_free(root: str | Path, out: str | Path) -> None:
    """Refuse a place where no new dataset folder can be written, before anything is computed.

    Args:
        root: the dataset folder from which the new one is made.
        out: the dataset folder to write.

    Raises:
        DatasetError: if ``out`` is in ``root``, is a file or not empty, or a folder above it is a file.
    """
    if Path(out).resolve().is_relative_to(Path(root).resolve()):
        raise DatasetError(f"{out}: is in the dataset folder {root}; choose a folder outside it")
    check_free_folder(out, DatasetError)
