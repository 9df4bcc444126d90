"""Decoders of label maps: TIFF in bands where the file allows it, and PNG; and the formats of all files."""

import math
import re
import struct
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from cellbench.errors import InvalidLabelsError, LabelMapError
from cellbench.files import tiff_faults_raised
from cellbench.images.code_streams import check_expansion, check_segment, check_tile
from cellbench.images.orientation import UPRIGHT, oriented, png_orientation, tiff_orientation
from cellbench.labels.arrays import (
    array_in_bands,
    open_matlab,
    open_npy,
    open_npz,
    refuse_hdf5,
    stored_bands,
)
from cellbench.labels.banded import BandedLabels, Bands, as_ids, band_rows, in_bands
from cellbench.labels.headers import check_size, checked_plane, faults_named
from cellbench.labels.maps import LabelMap
from cellbench.labels.planes import Plane, gray_of_colours

# By colour type.
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PNG_PALETTE = 3

_LOSSY = (tifffile.COMPRESSION.OJPEG, tifffile.COMPRESSION.JPEG, tifffile.COMPRESSION.JPEG_LOSSY)

# ImageJ and tifffile note in this way that a page contains several planes.
_IMAGEJ_STACK = re.compile(r"^ImageJ=.*?^images=(\d+)", re.MULTILINE | re.DOTALL)
_TIFFFILE_STACK = re.compile(r'^{.*?"shape": \[(\d+(?:, \d+)*)\]', re.MULTILINE)


def _open_tiff(path: Path) -> BandedLabels:
    # Numbers in damaged tags cause NumPy warnings.
    with np.errstate(all="ignore"), tiff_faults_raised(), tifffile.TiffFile(path) as file:
        _check_pages(path, file)
        page = file.pages.first
        if page.compression in _LOSSY:
            raise InvalidLabelsError(
                f"{path}: is compressed with JPEG, which changes the ids; save it with LZW or Deflate "
                "instead"
            )
        plane, dtype = checked_plane(path, page.shape, page.dtype)
        check_size(path, page.chunks[:2])
        check_tile(page)
        segments = list(zip(page.dataoffsets, page.databytecounts, strict=False))
        if len(segments) != math.prod(page.chunked):
            raise LabelMapError(f"{path}: some strips or tiles are missing; save it again")
        separate = page.planarconfig == tifffile.PLANARCONFIG.SEPARATE
        if plane.channels > 1 and (separate or page.samplesperpixel != plane.channels):
            raise InvalidLabelsError(
                f"{path}: contains {page.samplesperpixel} channels; save a single label map (H, W)"
            )
        plain = page.is_memmappable and page.dataoffsets[0] > 0
        if plain:
            segments = [(page.dataoffsets[0], page.nbytes)]
        if any(sum(segment) > path.stat().st_size for segment in segments):
            raise LabelMapError(f"{path}: the file is truncated; copy or save it again")
    bands: Bands = partial(_segment_bands, path, page, segments, plane, dtype)
    if plain:
        opened, stored = lambda: path.open("rb"), page.dtype.newbyteorder(file.byteorder)
        bands = partial(stored_bands, path, opened, page.dataoffsets[0], plane, stored)
    labels = BandedLabels(path, plane[:2], dtype, bands)
    orientation = tiff_orientation(page)
    return (
        labels if orientation == UPRIGHT else in_bands(oriented(labels.whole(), orientation), path)
    )


def _check_pages(path: Path, file: tifffile.TiffFile) -> None:
    """Refuse stacks.

    tifffile's own ``series`` is not used here: with a damaged file it may never return.
    """
    offsets = {file.pages.first.offset} if file.pages else set()
    for page in islice(file.pages, 1, None):
        # Smaller copies of the first page, and no circular list of pages.
        if page.offset in offsets or not page.is_reduced:
            raise InvalidLabelsError(
                f"{path}: contains more than one page; save a single label map (H, W)"
            )
        offsets.add(page.offset)
    if not file.pages:
        raise ValueError("it contains no page")
    page = file.pages.first
    about = f"{page.description}\n{page.description1}"
    pixels = [int(images) * page.size for images in _IMAGEJ_STACK.findall(about)]
    pixels += [math.prod(map(int, shape.split(","))) for shape in _TIFFFILE_STACK.findall(about)]
    if any(more > page.size for more in pixels):
        raise InvalidLabelsError(
            f"{path}: contains a stack of images in one page; save a single label map (H, W)"
        )


def _segment_bands(
    path: Path,
    page: tifffile.TiffPage,
    segments: Sequence[tuple[int, int]],
    plane: Plane,
    dtype: np.dtype[Any],
    rows: int | None = None,
) -> Iterator[LabelMap]:
    """Decode the strips or tiles of a TIFF in their order and yield bands of whole rows."""
    height, width, channels = plane
    rows = band_rows((height, width), rows, multiple=page.chunks[0])
    with faults_named(path), path.open("rb") as file:
        top, band = 0, np.empty((min(rows, height), width), dtype)
        for index, (offset, size) in enumerate(segments):
            file.seek(offset)
            data = file.read(size) if offset and size else None  # an empty segment
            if data and page.compression != tifffile.COMPRESSION.NONE:
                check_segment(page, data)
            pixels, (_, _, row, column, _), (_, length, breadth, _) = page.decode(
                data, index, jpegtables=page.jpegtables, jpegheader=page.jpegheader
            )
            if row >= top + rows:
                yield band
                top += rows
                band = np.empty((min(rows, height - top), width), dtype)
            place = band[row - top : row - top + length, column : column + breadth]
            if pixels is None:
                place[:] = page.nodata
                continue
            pixels = pixels[0, : place.shape[0], : place.shape[1]]
            gray = gray_of_colours(pixels, path) if channels > 1 else pixels[..., 0]
            part = as_ids(gray, dtype, path)
            if part.shape == band.shape:  # one large strip is not copied
                band = part
            else:
                place[:] = part
        yield band


def _open_png(path: Path) -> BandedLabels:
    with path.open("rb") as file:
        header = file.read(26)
    width, height, bits, colour = struct.unpack(">IIBB", header[16:])
    shape = (height, width, _PNG_CHANNELS[colour])
    checked_plane(path, shape, np.uint16 if bits == 16 else np.uint8)
    check_expansion(height * width, path.stat().st_size)
    if colour == _PNG_PALETTE:
        return in_bands(oriented(_palette_indices(path), png_orientation(path)), path)
    import imagecodecs

    pixels = imagecodecs.png_decode(path.read_bytes())
    return array_in_bands(oriented(pixels, png_orientation(path)), path)


def _palette_indices(path: Path) -> LabelMap:
    """Return the indices of a PNG with a palette: they are the ids, and the colours only show them."""
    from PIL.PngImagePlugin import PngImageFile

    # Image.open would limit the number of pixels, which was checked above.
    with path.open("rb") as file, PngImageFile(file) as image:
        return np.asarray(image)


OPENERS: dict[bytes, Callable[[Path], BandedLabels]] = {
    **dict.fromkeys((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), _open_tiff),
    b"\x89PNG\r\n\x1a\n": _open_png,
    b"\x93NUMPY": open_npy,
    b"PK\x03\x04": open_npz,
    b"MATLAB 5": open_matlab,
    **dict.fromkeys((b"MATLAB 7", b"\x89HDF\r\n\x1a\n"), refuse_hdf5),
}
"""First bytes of a file, and the function that opens it."""
