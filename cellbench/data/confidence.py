"""How sure each pixel of a label map is that a model made: ``<split>/confidence/<stem>_confidence.tiff``.

The file is an image of 8 bits. 0 means that the pixel is ignored in training: nothing is learnt from it.
Other values are the probability of what the label map says there, cell or background, from 1 to 255 for 0
to 1. Label maps without such a file are used completely.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from cellbench.errors import LabelMapError
from cellbench.files import written_whole
from cellbench.labels import read_labels

FOLDER = "confidence"
"""Name of the folder in a split."""
IGNORED = 0
"""The value of pixels from which nothing is learnt."""

Confidence = npt.NDArray[np.uint8]


def confidence_path(split: Path, stem: str) -> Path:
    """Return the path of the confidence of an image.

    Args:
        split: folder of the split.
        stem: stem of the image.
    """
    return split / FOLDER / f"{stem}_confidence.tiff"


def read_confidence(path: Path) -> Confidence:
    """Read how sure each pixel is.

    Args:
        path: the TIFF file.

    Returns:
        (H, W) values from 0 (ignored) to 255.

    Raises:
        LabelMapError: if the file cannot be read, or a value is above 255.
    """
    values = read_labels(path)
    if values.max(initial=0) > np.iinfo(np.uint8).max:
        raise LabelMapError(f"{path}: values must be from 0 to 255; save it with 8 bits")
    return values.astype(np.uint8)


def write_confidence(path: Path, confidence: Confidence) -> None:
    """Write how sure each pixel is, as TIFF with zlib compression; completely or not at all.

    Args:
        path: the file to write; its folder is created if it does not exist.
        confidence: (H, W) values from 0 (ignored) to 255.

    Raises:
        CellbenchError: if the file cannot be written.
    """
    import tifffile

    with written_whole(path) as temporary:
        tifffile.imwrite(temporary, confidence, compression="zlib", metadata=None)
