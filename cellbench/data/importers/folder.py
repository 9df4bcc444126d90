"""Any folder of images with a folder of label maps, as Cellpose, Omnipose and the challenge name them."""

from pathlib import Path

from cellbench.data.importers.base import LABEL_SUFFIXES, ForeignDataset, subfolder
from cellbench.errors import DatasetError
from cellbench.files import files_by_stem
from cellbench.images import image_files

_ENDINGS = ("", "_masks", "_label")


def read_folder(source: Path, images: str = "images", labels: str = "labels") -> ForeignDataset:
    """Pair images with the label maps ``<stem>_label.*``, ``<stem>_masks.*`` or ``<stem>.*``.

    Args:
        source: the folder that contains both.
        images: the folder of images, relative to ``source``.
        labels: the folder of label maps, relative to ``source``: TIFF or PNG, 8 to 32 bits.

    Raises:
        CellbenchError: if a folder is missing, both are the same, or two files share a stem.
    """
    image_folder = subfolder(source, images, "images")
    label_folder = subfolder(source, labels, "labels")
    if image_folder.samefile(label_folder):
        raise DatasetError(f"{label_folder}: images and label maps must be in two folders")
    found = image_files(image_folder)
    maps: dict[str, Path] = {}
    for ending in _ENDINGS:  # the most telling name comes last and wins
        maps |= files_by_stem(label_folder, LABEL_SUFFIXES, DatasetError, ending)
    foreign = ForeignDataset()
    foreign.add_pairs(found, maps)
    return foreign
