"""Strips and tiles that unpack to much more than their TIFF declares are refused before decoding."""

import os
import socket
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from pictures import picture

from cellbench.errors import CellbenchError, ImageError, LabelMapError
from cellbench.images import image_files, image_shape, read_image, read_raw
from cellbench.labels import label_files, open_labels, read_labels

SIDE = 64
ENCODERS: dict[int, Callable[..., bytes]] = {
    7: imagecodecs.jpeg8_encode,
    34712: imagecodecs.jpeg2k_encode,
    34933: imagecodecs.png_encode,
    34934: imagecodecs.jpegxr_encode,
    34887: imagecodecs.lerc_encode,
    50001: lambda pixels: imagecodecs.webp_encode(pixels, lossless=True),
    50002: imagecodecs.jpegxl_encode,
}
"""By the value of the tag Compression: compressions whose streams state their own size."""


def write_stream(path: Path, compression: int, stream: bytes, side: int = SIDE) -> None:
    """Write a TIFF of one strip of 8-bit pixels, which holds the stream as it is."""
    samples = 3 if compression == 50001 else 1
    tifffile.imwrite(
        path,
        iter([stream]),
        shape=(side, side, samples)[: 2 + (samples > 1)],
        dtype=np.uint8,
        photometric="rgb" if samples > 1 else "minisblack",
        compression=compression,
        rowsperstrip=side,
        metadata=None,
    )


def stream_of(compression: int, side: int) -> bytes:
    shape = (side, side, 3) if compression == 50001 else (side, side)
    return ENCODERS[compression](np.full(shape, 7, np.uint8))


@pytest.mark.parametrize("compression", ENCODERS)
def test_streams_of_the_declared_size_are_read(compression: int, tmp_path: Path) -> None:
    write_stream(tmp_path / "a.tif", compression, stream_of(compression, SIDE))
    raw = read_raw(tmp_path / "a.tif")
    assert raw.shape[:2] == (SIDE, SIDE)
    assert np.abs(raw.astype(int) - 7).max() <= 1


@pytest.mark.parametrize("read", [read_raw, read_labels])
@pytest.mark.parametrize("compression", ENCODERS)
def test_larger_streams_are_refused(
    compression: int, read: Callable[[Path], Any], tmp_path: Path
) -> None:
    path = tmp_path / "a.tif"
    write_stream(path, compression, stream_of(compression, 3 * SIDE))
    jpeg_labels = read is read_labels and compression == tifffile.COMPRESSION.JPEG
    reason = (
        "is compressed with JPEG"
        if jpeg_labels
        else "declares 192 × 192 px.*but the TIFF 64 × 64 px"
    )
    with pytest.raises((ImageError, LabelMapError), match=reason) as error:
        read(path)
    assert str(error.value).startswith(f"{path}: ")


def test_jpeg_2000_with_a_huge_header_needs_no_memory(tmp_path: Path) -> None:
    """Both in a small TIFF and in one whose header is as huge."""
    stream = bytearray(imagecodecs.jpeg2k_encode(picture(), codecformat=0))
    struct.pack_into(">II", stream, 8, 40_000, 40_000)
    struct.pack_into(">II", stream, 24, 40_000, 40_000)
    for side in (SIDE, 40_000):
        write_stream(tmp_path / f"{side}.tif", 34712, bytes(stream), side)
    code = f"""
from pathlib import Path
from cellbench.errors import CellbenchError
from cellbench.images import read_raw
from cellbench.labels import read_labels
for read in (read_raw, read_labels):
    for side in (64, 40_000):
        try: read(Path({str(tmp_path)!r}) / f"{{side}}.tif")
        except CellbenchError as error: print(error)
# Not ru_maxrss, which a process inherits from the one that starts it.
(line,) = (each for each in open("/proc/self/status") if each.startswith("VmHWM"))
print(int(line.split()[1]) // 1024)
"""
    answer = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    *messages, peak = answer.stdout.splitlines()
    assert int(peak) < 500
    assert ["declares 40000" in text or "bytes declare" in text for text in messages] == [True] * 4


