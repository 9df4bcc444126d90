"""Decoders of label maps: TIFF, PNG, NPY and NPZ, in bands where the file allows it."""

import io
import math
import re
import struct
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import tifffile

from cellbench.errors import CellbenchError, InvalidLabelsError, LabelMapError
from cellbench.files import max_pixels, tiff_faults_raised
from cellbench.images.code_streams import check_expansion, check_segment, check_tile
from cellbench.images.orientation import UPRIGHT, oriented, png_orientation, tiff_orientation
from cellbench.labels.banded import BandedLabels, Bands, as_ids, band_rows, checked_type, in_bands
from cellbench.labels.maps import LabelMap

_LONGEST_REASON = 120
_NPY_HEADER_BYTES = 1 << 14  # NumPy refuses longer ones; an archive may unpack to a huge one
# By colour type; the colours of a palette are not ids.
_PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}

# ImageJ and tifffile note in this way that a page contains several planes.
_IMAGEJ_STACK = re.compile(r"^ImageJ=.*?^images=(\d+)", re.MULTILINE | re.DOTALL)
_TIFFFILE_STACK = re.compile(r'^{.*?"shape": \[(\d+(?:, \d+)*)\]', re.MULTILINE)

_Opened = Callable[[], AbstractContextManager[IO[bytes]]]


@contextmanager
def faults_named(path: Path) -> Iterator[None]:
    """Turn any error of a decoder into a LabelMapError that names the file.

    Args:
        path: the file that is read in the block.

    Raises:
        LabelMapError: if the block raises anything.
    """
    try:
        yield
    except CellbenchError:
        raise
    except FileNotFoundError as error:
        raise LabelMapError(f"{path}: no such file; check the path") from error
    except Exception as error:
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        # Some decoders quote kilobytes of what they could not read.
        reason = " ".join(text.split())[:_LONGEST_REASON] or type(error).__name__
        denied = isinstance(error, PermissionError)
        advice = "check its permissions" if denied else "copy or save it again"
        raise LabelMapError(
            f"{path}: cannot be read as a label map ({reason}); {advice}"
        ) from error


def _checked(path: Path, shape: tuple[int, ...], dtype: npt.DTypeLike) -> np.dtype[Any]:
    """Check the shape and type in a header, before anything is decoded."""
    _check_size(path, shape)
    return checked_type(shape, dtype, path)


def _check_size(path: Path, shape: tuple[int, ...]) -> None:
    if not all(isinstance(side, int) for side in shape):  # a tag with many values is a tuple
        raise ValueError("a width or height in its header is not a number")
    if (pixels := math.prod(shape)) > max_pixels():
        raise LabelMapError(
            f"{path}: its header declares {pixels} px, more than the limit of {max_pixels()}; if this is "
            "correct, set the environment variable CELLBENCH_MAX_PIXELS"
        )


def _open_tiff(path: Path) -> BandedLabels:
    # Numbers in damaged tags cause NumPy warnings.
    with np.errstate(all="ignore"), tiff_faults_raised(), tifffile.TiffFile(path) as file:
        _check_pages(path, file)
        page = file.pages.first
        dtype = _checked(path, page.shape, page.dtype)
        _check_size(path, page.chunks)
        check_tile(page)
        segments = list(zip(page.dataoffsets, page.databytecounts, strict=False))
        if len(segments) != math.prod(page.chunked):
            raise LabelMapError(f"{path}: some strips or tiles are missing; save it again")
        plain = page.is_memmappable and page.dataoffsets[0] > 0
        if plain:
            segments = [(page.dataoffsets[0], page.nbytes)]
        if any(sum(segment) > path.stat().st_size for segment in segments):
            raise LabelMapError(f"{path}: the file is truncated; copy or save it again")
    bands: Bands = partial(_segment_bands, path, page, segments, dtype)
    if plain:
        opened, stored = lambda: path.open("rb"), page.dtype.newbyteorder(file.byteorder)
        bands = partial(_stored_bands, path, opened, page.dataoffsets[0], page.shape, stored)
    labels = BandedLabels(path, page.shape, dtype, bands)
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
    dtype: np.dtype[Any],
    rows: int | None = None,
) -> Iterator[LabelMap]:
    """Decode the strips or tiles of a TIFF in their order and yield bands of whole rows."""
    height, width = page.shape
    rows = band_rows(page.shape, rows, multiple=page.chunks[0])
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
            part = as_ids(pixels[0, : place.shape[0], : place.shape[1], 0], dtype, path)
            if part.shape == band.shape:  # one large strip is not copied
                band = part
            else:
                place[:] = part
        yield band


