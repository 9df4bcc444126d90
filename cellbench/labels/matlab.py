"""Arrays of numbers in MATLAB files of version 5 to 7 (MAT-File Format, The MathWorks, 2024, chapter 1).

scipy.io.loadmat reads them too, but damaged files make it crash with a segmentation fault.
"""

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

_HEADER_BYTES = 128
_ORDERS = {b"IM": "<", b"MI": ">"}
_MATRIX, _COMPRESSED = 14, 15
_TYPES = {
    1: "i1",
    2: "u1",
    3: "i2",
    4: "u2",
    5: "i4",
    6: "u4",
    7: "f4",
    9: "f8",
    12: "i8",
    13: "u8",
}
_NUMBERS = range(6, 16)  # classes of arrays: double, single, and the integers
_COMPLEX = 0x0800
_MOST_AXES, _LONGEST_NAME = 32, 64
_START_BYTES = 1 << 12


class Variable(NamedTuple):
    """A variable in a MATLAB file.

    Attributes:
        name: its name.
        shape: its shape.
        numeric: whether it is an array of real numbers.
        offset: where its element starts in the file, in bytes.
    """

    name: str
    shape: tuple[int, ...]
    numeric: bool
    offset: int


class _Stream:
    """The bytes of an element, which may be compressed; no more than is asked for is decompressed."""

    def __init__(self, data: bytes, compressed: bool) -> None:
        self._rest = data
        self._inflater = zlib.decompressobj() if compressed else None

    def read(self, size: int) -> bytes:
        if self._inflater is None:
            found, self._rest = self._rest[:size], self._rest[size:]
        else:
            found = b""
            if size:
                found = self._inflater.decompress(self._rest, size)
                self._rest = self._inflater.unconsumed_tail
        if len(found) < size:
            raise ValueError("the file is truncated")
        return found


def list_variables(path: Path) -> list[Variable]:
    """List the variables of a MATLAB file; their values are not read.

    Args:
        path: the file.

    Raises:
        ValueError: if the file is damaged.
        zlib.error: if compressed data in it is damaged.
    """
    found = []
    for offset, order, kind, data in _elements(path, _START_BYTES):
        if kind in (_MATRIX, _COMPRESSED):
            name, shape, numeric = _start(_matrix(data, kind, order), order)
            found.append(Variable(name, shape, numeric, offset))
    return found


def read_variable(path: Path, variable: Variable) -> npt.NDArray[np.generic]:
    """Read an array of numbers from a MATLAB file.

    Args:
        path: the file.
        variable: one of [`list_variables`][], whose shape is as large as can be read.

    Returns:
        The array, of the type in which the numbers are stored: MATLAB stores small integers in few bytes.

    Raises:
        ValueError: if the file is damaged.
        zlib.error: if compressed data in it is damaged.
    """
    for offset, order, kind, data in _elements(path, None):
        if offset != variable.offset:
            continue
        stream = _matrix(data, kind, order)
        _start(stream, order)
        code, size, start = _tag(stream, order)
        if code not in _TYPES:
            raise ValueError("the numbers have an unknown type")
        dtype = np.dtype(_TYPES[code]).newbyteorder("<" if order == "<" else ">")
        if size != math.prod(variable.shape) * dtype.itemsize:
            raise ValueError("the number of values does not fit the shape")
        values = np.frombuffer(start or stream.read(size), dtype)
        return values.reshape(variable.shape, order="F")
    raise ValueError("the file was changed while it was read")


def _elements(path: Path, most: int | None) -> Iterator[tuple[int, str, int, bytes]]:
    """Yield offset, byte order, kind and the first bytes of each element of a file."""
    end = path.stat().st_size
    with path.open("rb") as file:
        order = _ORDERS.get(file.read(_HEADER_BYTES)[-2:])
        if order is None:
            raise ValueError("the header does not name a byte order")
        offset = _HEADER_BYTES
        while offset + 8 <= end:
            file.seek(offset)
            kind, size = struct.unpack(f"{order}II", file.read(8))
            if offset + 8 + size > end:
                raise ValueError("the file is truncated")
            yield offset, order, kind, file.read(size if most is None else min(size, most))
            offset += 8 + size


def _matrix(data: bytes, kind: int, order: str) -> _Stream:
    """Return the content of a matrix."""
    stream = _Stream(data, kind == _COMPRESSED)
    if kind == _COMPRESSED and struct.unpack(f"{order}II", stream.read(8))[0] != _MATRIX:
        raise ValueError("a variable is no array")
    return stream


def _start(stream: _Stream, order: str) -> tuple[str, tuple[int, ...], bool]:
    """Read the name of a matrix, its shape, and whether it consists of real numbers."""
    flags = struct.unpack(f"{order}I", _small(stream, order, 8)[:4])[0]
    sides = _small(stream, order, 4 * _MOST_AXES)
    shape = struct.unpack(f"{order}{len(sides) // 4}i", sides[: len(sides) // 4 * 4])
    if min(shape, default=0) < 0:
        raise ValueError("a shape is negative")
    name = _small(stream, order, _LONGEST_NAME).decode("latin1")
    return name, shape, flags & 0xFF in _NUMBERS and not flags & _COMPLEX


def _small(stream: _Stream, order: str, most: int) -> bytes:
    """Read an element of limited size, and the bytes that fill it up to a multiple of 8."""
    _, size, start = _tag(stream, order)
    if size > most:
        raise ValueError("a name or shape is too long")
    return start or stream.read(-(-size // 8) * 8)[:size]


def _tag(stream: _Stream, order: str) -> tuple[int, int, bytes]:
    """Read the type and size of an element, and its bytes if there are at most 4, which are in the tag."""
    tag = stream.read(8)
    first, size = struct.unpack(f"{order}II", tag)
    if first >> 16:
        return first & 0xFFFF, first >> 16, tag[4 : 4 + min(4, first >> 16)]
    return first, size, b""
