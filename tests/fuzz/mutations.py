"""Damage to files: cuts, flipped bits, odd numbers in headers, parts of other files."""

import struct
import zlib
from collections.abc import Callable, Sequence
from random import Random

_PNG = b"\x89PNG\r\n\x1a\n"
_NUMBERS = (
    0,
    1,
    2,
    3,
    4,
    5,
    7,
    8,
    9,
    12,
    13,
    16,
    17,
    32,
    64,
    255,
    256,
    999,
    1023,
    4096,
    32767,
    32768,
)
_LARGE = (65535, 65536, 99999, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)
_WORDS = (
    b",", b"\n", b"\r", b'"', b"\0", b" ", b"-", b"1", b"0", b"nan", b"-inf", b"1e999", b"1_000", b"\t",
    b"9" * 5000, b"2147483648", b"99999999999999999999999", "\u0663".encode(), "\ufeff".encode(),
    "\u2028".encode(), b"\xff\xfe", b"\xc3", b"id", b"predicted", b"Img Name", b"0x10", b"1.5", b"+3",
)  # fmt: skip


def mutated(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """Damage a file in one to four places.

    Args:
        data: a sound file.
        others: files that parts may be taken from.
        random: decides.
    """
    buffer = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 4))):
        random.choice(_WAYS)(buffer, others, random)
    if buffer.startswith(_PNG) and random.random() < 0.8:
        _correct_checksums(buffer)
    return bytes(buffer)


def _place(buffer: bytearray, random: Random) -> int:
    """Choose a place, headers more often than their share."""
    end = len(buffer) if random.random() < 0.5 else min(len(buffer), 600)
    return random.randrange(end) if end else 0


def _cut(buffer: bytearray, _: Sequence[bytes], random: Random) -> None:
    del buffer[_place(buffer, random) :]


def _flip(buffer: bytearray, _: Sequence[bytes], random: Random) -> None:
    for _ in range(random.choice((1, 1, 2, 5, 20))):
        if buffer:
            buffer[_place(buffer, random)] ^= 1 << random.randrange(8)


def _number(buffer: bytearray, _: Sequence[bytes], random: Random) -> None:
    size, number = random.choice((1, 2, 4, 8)), random.choice(_NUMBERS + _LARGE)
    start = _place(buffer, random)
    packed = (number % 256**size).to_bytes(size, random.choice(("little", "big")))
    buffer[start : start + size] = packed


def _tag(buffer: bytearray, others: Sequence[bytes], random: Random) -> None:
    """Change type, count or value of a TIFF tag."""
    if buffer[:4] not in (b"II*\0", b"MM\0*") or len(buffer) < 8:
        return _number(buffer, others, random)
    order = "<" if buffer[:1] == b"I" else ">"
    (start,) = struct.unpack_from(order + "I", buffer, 4)
    if start + 2 > len(buffer):
        return None
    (count,) = struct.unpack_from(order + "H", buffer, start)
    entry = start + 2 + 12 * random.randrange(max(1, count))
    offset, form = random.choice(((0, "H"), (2, "H"), (4, "I"), (8, "I"), (8, "H"), (10, "H")))
    if entry + 12 <= len(buffer):
        number = random.choice(_NUMBERS + _LARGE) % 256 ** struct.calcsize(form)
        struct.pack_into(order + form, buffer, entry + offset, number)
    return None


def _splice(buffer: bytearray, others: Sequence[bytes], random: Random) -> None:
    other = random.choice(others)
    start, place = random.randrange(len(other)), _place(buffer, random)
    length = random.choice((1, 4, 12, 60, 400))
    replaced = length if random.random() < 0.7 else 0
    buffer[place : place + replaced] = other[start : start + length]


def _repeat(buffer: bytearray, _: Sequence[bytes], random: Random) -> None:
    start, length = _place(buffer, random), random.choice((1, 2, 12, 100))
    buffer[start:start] = buffer[start : start + length] * random.choice((1, 2, 50))


def _remove(buffer: bytearray, _: Sequence[bytes], random: Random) -> None:
    start = _place(buffer, random)
    del buffer[start : start + random.choice((1, 2, 4, 12, 100))]


def _word(buffer: bytearray, _: Sequence[bytes], random: Random) -> None:
    place = _place(buffer, random)
    buffer[place : place + random.choice((0, 0, 1, 3))] = random.choice(_WORDS)


_WAYS: tuple[Callable[[bytearray, Sequence[bytes], Random], None], ...] = (
    _cut, _flip, _flip, _number, _number, _tag, _tag, _splice, _repeat, _remove, _word,
)  # fmt: skip


def _correct_checksums(buffer: bytearray) -> None:
    """Make the chunks of a PNG look sound, so that decoders go on to what is in them."""
    start = len(_PNG)
    while start + 12 <= len(buffer):
        (length,) = struct.unpack_from(">I", buffer, start)
        end = start + 8 + length
        if end + 4 > len(buffer):
            return
        struct.pack_into(">I", buffer, end, zlib.crc32(buffer[start + 4 : end]))
        start = end + 4
