"""The orientation that EXIF data and TIFF files state: how the stored rows and columns are to be turned.

The numbers are those of the TIFF tag Orientation (TIFF 6.0, section 8), which EXIF uses as well.
"""

import struct
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy.typing as npt
import tifffile

UPRIGHT = 1
"""The orientation of an image whose rows and columns are displayed as they are stored."""

_TAG = 274
_EXIF_PREFIX = b"Exif\0\0"
_LARGEST_EXIF = 1 << 20
_PNG_SIGNATURE, _PNG_CHECKSUM = 8, 4  # bytes
_SIDEWAYS = (5, 6, 7, 8)


def oriented(pixels: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Turn and mirror an image so that it is upright.

    Args:
        pixels: (H, W) or (H, W, …) as stored.
        orientation: value of the tag Orientation, from 1 to 8; any other value leaves the image as it is.

    Returns:
        A view of the pixels; (W, H, …) if [`is_sideways`][].

    Examples:
        >>> import numpy as np
        >>> oriented(np.array([[1, 2, 3]]), 6).tolist()
        [[1], [2], [3]]
    """
    if is_sideways(orientation):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def is_sideways(orientation: int) -> bool:
    """Return whether rows are stored as columns.

    Args:
        orientation: value of the tag Orientation.
    """
    return orientation in _SIDEWAYS


def tiff_orientation(page: tifffile.TiffPage) -> int:
    """Return the orientation of a page of a TIFF; 1 if the page does not state a valid one.

    Args:
        page: the page, which must have tags of its own.
    """
    return _valid(page.tags.valueof(_TAG))


def exif_orientation(data: bytes) -> int:
    """Return the orientation in a block of EXIF data; 1 if there is none or the block is damaged.

    Args:
        data: the block, with or without the prefix ``Exif``.
    """
    from PIL.Image import Exif

    exif = Exif()
    # Damaged EXIF data say nothing about the pixels, and can cause an error of any type.
    with warnings.catch_warnings(), suppress(Exception):
        warnings.simplefilter("ignore")
        exif.load(data.removeprefix(_EXIF_PREFIX))
        return _valid(exif.get(_TAG))
    return UPRIGHT


def png_orientation(path: Path) -> int:
    """Return the orientation in the chunk eXIf of a PNG, without decoding the image.

    Pillow would decode it, because the chunk may follow the pixels.

    Args:
        path: the PNG file; its signature is not checked.

    Returns:
        The orientation; 1 if the file does not state a valid one.
    """
    with path.open("rb") as file:
        file.seek(_PNG_SIGNATURE)
        while len(head := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            if kind == b"eXIf":
                return exif_orientation(file.read(min(length, _LARGEST_EXIF)))
            file.seek(length + _PNG_CHECKSUM, 1)
    return UPRIGHT


def _valid(value: object) -> int:
    return value if isinstance(value, int) and 1 <= value <= 8 else UPRIGHT
