"""The images of dataset folders, as training asks a datamodule for them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from cellbench.data.checks import missing_label_problem, unused_labels
from cellbench.data.folder import UNLABELED, DatasetImage, read_dataset
from cellbench.errors import DatasetError

DEFAULT_ROOT = "data/sample"


@runtime_checkable
class DatasetFolders(Protocol):
    """A datamodule that knows the images behind its batches.

    Any LightningDataModule can train a model. One that has these two methods also lets
    `cellbench fit` tune the decoding after training and name the datasets in ``entry.yaml``.
    """

    def items(self, split: str) -> Sequence[DatasetImage]:
        """Return the images of a split that have a label map.

        Args:
            split: ``train``, ``tune`` or ``test``.
        """

    def dataset_names(self) -> list[str]:
        """Return the names of the datasets that the model is trained on."""


def labelled_images(root: str, split: str) -> list[DatasetImage]:
    """Return the images of a split of a dataset folder that have a label map.

    Args:
        root: the dataset folder.
        split: ``train``, ``tune`` or ``test``.

    Raises:
        CellbenchError: if the folder cannot be read or no image of the split has a label map.
    """
    items = [item for item in read_dataset(root, [split]) if item.labels is not None]
    if not items:
        first = read_dataset(root, [split])[0]
        problem = missing_label_problem(first, unused_labels(Path(root), split, [first]))
        raise DatasetError(
            f"{root}: no image of the {split} split has a label map; the first is {problem}"
        )
    return items


def unlabelled_images(roots: Sequence[str]) -> list[DatasetImage]:
    """Return the images without label maps: those of ``unlabeled``, and such images of ``train``.

    Args:
        roots: the dataset folders; they may have none.

    Raises:
        CellbenchError: if a folder cannot be read.
    """
    splits = ("train", UNLABELED)
    return [item for root in roots for item in read_dataset(root, splits) if item.labels is None]


def training_roots(root: str | None, roots: Sequence[str] | None) -> tuple[str, list[str]]:
    """Return the dataset folders of a run.

    Args:
        root: the folder that validates and tests; by default the first of ``roots``.
        roots: the folders to train on; by default ``root`` alone.

    Returns:
        The folder that validates and tests, and those to train on.
    """
    first = root if root is not None else [*(roots or ()), DEFAULT_ROOT][0]
    return first, list(roots) if roots else [first]