def test_jpeg_2000_with_very_many_tiles(tmp_path: Path) -> None:
    stream = bytearray(imagecodecs.jpeg2k_encode(np.zeros((900, 900), np.uint8), codecformat=0))
    struct.pack_into(">II", stream, 24, 4, 4)
    write_stream(tmp_path / "a.tif", 34712, bytes(stream), 900)
    with pytest.raises(ImageError, match="50625 tiles"):
        read_raw(tmp_path / "a.tif")


@pytest.mark.parametrize("compression", ENCODERS)
def test_streams_without_a_size(compression: int, tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    for stream in (b"\0" * 40, stream_of(compression, SIDE)[:9]):
        write_stream(path, compression, stream)
        with pytest.raises(ImageError, match=r"declare its size|header of a comp|frame count"):
            read_raw(path)


BYTES = 1 << 22
BOMBS: dict[int, bytes] = {
    8: zlib.compress(bytes(BYTES)),
    5: imagecodecs.lzw_encode(bytes(1 << 15)),
    32773: imagecodecs.packbits_encode(bytes(BYTES)),
    34925: imagecodecs.lzma_encode(bytes(BYTES)),
    50000: imagecodecs.zstd_encode(bytes(BYTES)),
}


@pytest.mark.parametrize("compression", BOMBS)
def test_streams_of_bytes_are_not_unpacked_beyond_their_tile(
    compression: int, tmp_path: Path
) -> None:
    """Whether the decoder stops or fails at the end of the tile, the tile is all it unpacks."""
    write_stream(tmp_path / "a.tif", compression, BOMBS[compression])
    page = tifffile.TiffFile(tmp_path / "a.tif").pages.first
    decoder = tifffile.TIFF.DECOMPRESSORS[page.compression]
    try:
        unpacked = len(decoder(BOMBS[compression], out=SIDE * SIDE))
    except (ValueError, RuntimeError):
        unpacked = 0
    assert unpacked <= SIDE * SIDE
    try:
        assert not read_raw(tmp_path / "a.tif").any()
    except ImageError as error:
        assert "\n" not in str(error)  # noqa: PT017 (both are right)


def test_a_tile_that_is_much_larger_than_the_image(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif", picture(), tile=(8192, 8192), compression="zlib", metadata=None
    )
    for read in (read_raw, read_labels):
        with pytest.raises(CellbenchError, match="has tiles of 8192 × 8192 px for an image of"):
            read(tmp_path / "a.tif")


def test_a_small_png_that_declares_a_huge_image(tmp_path: Path) -> None:
    path = tmp_path / "a_label.png"
    data = bytearray(imagecodecs.png_encode(np.zeros((9, 9), np.uint8)))
    struct.pack_into(">II", data, 16, 40_000, 40_000)
    struct.pack_into(">I", data, 29, zlib.crc32(data[12:29]))
    path.write_bytes(data)
    for read in (read_raw, read_labels):
        with pytest.raises(CellbenchError, match="bytes declare to contain 1600000000 bytes"):
            read(path)


def make_special(kind: str, path: Path) -> None:
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            before = Path.cwd()
            os.chdir(path.parent)  # addresses of sockets are short
            server.bind(path.name)
            os.chdir(before)
    else:
        path.symlink_to("/dev/zero")


@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
def test_pipes_sockets_and_devices_are_not_opened(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a_label.tif"
    make_special(kind, path)
    readers: list[Callable[[Path], object]] = [read_image, image_shape, read_labels, open_labels]
    for read in readers:
        with pytest.raises((ImageError, LabelMapError), match="is not a regular file"):
            read(path)
    for find in (image_files, label_files):
        with pytest.raises((ImageError, LabelMapError), match=f"{path}: is a pipe, a socket or"):
            find(tmp_path)
