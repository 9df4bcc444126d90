"""Opens TIFF files: the one image in them, of a pyramid or slide in its full resolution."""

import math
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import tifffile

from cellbench.errors import ImageError
from cellbench.images.code_streams import check_segment, check_tile
from cellbench.images.ome import (
    described_elsewhere,
    missing_companions,
    own_channels,
    report_left_out,
)
from cellbench.images.opened import OpenedImage, Pixels, arranged, check_size
from cellbench.images.orientation import tiff_orientation

_MOST_CHANNELS_LAST = 16
_MOST_CHANNELS_FIRST = 4
_ALPHA = (tifffile.EXTRASAMPLE.ASSOCALPHA, tifffile.EXTRASAMPLE.UNASSALPHA)
_NDPI_TAG, _TIFF_TAG_BYTES = 65420, 12
_BESIDE_SLIDE = ("Thumbnail", "Label", "Macro", "Map", "Overview", "Probability")
_DESCRIBED = ("ome", "mmstack", "ndtiff", "scn")  # kinds whose metadata list the planes
_MACRO_SHARE = 1 / 16  # a photograph of the whole slide has far fewer pixels than a scan


@contextmanager
def open_tiff(path: Path) -> Iterator[OpenedImage]:
    """Open a TIFF file.

    Of one file of a multi-file OME-TIFF whose companions are absent, its own planes are read.

    Args:
        path: the file.

    Yields:
        The image.

    Raises:
        ImageError: if the file contains no image or several, or is damaged.
    """
    with ExitStack() as stack:
        plain = {"is_ndpi": False} if path.suffix.lower() == ".ndpi" and not _is_ndpi(path) else {}
        file = stack.enter_context(tifffile.TiffFile(path, **plain))
        _check_pages(path, file)
        missing = missing_companions(file)
        channels = False
        if missing or _lacks_planes(file):
            report_left_out(path, tuple(missing), "not found in its folder")
            channels = own_channels(file)
            file = stack.enter_context(tifffile.TiffFile(path, is_ome=False, is_mmstack=False))
        elif companions := described_elsewhere(file):
            report_left_out(path, tuple(companions), "which is not read")
        series, order = _layout(path, file, channels)
        shape = tuple(series.shape[axis] for axis in order)
        decode = partial(_decode, path, series, order)
        yield OpenedImage(path, shape, decode, tiff_orientation(series.keyframe))


def _is_ndpi(path: Path) -> bool:
    """Return whether a TIFF is one of Hamamatsu's; tifffile believes the extension."""
    with path.open("rb") as file:
        (start,) = struct.unpack_from("<Q", file.read(12), 4)
        if start >= path.stat().st_size:  # an ordinary TIFF has 32 bits here
            return False
        file.seek(start)
        (count,) = struct.unpack("<H", file.read(2))
        tags = file.read(_TIFF_TAG_BYTES * count)
    return any(code == _NDPI_TAG for code, *_ in struct.iter_unpack("<H10x", tags))


def _lacks_planes(file: tifffile.TiffFile) -> bool:
    """Return whether tifffile would fill in planes that are described but not present with zeros."""
    described = [series for series in file.series if series.kind in _DESCRIBED]
    return any(page is None for series in described for page in series.pages)


def _decode(
    path: Path, series: tifffile.TiffPageSeries, order: list[int]
) -> tuple[Pixels, int | None]:
    page = series.keyframe
    check_size(path, *page.chunks[:2])
    if page.compression != tifffile.COMPRESSION.NONE:
        _check_segments(path, series)
    array = arranged(series.asarray(), order)
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


def _layout(
    path: Path, file: tifffile.TiffFile, channels: bool
) -> tuple[tifffile.TiffPageSeries, list[int]]:
    """Return the only image of a TIFF and the axes that are rows, columns and, if any, channels.

    Args:
        path: the file.
        file: the file, open.
        channels: whether several pages without named axes are channels.
    """
    full = _full_resolution(file)
    if not full or any(0 in series.shape for series in full):
        raise ImageError(f"{path}: has no pixels; copy or save it again")
    if any(series.keyframe.dtype is None for series in full):
        raise ImageError(f"{path}: corrupt TIFF, the type of its pixels is unknown; save it again")
    if len(full) == 1:
        shape, axes = full[0].shape, full[0].axes.replace("I", "C" if channels else "I")
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
    pages: int = sum(
        math.prod(size for axis, size in zip(one.axes, one.shape, strict=True) if axis not in "YXS")
        for one in full
    )
    shapes = ", ".join(f"{one.axes} {one.shape}" for one in full[:3])
    raise ImageError(
        f"{path}: contains a stack of {pages} pages ({shapes}); save each page as a file of its own, or "
        "channels with the axes 'CYX'"
    )


def _full_resolution(file: tifffile.TiffFile) -> list[tifffile.TiffPageSeries]:
    """Return the images of a TIFF without masks, reduced copies and, of a slide, its other pictures."""
    series_list = [series for series in file.series if not series.keyframe.is_mask] or file.series
    full = [series for series in series_list if not series.keyframe.is_reduced] or series_list
    if file.is_svs and len(full) > 1:  # the baseline always comes first
        return full[:1]
    full = [series for series in full if series.name not in _BESIDE_SLIDE] or full
    if file.is_scn:
        largest = max(math.prod(series.shape) for series in full)
        full = [series for series in full if math.prod(series.shape) > _MACRO_SHARE * largest]
    return full
