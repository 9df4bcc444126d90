"""LZW streams are checked before imagecodecs sees them: code by code as the oracle."""

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from cellbench.errors import LabelMapError
from cellbench.images.lzw import check_lzw
from cellbench.labels import read_labels

CLEAR, END = 256, 257


def packed(*codes: int) -> bytes:
    """Pack codes of 9 bits."""
    bits = "".join(f"{code:09b}" for code in codes)
    return bytes(int(bits[place : place + 8].ljust(8, "0"), 2) for place in range(0, len(bits), 8))


def is_sound(data: bytes) -> bool:
    """Walk through the codes one by one."""
    bits = "".join(f"{byte:08b}" for byte in data)
    place, width, entries, after_clear = 0, 9, 258, False
    while place + width <= len(bits):
        code = int(bits[place : place + width], 2)
        place += width
        if code == END or entries > 5120:
            return True
        if after_clear and code > END:
            return False
        entries = 258 if code == CLEAR or after_clear else entries + 1
        after_clear = code == CLEAR
        width = 9 + sum(entries >= limit for limit in (511, 1023, 2047))
    return True


@given(data=st.data(), length=st.sampled_from([3, 50, 2000, 20_000]), ids=st.integers(1, 256))
@settings(max_examples=150, deadline=None)
def test_damaged_streams_as_code_by_code(data: st.DataObject, length: int, ids: int) -> None:
    pixels = np.random.default_rng(length).integers(0, ids, length).astype(np.uint8).tobytes()
    stream = bytearray(imagecodecs.lzw_encode(pixels))
    check_lzw(bytes(stream))
    for place in data.draw(st.lists(st.integers(2, len(stream) - 1), max_size=4)):
        stream[place] = data.draw(st.integers(0, 255) | st.sampled_from([0x40, 0x80]))
    if is_sound(bytes(stream)):
        check_lzw(bytes(stream))
    else:
        with pytest.raises(ValueError, match=r"invalid LZW code .* after a clear code"):
            check_lzw(bytes(stream))


@pytest.mark.parametrize(
    ("codes", "sound"),
    [
        ((CLEAR, 5, 258, END), True),
        ((CLEAR, CLEAR, CLEAR, 5), True),
        ((CLEAR, END, CLEAR, 300), True),
        ((CLEAR,), True),
        ((CLEAR, 258, END), False),
        ((CLEAR, CLEAR, 300), False),
        ((CLEAR, 5, 6, CLEAR, 511), False),
        ((CLEAR, *[5] * 200, CLEAR, 511), False),
    ],
)
def test_what_follows_a_clear_is_a_literal(codes: tuple[int, ...], sound: bool) -> None:
    assert is_sound(packed(*codes)) == sound
    if sound:
        check_lzw(packed(*codes))
    else:
        with pytest.raises(ValueError, match=r"invalid LZW code .* after a clear code"):
            check_lzw(packed(*codes))


def test_such_a_file_is_an_error_and_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "a_label.tiff"
    stream = packed(CLEAR, 311, 311, 400, END)
    options = {"shape": (9, 9), "dtype": "u1", "compression": "lzw", "rowsperstrip": 9}
    tifffile.imwrite(path, iter([stream]), **options)
    with pytest.raises(
        LabelMapError, match=r"a_label\.tiff: .*\(invalid LZW code 311 after a clear code\)"
    ):
        read_labels(path)
