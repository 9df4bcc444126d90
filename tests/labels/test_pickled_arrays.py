"""Arrays in pickles: every protocol and both names of NumPy's modules; nothing in a pickle is run."""

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cellbench.labels.pickled import read_pickled_array

MASKS = np.arange(12, dtype=np.uint16).reshape(3, 4)


def pickled(values: object, protocol: int = 4) -> bytes:
    return pickle.dumps(np.array(values, dtype=object), protocol)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u4", "i8", "f4", ">f8", "?"])
def test_every_protocol(protocol: int, dtype: str) -> None:
    masks = MASKS.astype(dtype)
    for stored in (masks, np.asfortranarray(masks), masks[::2, ::-1]):
        found = read_pickled_array(pickled({"masks": stored, "a": [1, None]}, protocol), ["masks"])
        np.testing.assert_array_equal(found, stored)


def test_before_numpy_2() -> None:
    old = pickled({"masks": MASKS}, protocol=2).replace(b"numpy._core.", b"numpy.core.")
    assert b"numpy.core.multiarray" in old
    np.testing.assert_array_equal(read_pickled_array(old, ["masks"]), MASKS)


def test_a_dictionary_alone() -> None:
    np.testing.assert_array_equal(read_pickled_array(pickle.dumps({"x": MASKS}), ["x"]), MASKS)


class Call:
    """A pickle of it calls a function when it is loaded."""

    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> tuple[Any, ...]:
        function, *arguments = self.call
        return function, tuple(arguments)


@pytest.mark.parametrize("protocol", range(6))
def test_no_program_is_run(protocol: int, tmp_path: Path) -> None:
    target = str(tmp_path / "made")
    for call in (Call(os.mkdir, target), Call(eval, f"__import__('os').mkdir({target!r})")):
        with pytest.raises(ValueError, match=r"it refers to .*, which is not an array"):
            read_pickled_array(pickled({"masks": MASKS, "x": call}, protocol), ["masks"])
    assert not Path(target).exists()


def test_attributes_of_the_reader_are_not_set() -> None:
    """The operation BUILD would set attributes of functions, and of classes without __setstate__."""
    for module, name in ((b"numpy", b"ndarray"), (b"numpy._core.numeric", b"_frombuffer")):
        build = b"c" + module + b"\n" + name + b"\nN}X\x04\x00\x00\x00nameX\x01\x00\x00\x00xs\x86b."
        with pytest.raises(TypeError):
            read_pickled_array(build, ["masks"])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x80\x04" + b")" + b"\x85" * 10**6 + b".", "too many parts"),
        (b"\x80\x04]r\xff\xff\xff\x7f.", "too many parts"),
        (b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7fa.", "expected"),  # 2^63 bytes, of which one follows
        (pickled({"masks": np.array(["a"])}), "numbers"),
        (pickled({"masks": np.array([None])}), "numbers"),
        (pickled({"masks": np.zeros(2, "u1,u2")}), "numbers"),
        (pickled({"masks": MASKS}).replace(b"u2", b"u4"), "cannot reshape array"),
    ],
)
def test_harmful_and_odd_pickles(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_pickled_array(data, ["masks"])


@pytest.mark.parametrize(
    "values", [{"outlines": MASKS}, {"masks": [1, 2]}, [MASKS], MASKS, {"masks": None}, 7]
)
def test_without_the_array(values: object) -> None:
    with pytest.raises(KeyError, match="masks"):
        read_pickled_array(pickle.dumps(values), ["masks"])
