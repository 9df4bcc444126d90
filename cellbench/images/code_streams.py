"""The size that a compressed strip or tile of a TIFF declares, which is checked before it is decoded.

JPEG, JPEG 2000, JPEG XL, JPEG XR, LERC, PNG and WebP streams state their own size. The decoders believe
it, so a few hundred bytes in a tile of 64 × 64 px could otherwise take gigabytes of memory. All other
compressions are decoded into a buffer of the size of the strip or tile.
"""

import re
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

import tifffile

from cellbench.images.lzw import check_lzw

_HARMLESS_BYTES = 1 << 26
_LARGEST_RATIO = 20_000  # zlib reaches 1,032 and JPEG less
_LARGEST_TILE = 1 << 24
_SLACK = 15  # JPEG and its relatives encode blocks of up to 16 px
_MOST_CHANNELS = 4  # a gray image may be stored as RGBA
_MOST_TILES = 4096
_TILE_PIXELS = 256

_START_OF_FRAME = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_XL_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_XL_BITS = (9, 13, 18, 30)
_LERC_WITH_CHECKSUM, _LERC_WITH_DEPTH = 3, 4
_XR_WIDTH, _XR_HEIGHT = 0xBC80, 0xBC81


class Declared(NamedTuple):
    """What a stream declares.

    Attributes:
        height: rows in pixels.
        width: columns in pixels.
        channels: number of channels; 1 if the header was not read that far.
        tiles: number of tiles inside the stream.
    """

    height: int
    width: int
    channels: int = 1
    tiles: int = 1


def declared_sizes(compression: int, data: bytes) -> Iterator[Declared]:
    """Yield the sizes that a stream declares.

    Args:
        compression: value of the TIFF tag Compression; also the format of a file that is no TIFF.
        data: the compressed strip, tile or file, or its beginning.

    Yields:
        The sizes; none if the compression has no header of its own.

    Raises:
        ValueError: if the header is damaged.
    """
    reader = _READERS.get(compression)
    if reader is None:
        return
    try:
        yield from reader(data)
    except (struct.error, IndexError) as error:
        raise ValueError("the header of a compressed part is damaged") from error


def check_stream(compression: int, data: bytes, shape: tuple[int, int, int]) -> None:
    """Check that a strip or tile is not larger than the TIFF states.

    Args:
        compression: value of the TIFF tag Compression.
        data: the compressed strip or tile, with shared JPEG headers and tables before it.
        shape: (height, width, channels) of the strip or tile.

    Raises:
        ValueError: if the stream declares more pixels, channels or inner tiles, or no size.
    """
    if compression not in _READERS:
        return
    height, width, channels = shape
    declared = False
    for found in declared_sizes(compression, data):
        declared = True
        too_large = found.height > height + _SLACK or found.width > width + _SLACK
        many_tiles = found.tiles > _MOST_TILES + found.height * found.width // _TILE_PIXELS
        if too_large or many_tiles or found.channels > max(channels, _MOST_CHANNELS):
            raise ValueError(
                f"a compressed part declares {found.height} × {found.width} px in {found.channels} "
                f"channels and {found.tiles} tiles, but the TIFF {height} × {width} px in {channels}"
            )
    if not declared:
        raise ValueError("a compressed part does not declare its size")


def check_segment(page: tifffile.TiffPage, data: bytes) -> None:
    """Check a compressed strip or tile before it is decoded.

    Args:
        page: the page of the TIFF, or the key frame of a series, which describes all its pages.
        data: the strip or tile.

    Raises:
        ValueError: if the strip or tile would take much more memory than the page's header or the size of
            the file suggest, or if it is an LZW stream on which the decoder would crash.
    """
    height, width = page.chunks[:2]
    samples = page.samplesperpixel if page.planarconfig == tifffile.PLANARCONFIG.CONTIG else 1
    itemsize = 1 if page.dtype is None else page.dtype.itemsize
    check_expansion(height * width * samples * itemsize, len(data))
    if page.compression == tifffile.COMPRESSION.LZW:
        check_lzw(data, page.fillorder)
    # The strips of Hamamatsu's slides share a header; its size is replaced by that of the strip.
    if page.jpegheader is None:
        check_stream(page.compression, (page.jpegtables or b"") + data, (height, width, samples))


def check_expansion(decoded: int, stored: int) -> None:
    """Refuse small files that unpack to huge ones.

    Args:
        decoded: size after decoding, in bytes.
        stored: size in the file, in bytes.

    Raises:
        ValueError: if the ratio is too large for an image.
    """
    if decoded > _HARMLESS_BYTES and decoded > _LARGEST_RATIO * stored:
        raise ValueError(f"{stored} bytes declare to contain {decoded} bytes of pixels")


def check_tile(page: tifffile.TiffPage) -> None:
    """Refuse tiles that are much larger than their page, since each is decoded as a whole.

    Args:
        page: the page of the TIFF, or the key frame of a series, which describes all its pages.

    Raises:
        ValueError: if the tiles are too large.
    """
    height, width = page.chunks[:2]
    if height * width > max(_LARGEST_TILE, 4 * page.imagelength * page.imagewidth):
        raise ValueError(
            f"has tiles of {height} × {width} px for an image of {page.imagelength} × {page.imagewidth} px"
        )


