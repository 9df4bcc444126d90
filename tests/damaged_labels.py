"""Writers of files that are no label map, or only a part of one."""

import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import numpy.typing as npt
import scipy.io
import tifffile
from label_formats import npz

from cellbench.labels import write_labels


def truncated(path: Path) -> None:
    write_labels(path, np.random.default_rng(0).integers(0, 999, (300, 300)))
    path.write_bytes(path.read_bytes()[:5000])


def truncated_png(path: Path) -> None:
    path.write_bytes(imagecodecs.png_encode(np.eye(90, dtype=np.uint16))[:-40])


def two_maps(path: Path) -> None:
    with tifffile.TiffWriter(path) as file:
        for side in (4, 5):
            file.write(np.ones((side, side), np.uint16))


def stack_in_a_page(path: Path, imagej: bool = False) -> None:
    with tifffile.TiffWriter(path, imagej=imagej) as file:
        file.write(np.ones((2, 9, 9), np.uint16), truncate=True)


def circle(path: Path) -> None:
    """Make the second page point back to the first one, so that reading all pages would never end."""
    tifffile.imwrite(path, np.ones((9, 9), np.uint16), metadata=None)
    content = bytearray(path.read_bytes())
    (tags,) = struct.unpack_from("<H", content, 8)
    struct.pack_into("<I", content, 10 + 12 * tags, len(content))
    path.write_bytes(content + struct.pack("<HI", 0, 8))


def retagged(path: Path, **tags: int | tuple[int, ...]) -> None:
    """Write a TIFF of 9 × 9 in zlib tiles of 16 × 16, with other numbers in some tags."""
    tifffile.imwrite(path, np.ones((9, 9), np.uint16), tile=(16, 16), compression="zlib")
    with tifffile.TiffFile(path, mode="r+") as file:
        for name, value in tags.items():
            file.pages.first.tags[name].overwrite(value, dtype="I")


def colours(shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Opaque pixels of all colours."""
    pixels = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    pixels[..., 3:] = 255
    return pixels


def matlab(path: Path, **variables: object) -> None:
    with path.open("wb") as file:
        scipy.io.savemat(file, variables)


def dictionary(path: Path, **values: object) -> None:
    with path.open("wb") as file:
        np.save(file, np.array(values), allow_pickle=True)


def truncate_by(write: Callable[..., None], path: Path, number: int, **values: object) -> None:
    write(path, **values)
    path.write_bytes(path.read_bytes()[:-number])


def old_hdf5(path: Path) -> None:
    """Write the start of a file that MATLAB saved with -v7.3."""
    path.write_bytes(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512) + b"\x89HDF\r\n\x1a\n")


def array_header(path: Path, shape: tuple[int, ...], version: int = 1, descr: str = "<u2") -> None:
    write = np.lib.format.write_array_header_1_0
    if version == 2:
        write = np.lib.format.write_array_header_2_0
    with path.open("wb") as file:
        write(file, {"descr": descr, "fortran_order": False, "shape": shape})


def zipped(path: Path, *members: bytes, method: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        for number, member in enumerate(members):
            archive.writestr(f"{number}.npy", member)


def zipped_header(path: Path, shape: tuple[int, ...]) -> None:
    array_header(path, shape)
    zipped(path, path.read_bytes())


def huge_png(path: Path) -> None:
    content = bytearray(imagecodecs.png_encode(np.eye(9, dtype=np.uint8)))
    content[16:24] = struct.pack(">II", 70_000, 70_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    path.write_bytes(content)


def long_header(path: Path) -> None:
    zipped(path, b"\x93NUMPY\2\0" + struct.pack("<I", 10**8) + b" " * 10**8)


def damaged_sum(path: Path) -> None:
    npz(path, np.arange(900, dtype=np.uint16).reshape(30, 30), np.savez)
    content = path.read_bytes()
    path.write_bytes(content.replace(struct.pack("<2H", 500, 501), struct.pack("<2H", 500, 5)))


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def python_2(path: Path, rows: int) -> None:
    """Write the header that made NumPy warn: Python 2 wrote an L behind long integers."""
    header = (
        f"{{'descr': '<u2', 'fortran_order': False, 'shape': ({rows}L, 3L), }}".ljust(117) + "\n"
    )
    path.write_bytes(b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode())
