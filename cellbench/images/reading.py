"""Reading of images: any microscopy file as (H, W, 3), with the challenge's normalisation."""

import math
import unicodedata
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from cellbench.errors import ImageError
from cellbench.files import files_by_stem, max_pixels, tiff_faults_raised
from cellbench.images.code_streams import check_expansion, check_segment, check_tile
from cellbench.images.normalisation import normalise

SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp")
"""Extensions of image files, lower case."""

_MOST_CHANNELS_LAST = 16
_MOST_CHANNELS_FIRST = 4
_ALPHA = (tifffile.EXTRASAMPLE.ASSOCALPHA, tifffile.EXTRASAMPLE.UNASSALPHA)


def image_stem(name: str) -> str:
    """Return the stem of an image: its name without the extension of an image file.

    Args:
        name: file name, or a stem.

    Example:
        >>> image_stem("a.b.TIF"), image_stem("a.b")
        ('a.b', 'a.b')
    """
    name = unicodedata.normalize("NFC", name)  # in the same form as the stems of files
    stem, dot, extension = name.rpartition(".")
    return stem if dot + extension.lower() in SUFFIXES else name


def image_files(folder: str | Path) -> dict[str, Path]:
    """Find the images in a folder.

    Args:
        folder: the folder; its subfolders are ignored.

    Returns:
        Stem (the file name without its last extension) to path, sorted.

    Raises:
        ImageError: if the folder is absent or two images share a stem.
    """
    return files_by_stem(folder, SUFFIXES, ImageError)


def read_image(path: str | Path) -> npt.NDArray[np.float32]:
    """Read an image with the challenge's normalisation.

    Args:
        path: TIFF, PNG, JPEG or BMP file; see :func:`read_raw`.

    Returns:
        (H, W, 3) in [0, 1].

    Raises:
        ImageError: as :func:`read_raw`.
    """
    return np.divide(normalise(read_raw(path)), 255, dtype=np.float32)


def image_shape(path: str | Path) -> tuple[int, int]:
    """Read the size of an image from its header, without decoding the pixels.

    Args:
        path: TIFF, PNG, JPEG or BMP file.

    Returns:
        Height and width in pixels.

    Raises:
        ImageError: as :func:`read_raw`, but damage after the header is not noticed.
    """
    with _opened(Path(path)) as file:
        if isinstance(file, tifffile.TiffFile):
            series, order = _tiff_layout(Path(path), file)
            height, width = series.shape[order[0]], series.shape[order[1]]
        else:
            width, height = file.size
        return int(height), int(width)


def read_raw(path: str | Path) -> npt.NDArray[Any]:
    """Read the channels of an image as they are stored.

    An alpha channel is dropped, palettes and CMYK JPEG are converted to RGB, and of more than three
    channels the first three are kept, as in the challenge's pre_process_3class.py. TIFF files with the
    channels first are transposed; of a pyramid the full resolution is read. TIFF files in which 0 is
    white (MINISWHITE) are not inverted and CMYK TIFF is not converted, as in the official script.

    Args:
        path: TIFF (any compression, BigTIFF, tiled), PNG, JPEG or BMP file; its format is recognised by
            its content, not by its name.

    Returns:
        (H, W, C) with C from 1 to 3, of the same type as in the file; 1-bit TIFF is boolean.

    Raises:
        ImageError: if the file is absent, empty or damaged, has another format, is a stack of pages,
            has complex values or no pixels, or is larger than :func:`cellbench.files.max_pixels`.
    """
    pixels, alpha = read_channels(path)
    return pixels[..., :alpha][..., :3]


def read_channels(path: str | Path) -> tuple[npt.NDArray[Any], int | None]:
    """Read all channels of an image as they are stored; otherwise like :func:`read_raw`.

    Args:
        path: TIFF, PNG, JPEG or BMP file.

    Returns:
        (H, W, C) of the same type as in the file, and the place of the alpha channel; None if there is
        none.

    Raises:
        ImageError: as :func:`read_raw`.
    """
    path = Path(path)
    with _opened(path) as file:
        array, alpha = (
            _decode_tiff(path, file)
            if isinstance(file, tifffile.TiffFile)
            else _decode_flat(path, file)
        )
    if array.dtype.kind not in "buif":
        raise ImageError(
            f"{path}: has pixels of type {array.dtype}; save them as integers or floats"
        )
    return (array[..., None], None) if array.ndim == 2 else (array, alpha)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open an image file as a TiffFile or a Pillow image; its pixels are not read yet.

    Any error of a decoder, here or in the block, becomes an ImageError.
    """
    if not path.exists():
        raise ImageError(f"{path}: no such file; check the path")
    if path.is_dir():
        raise ImageError(f"{path}: is a folder; name an image file")
    if not path.is_file():  # a pipe would wait for somebody to write to it
        raise ImageError(f"{path}: is not a regular file; copy the image to a regular file")
    try:
        with path.open("rb") as stream:
            head = stream.read(8)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with tiff_faults_raised(), _opener(path, head)(path) as file:
                yield file
    except ImageError:
        raise
    except Exception as error:  # a damaged file can cause an error of any type
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ImageError(
            f"{path}: cannot be read as an image ({reason}); copy or save it again"
        ) from error


def _opener(path: Path, head: bytes) -> Callable[[Path], Any]:
    """Return the class that opens the file. Pillow's Image.open is avoided for its own size limit."""
    from PIL.BmpImagePlugin import BmpImageFile
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile

    if not head:
        raise ImageError(f"{path}: the file is empty; copy or save it again")
    openers: dict[bytes, Callable[[Path], Any]] = {
        **dict.fromkeys((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), tifffile.TiffFile),
        b"\x89PNG\r\n\x1a\n": PngImageFile,
        b"\xff\xd8\xff": JpegImageFile,
        b"BM": BmpImageFile,
    }
    for signature, opener in openers.items():
        if head.startswith(signature):
            return opener
    raise ImageError(f"{path}: not a TIFF, PNG, JPEG or BMP file; export it as OME-TIFF")


