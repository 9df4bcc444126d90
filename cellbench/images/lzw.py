"""A check of LZW streams in TIFF files: imagecodecs crashes on some damaged ones."""

import numpy as np
import numpy.typing as npt

_CLEAR, _END, _NEW = 256, 257, 258
_CODES = 4864  # after a clear code: then the table of the decoder is full, and it stops by itself
_SOON = 64

# Each code adds an entry to the table; the larger the table, the wider the codes (TIFF 6.0, section 13).
_SIZES = np.arange(_NEW, _NEW + _CODES)
_WIDTHS = (9 + np.searchsorted([511, 1023, 2047], _SIZES, "right")).astype(np.int32)
_ENDS = np.cumsum(_WIDTHS)
_MASKS = (1 << _WIDTHS) - 1
# (8, codes): for a first code that begins at each of the bits of a byte.
_BEGINS = _ENDS - _WIDTHS + np.arange(8)[:, None]
_OCTETS = _BEGINS >> 3
_SHIFTS = (24 - _WIDTHS - (_BEGINS & 7)).astype(np.int32)


def check_lzw(data: bytes, fillorder: int = 1) -> None:
    """Check that a literal follows each clear code, since the table contains nothing else at that point.

    imagecodecs (2026.3.6) accepts any code there and follows a pointer that was never set.

    Args:
        data: one strip or tile.
        fillorder: value of the TIFF tag FillOrder; only the usual order of bits, 1, can be checked.

    Raises:
        ValueError: if another code follows, if the bits are reversed, or if the stream is in the LZW format
            before TIFF 5.
    """
    if fillorder != 1:
        raise ValueError("LZW with reversed bits is not supported")
    if data[:1] == b"\0" and data[1:2] and data[1] & 1:
        raise ValueError("the LZW format before TIFF 5 is not supported")
    size = 8 * len(data)
    octets = np.frombuffer(data + bytes(2), np.uint8).astype(np.int32)
    triples = octets[:-2] << 16 | octets[1:-1] << 8 | octets[2:]
    place = 9  # behind the first code; the decoder checks that this is a clear code
    while place + 9 <= size:
        first = int(triples[place >> 3]) >> (15 - place % 8) & 511
        place += 9
        if first == _END:
            return
        if first >= _NEW:
            raise ValueError(f"invalid LZW code {first} after a clear code")
        if first != _CLEAR:
            place = _next_clear(triples, place, size)


def _next_clear(triples: npt.NDArray[np.int32], start: int, size: int) -> int:
    """Return the bit behind the next clear code, or ``size`` if there is none before the end."""
    left = int(np.searchsorted(_ENDS, size - start, "right"))
    ahead, bit = triples[start >> 3 :], start & 7
    for window in (slice(0, min(_SOON, left)), slice(_SOON, left)):
        codes = ahead[_OCTETS[bit, window]] >> _SHIFTS[bit, window] & _MASKS[window]
        found = np.flatnonzero((codes | 1) == _END)
        if len(found):
            end = start + int(_ENDS[window][found[0]])
            return end if codes[found[0]] == _CLEAR else size
    return size
