"""Reading of images: any microscopy file as (H, W, 3), with the challenge's normalisation."""

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cellbench.errors import ImageError
from cellbench.files import tiff_faults_raised
from cellbench.images.formats import opener_of
from cellbench.images.normalisation import normalise
from cellbench.images.opened import OpenedImage

_UNCLEAR = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, NameError, TypeError),
    struct.error,
)
"""Errors whose text is about the code of a decoder, not about the file."""


def read_image(path: str | Path) -> npt.NDArray[np.float32]:
    """Read an image with the challenge's normalisation.

    Args:
        path: image file in any format that [`read_raw`][] reads.

    Returns:
        (H, W, 3) in [0, 1].

    Raises:
        ImageError: as [`read_raw`][].
    """
    return np.divide(normalise(read_raw(path)), 255, dtype=np.float32)


def image_shape(path: str | Path) -> tuple[int, int]:
    """Read the size of an image from its header, without decoding the pixels.

    Args:
        path: image file in any format that [`read_raw`][] reads.

    Returns:
        Height and width in pixels, of the image as [`read_raw`][] returns it.

    Raises:
        ImageError: as [`read_raw`][], but damage after the header is not noticed.
    """
    with _opened(Path(path)) as image:
        return image.size()


def read_raw(path: str | Path) -> npt.NDArray[Any]:
    """Read the channels of an image as they are stored.

    An alpha channel is dropped, palettes and CMYK JPEG are converted to RGB, and of more than three
    channels the first three are kept, as in the challenge's pre_process_3class.py. TIFF files with the
    channels first are transposed; of a pyramid or a slide the full resolution is read. The orientation
    that EXIF data or the TIFF tag Orientation state is applied. TIFF files in which 0 is white
    (MINISWHITE) are not inverted and CMYK TIFF is not converted, as in the official script.

    Args:
        path: TIFF (any compression, BigTIFF, tiled; also LSM, STK, SVS, NDPI, SCN and other slides), PNG,
            JPEG, BMP, GIF, WebP or JPEG 2000 file, or, with ``cellbench[formats]``, CZI, ND2 or LIF. The
            format is recognised by the content of the file, not by its name.

    Returns:
        (H, W, C) with C from 1 to 3, of the same type as in the file; 1-bit TIFF is boolean.

    Raises:
        ImageError: if the file is absent, empty or damaged, has another format, contains several images
            (a stack, a time series, scenes), has complex values or no pixels, is larger than
            [`cellbench.files.max_pixels`][], or needs a package that is not installed.
    """
    pixels, alpha = read_channels(path)
    return pixels[..., :alpha][..., :3]


def read_channels(path: str | Path) -> tuple[npt.NDArray[Any], int | None]:
    """Read all channels of an image as they are stored; otherwise like [`read_raw`][].

    Args:
        path: image file in any format that [`read_raw`][] reads.

    Returns:
        (H, W, C) of the same type as in the file, and the place of the alpha channel; None if there is
        none.

    Raises:
        ImageError: as [`read_raw`][].
    """
    path = Path(path)
    with _opened(path) as image:
        array, alpha = image.pixels()
    if array.dtype.kind not in "buif":
        raise ImageError(
            f"{path}: has pixels of type {array.dtype}; save them as integers or floats"
        )
    return (array[..., None], None) if array.ndim == 2 else (array, alpha)


@contextmanager
def _opened(path: Path) -> Iterator[OpenedImage]:
    """Open an image file; its pixels are not read yet.

    Any error of a decoder, here or in the block, becomes an ImageError.
    """
    if not path.exists():
        raise ImageError(f"{path}: no such file; check the path")
    if path.is_dir():
        raise ImageError(f"{path}: is a folder; name an image file")
    if not path.is_file():  # a pipe would wait for somebody to write to it
        raise ImageError(f"{path}: is not a regular file; copy the image to a regular file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with tiff_faults_raised(), opener_of(path)(path) as image:
                yield image
    except ImageError:
        raise
    except Exception as error:  # a damaged file can cause an error of any type
        reason = " ".join(str(error).split())
        if isinstance(error, _UNCLEAR) or not reason:
            reason = "the file is damaged or incomplete"
        raise ImageError(
            f"{path}: cannot be read as an image ({reason}); copy or save it again"
        ) from error