def _check_size(path: Path, height: int, width: int, channels: int = 1) -> None:
    if height * width * channels == 0:
        raise ImageError(f"{path}: has no pixels; copy or save it again")
    # Only channels beyond four count, so that the limit is the same for every format.
    if height * width * max(1, channels / 4) > max_pixels():
        size = f"{height} × {width} px in {channels} channels"
        raise ImageError(
            f"{path}: its header declares {size}, more than the limit of {max_pixels()} px; if this is "
            "correct, set the environment variable CELLBENCH_MAX_PIXELS"
        )


def _decode_flat(path: Path, image: Any) -> tuple[npt.NDArray[Any], int | None]:  # noqa: ANN401 (Pillow is imported only when needed)
    width, height = image.size
    _check_size(path, height, width)
    check_expansion(height * width, path.stat().st_size)
    if image.format != "PNG":
        return np.array(image.convert("L" if image.mode in ("1", "L") else "RGB")), None
    import imagecodecs

    array: npt.NDArray[Any] = imagecodecs.png_decode(path.read_bytes())
    with_alpha = array.ndim == 3 and array.shape[2] in (2, 4)
    return array, array.shape[2] - 1 if with_alpha else None


def _decode_tiff(path: Path, file: tifffile.TiffFile) -> tuple[npt.NDArray[Any], int | None]:
    series, order = _tiff_layout(path, file)
    shape = [series.shape[axis] for axis in order]
    _check_size(path, *shape)
    page = series.keyframe
    _check_size(path, *page.chunks[:2])
    if page.compression != tifffile.COMPRESSION.NONE:
        _check_segments(path, series)
    array: npt.NDArray[Any] = series.asarray()
    singletons = [axis for axis in range(array.ndim) if axis not in order]
    array = array.transpose(*order, *singletons).reshape(shape)
    if page.photometric == tifffile.PHOTOMETRIC.PALETTE and array.ndim == 2:
        # Some programs write 8-bit colours instead of 16; libtiff recognises them in this way.
        colours = page.colormap >> 8 if page.colormap.max() > 255 else page.colormap
        array = np.take(colours.T.astype(np.uint8), array, axis=0)
    alpha = [place for place, kind in enumerate(page.extrasamples) if kind in _ALPHA]
    if alpha and array.ndim == 3:
        return array, page.samplesperpixel - len(page.extrasamples) + alpha[0]
    return array, None


def _check_segments(path: Path, series: tifffile.TiffPageSeries) -> None:
    """Find what decoders do not: truncated files, LZW that would crash, streams that are too large."""
    for page in series.pages:
        first = page.keyframe  # the other pages of a series know only where their pixels are
        check_tile(first)
        file = page.parent.filehandle
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
            if offset + count > file.size:
                raise ImageError(f"{path}: the file is truncated; copy or save it again")
            if count:
                file.seek(offset)
                check_segment(first, file.read(count))


def _check_pages(path: Path, file: tifffile.TiffFile) -> None:
    """Find damage that makes tifffile's series run forever: circular lists of pages, invalid sizes."""
    offsets = set()
    for page in file.pages:
        if page.offset in offsets:
            raise ImageError(
                f"{path}: corrupt TIFF, the list of pages is circular; copy or save it again"
            )
        sides = (*page.shape, *page.chunks)
        if not all(isinstance(side, int) and side >= 0 for side in sides):
            raise ImageError(
                f"{path}: corrupt TIFF, a width or height is not a number; copy or save it again"
            )
        offsets.add(page.offset)


def _tiff_layout(path: Path, file: tifffile.TiffFile) -> tuple[Any, list[int]]:
    """Return the only series of a TIFF and the axes that are rows, columns and, if any, channels."""
    _check_pages(path, file)
    full = [series for series in file.series if not series.keyframe.is_reduced] or file.series
    if not full or any(0 in series.shape for series in full):
        raise ImageError(f"{path}: has no pixels; copy or save it again")
    if len(full) == 1:
        shape, axes = full[0].shape, full[0].axes
        kept = [axis for axis, size in enumerate(shape) if size != 1 or axes[axis] in "YX"]
        names = "".join(axes[axis] for axis in kept)
        if names == "QYX":  # tifffile.imwrite without named axes
            first, middle, last = (shape[axis] for axis in kept)
            if last <= _MOST_CHANNELS_LAST and last < min(first, middle):
                return full[0], kept
            if first <= _MOST_CHANNELS_FIRST:
                return full[0], [*kept[1:], kept[0]]
        elif "".join(sorted(names)) in ("XY", "CXY", "SXY"):
            return full[0], sorted(kept, key=lambda axis: "YXCS".index(axes[axis]))
    pages = sum(
        math.prod(size for axis, size in zip(one.axes, one.shape, strict=True) if axis not in "YXS")
        for one in full
    )
    shapes = ", ".join(f"{one.axes} {one.shape}" for one in full[:3])
    raise ImageError(
        f"{path}: contains a stack of {pages} pages ({shapes}); save each page as a file of its own, or "
        "channels with the axes 'CYX'"
    )