def _open_png(path: Path) -> BandedLabels:
    with path.open("rb") as file:
        header = file.read(26)
    width, height, bits, colour = struct.unpack(">IIBB", header[16:])
    channels = () if _PNG_CHANNELS[colour] == 1 else (_PNG_CHANNELS[colour],)
    _checked(path, (height, width, *channels), np.uint16 if bits == 16 else np.uint8)
    check_expansion(height * width, path.stat().st_size)
    import imagecodecs

    pixels = imagecodecs.png_decode(path.read_bytes())
    return in_bands(oriented(pixels, png_orientation(path)), path)


def _open_npz(path: Path) -> BandedLabels:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    if len(members) != 1:
        raise InvalidLabelsError(f"{path}: contains {len(members)} arrays; save a single label map")
    # NumPy writes no others, and zipfile would unpack them without a limit.
    if members[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise LabelMapError(f"{path}: unsupported compression; save it with numpy.savez_compressed")

    @contextmanager
    def opened() -> Iterator[IO[bytes]]:
        with zipfile.ZipFile(path) as archive, archive.open(members[0]) as member:
            yield member

    return _open_array(path, opened)


def _open_npy(path: Path) -> BandedLabels:
    return _open_array(path, lambda: path.open("rb"))


def _open_array(path: Path, opened: _Opened) -> BandedLabels:
    """Read the header of an NPY file or of a member of an archive; pickles are never loaded."""
    with opened() as stream:
        head = io.BytesIO(stream.read(_NPY_HEADER_BYTES))
    old = np.lib.format.read_magic(head) == (1, 0)
    read_header = (
        np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0
    )
    with warnings.catch_warnings():  # about headers that Python 2 wrote
        warnings.simplefilter("ignore")
        shape, by_columns, stored = read_header(head)
    dtype = _checked(path, shape, stored)
    height, width = shape
    if by_columns:
        turned = _stored_bands(path, opened, head.tell(), (width, height), stored, rows=width)
        return in_bands(next(turned).T, path)
    bands = partial(_stored_bands, path, opened, head.tell(), (height, width), stored)
    return BandedLabels(path, (height, width), dtype, bands)


def _stored_bands(
    path: Path,
    opened: _Opened,
    offset: int,
    shape: tuple[int, int],
    stored: np.dtype[Any],
    rows: int | None = None,
) -> Iterator[LabelMap]:
    """Yield bands of uncompressed rows that are stored one after the other."""
    height, width = shape
    dtype, rows = checked_type(shape, stored, path), band_rows(shape, rows)
    with faults_named(path), opened() as stream:
        stream.seek(offset)
        for top in range(0, height, rows):
            band = np.empty((min(rows, height - top), width), stored)
            if stream.readinto(band.view(np.uint8)) < band.nbytes:  # type: ignore[attr-defined]
                raise LabelMapError(f"{path}: the file is truncated; copy or save it again")
            if top + rows >= height:
                stream.read(1)  # an archive checks its checksum at the end of the member
            yield as_ids(band, dtype, path)


OPENERS: dict[bytes, Callable[[Path], BandedLabels]] = {
    **dict.fromkeys((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), _open_tiff),
    b"\x89PNG\r\n\x1a\n": _open_png,
    b"\x93NUMPY": _open_npy,
    b"PK\x03\x04": _open_npz,
}
"""First bytes of a file, and the function that opens it."""