def _read_jpeg(data: bytes) -> Iterator[Declared]:
    """Yield every frame header: shared tables could hold one as well."""
    place = 0
    while (place := data.find(b"\xff", place)) >= 0 and place + 1 < len(data):
        marker = data[place + 1]
        if marker in (0x00, 0xFF):  # no marker, or a fill byte
            place += 1
        elif marker in _WITHOUT_LENGTH or marker == _END_OF_IMAGE:
            place += 2
        else:
            if marker in _START_OF_FRAME:
                height, width, channels = struct.unpack_from(">HHB", data, place + 5)
                yield Declared(height, width, channels)
            (length,) = struct.unpack_from(">H", data, place + 2)
            place += 2 + length


def _read_jpeg2000(data: bytes) -> Iterator[Declared]:
    for found in re.finditer(b"\xff\x4f\xff\x51", data):
        numbers = struct.unpack_from(">8IH", data, found.start() + 8)
        right, lower, left, upper, tile_width, tile_height, tile_left, tile_upper, channels = (
            numbers
        )
        if not tile_width or not tile_height:
            raise ValueError("the header of a compressed part is damaged")
        across, down = right - tile_left, lower - tile_upper
        tiles = -(-across // tile_width) * -(-down // tile_height)
        yield Declared(lower - upper, right - left, channels, tiles)


def _read_webp(data: bytes) -> Iterator[Declared]:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return
    kind, start = data[12:16], 20
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        yield Declared(height, width)
    elif kind == b"VP8L":
        (packed,) = struct.unpack_from("<I", data, start + 1)
        yield Declared((packed >> 14 & 0x3FFF) + 1, (packed & 0x3FFF) + 1)
    elif kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, start + 6)
        yield Declared(height & 0x3FFF, width & 0x3FFF)


def _read_png(data: bytes) -> Iterator[Declared]:
    if data[12:16] == b"IHDR":
        width, height = struct.unpack_from(">II", data, 16)
        yield Declared(height, width)


def _read_jpeg_xl(data: bytes) -> Iterator[Declared]:
    """Read the size header (ISO 18181-1, section D.2), whose bits begin with the lowest of each byte."""
    start = 2
    if data[:2] != b"\xff\x0a":  # inside boxes
        found = re.search(rb"jxlc\xff\x0a|jxlp.{4}\xff\x0a", data, re.DOTALL)
        if not found:
            return
        start = found.end()
    bits = int.from_bytes(data[start : start + 16], "little")

    def take(count: int) -> int:
        nonlocal bits
        value = bits & (1 << count) - 1
        bits >>= count
        return value

    small = take(1)

    def side() -> int:
        return 8 * (take(5) + 1) if small else take(_XL_BITS[take(2)]) + 1

    height = side()
    ratio = take(3)
    width = height * _XL_RATIOS[ratio - 1][0] // _XL_RATIOS[ratio - 1][1] if ratio else side()
    yield Declared(height, width)


def _read_jpeg_xr(data: bytes) -> Iterator[Declared]:
    """Read the size in the container, which is a TIFF of its own, and in the stream (ISO 29199-2)."""
    if data[:3] == b"II\xbc":
        (start,) = struct.unpack_from("<I", data, 4)
        (tags,) = struct.unpack_from("<H", data, start)
        sides = {}
        for tag in range(tags):
            name, kind, _, value = struct.unpack_from("<HHII", data, start + 2 + 12 * tag)
            sides[name] = value & 0xFFFF if kind == 3 else value
        if _XR_WIDTH in sides and _XR_HEIGHT in sides:
            yield Declared(sides[_XR_HEIGHT], sides[_XR_WIDTH])
    for found in re.finditer(b"WMPHOTO\0", data):
        short = data[found.start() + 10] & 0x80
        width, height = struct.unpack_from(">HH" if short else ">II", data, found.start() + 12)
        yield Declared(height + 1, width + 1)


def _read_lerc(data: bytes) -> Iterator[Declared]:
    if data[:6] == b"Lerc2 ":
        (version,) = struct.unpack_from("<i", data, 6)
        sides = 14 if version >= _LERC_WITH_CHECKSUM else 10
        height, width, *depth = struct.unpack_from("<iii", data, sides)
        yield Declared(height, width, depth[0] if version >= _LERC_WITH_DEPTH else 1)
    elif data[:10] == b"CntZImage ":
        yield Declared(*struct.unpack_from("<ii", data, 18))


_READERS: dict[int, Callable[[bytes], Iterator[Declared]]] = {
    **dict.fromkeys((6, 7, 33007, tifffile.COMPRESSION.JPEG_LOSSY), _read_jpeg),
    **dict.fromkeys((33003, 33004, 33005, tifffile.COMPRESSION.JPEG2000), _read_jpeg2000),
    **dict.fromkeys((34927, tifffile.COMPRESSION.WEBP), _read_webp),
    tifffile.COMPRESSION.PNG: _read_png,
    tifffile.COMPRESSION.LERC: _read_lerc,
    **dict.fromkeys((50002, 52546), _read_jpeg_xl),
    **dict.fromkeys((22610, tifffile.COMPRESSION.JPEGXR), _read_jpeg_xr),
}
