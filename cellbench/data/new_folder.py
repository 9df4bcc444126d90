"""A new dataset folder: written completely or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cellbench.errors import DatasetError
from cellbench.folders import folder_written_whole


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
    if Path(out).resolve().is_relative_to(Path(root).resolve()):
        raise DatasetError(f"{out}: is in the dataset folder {root}; choose a folder outside it")
    with folder_written_whole(out, DatasetError) as temporary:
        yield temporary
