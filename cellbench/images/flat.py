"""Opens PNG, JPEG, BMP, GIF, WebP and JPEG 2000 files."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from cellbench.errors import ImageError
from cellbench.images.code_streams import check_expansion, check_stream, declared_sizes
from cellbench.images.opened import OpenedImage, Pixels, check_size
from cellbench.images.orientation import exif_orientation, png_orientation

_WEBP_HEADER = 64  # bytes


@contextmanager
def open_png(path: Path) -> Iterator[OpenedImage]:
    """Open a PNG file, also one with 16 bits.

    Args:
        path: the file.

    Yields:
        The image.
    """
    from PIL.PngImagePlugin import PngImageFile

    with PngImageFile(path) as image:
        decode = partial(_decode_png, path, image.size)
        yield OpenedImage(path, image.size[::-1], decode, png_orientation(path))


@contextmanager
def open_jpeg(path: Path) -> Iterator[OpenedImage]:
    """Open a JPEG file; CMYK becomes RGB.

    Args:
        path: the file.

    Yields:
        The image.
    """
    from PIL.JpegImagePlugin import JpegImageFile

    with JpegImageFile(path) as image:
        yield _with_pillow(path, image)


@contextmanager
def open_bmp(path: Path) -> Iterator[OpenedImage]:
    """Open a BMP file; a palette becomes RGB.

    Args:
        path: the file.

    Yields:
        The image.
    """
    from PIL.BmpImagePlugin import BmpImageFile

    with BmpImageFile(path) as image:
        yield _with_pillow(path, image)


@contextmanager
def open_gif(path: Path) -> Iterator[OpenedImage]:
    """Open a GIF file with one frame; its palette becomes RGB.

    Args:
        path: the file.

    Yields:
        The image.

    Raises:
        ImageError: if the file is an animation.
    """
    from PIL.GifImagePlugin import GifImageFile

    with GifImageFile(path) as image:
        # The search for a second frame needs memory for the first.
        check_size(path, *image.size[::-1])
        _check_frames(path, image)
        yield _with_pillow(path, image)


@contextmanager
def open_webp(path: Path) -> Iterator[OpenedImage]:
    """Open a WebP file with one frame.

    Args:
        path: the file.

    Yields:
        The image.

    Raises:
        ImageError: if the file is an animation.
    """
    from PIL.WebPImagePlugin import WebPImageFile

    with path.open("rb") as file:
        head = file.read(_WEBP_HEADER)
    for found in declared_sizes(tifffile.COMPRESSION.WEBP, head):
        # Pillow requests memory for the whole image when it opens the file.
        check_size(path, found.height, found.width)
        check_expansion(found.height * found.width, path.stat().st_size)
    with WebPImageFile(path) as image:
        _check_frames(path, image)
        yield _with_pillow(path, image)


@contextmanager
def open_jpeg2000(path: Path) -> Iterator[OpenedImage]:
    """Open a JPEG 2000 file (JP2, or the code stream alone), also one with 16 bits.

    Args:
        path: the file.

    Yields:
        The image.

    Raises:
        ImageError: if the file does not state its size.
    """
    data = path.read_bytes()
    kind = tifffile.COMPRESSION.JPEG2000
    size = next(iter(declared_sizes(kind, data)), None)
    if size is None:
        raise ImageError(f"{path}: cannot be read as an image (no size); copy or save it again")
    shape = (size.height, size.width, size.channels)

    def decode() -> tuple[Pixels, int | None]:
        import imagecodecs

        check_expansion(size.height * size.width * size.channels, len(data))
        check_stream(kind, data, shape)
        array: Pixels = imagecodecs.jpeg2k_decode(data)
        if array.ndim == 3 and (array.shape[2] == 4 or _names_alpha(data)):
            return array, array.shape[2] - 1
        return array, None

    yield OpenedImage(path, shape, decode)


def _names_alpha(data: bytes) -> bool:
    """Return whether the box of channel definitions (ISO 15444-1, I.5.3.6) names an opacity as the last."""
    start = data.find(b"cdef", 0, data.find(b"jp2c")) + len(b"cdef")
    if start < len(b"cdef"):
        return False
    (count,) = struct.unpack_from(">H", data, start)
    last = struct.unpack_from(">HHH", data, start + 6 * count - 4)
    return last[:2] == (count - 1, 1)


def _check_frames(path: Path, image: Any) -> None:  # noqa: ANN401 (Pillow is imported only when needed)
    if image.is_animated:
        raise ImageError(
            f"{path}: contains a stack of several frames; save each frame as a file of its own"
        )


def _with_pillow(path: Path, image: Any) -> OpenedImage:  # noqa: ANN401
    orientation = exif_orientation(image.info.get("exif", b""))
    return OpenedImage(path, image.size[::-1], partial(_decode_pillow, path, image), orientation)


def _decode_pillow(path: Path, image: Any) -> tuple[Pixels, int | None]:  # noqa: ANN401
    width, height = image.size
    check_expansion(height * width, path.stat().st_size)
    return np.array(image.convert("L" if image.mode in ("1", "L") else "RGB")), None


def _decode_png(path: Path, size: tuple[int, int]) -> tuple[Pixels, int | None]:
    import imagecodecs

    check_expansion(size[0] * size[1], path.stat().st_size)
    array: Pixels = imagecodecs.png_decode(path.read_bytes())
    with_alpha = array.ndim == 3 and array.shape[2] in (2, 4)
    return array, array.shape[2] - 1 if with_alpha else None
