"""The arrays in a pickle that NumPy wrote, such as Cellpose's ``_seg.npy``, read without running it.

A pickle can name any function of Python, which would be called when it is loaded. Here only the names that
NumPy writes for arrays are known, and they stand for the classes below, which keep the values they get.
"""

import io
import pickle
import pickletools
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

_TYPE = re.compile(r"[biuf][1248]")
_MOST_OPERATIONS = 1 << 22
_MOST_KEPT = 1 << 20
_MOST_TUPLES = 20_000
_KEEP = ("PUT", "BINPUT", "LONG_BINPUT")


class _Type:
    """A type of numbers, as a pickle describes it."""

    def __init__(self, code: object = "", *_: object) -> None:
        self.code = code
        self.order: object = "="

    def __setstate__(self, state: object) -> None:
        if isinstance(state, tuple) and len(state) > 1:
            self.order = state[1]

    def as_dtype(self) -> np.dtype[Any]:
        if not isinstance(self.code, str) or not _TYPE.fullmatch(self.code):
            raise ValueError("an array in it does not consist of numbers")
        return np.dtype(self.code).newbyteorder(">" if self.order == ">" else "<")


class _Array:
    """An array, as a pickle describes it."""

    def __init__(self, *_: object) -> None:
        self.state: object = None

    def __setstate__(self, state: object) -> None:
        self.state = state

    def parts(self) -> tuple[Any, ...]:
        """Return shape, type, whether columns come first, and the bytes or the list of the values."""
        if not isinstance(self.state, tuple) or len(self.state) != 5:
            raise ValueError("an array in it is damaged")
        return self.state[1:]


class _FromBuffer(_Array):
    """An array, as pickles of protocol 5 describe it."""

    def __init__(self, data: object, dtype: object, shape: object, order: object) -> None:
        self.state = (1, shape, dtype, order == "F", data)


class _Bytes:
    """Bytes, which pickles of protocol 2 store as text."""

    def __init__(self, text: str = "", *_: object) -> None:
        self.data = text.encode("latin1")

    def __setstate__(self, state: object) -> None:
        pass


class _Other:
    """A value that is not needed, such as a path or a single number."""

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


# Only classes with __setstate__: a pickle could set attributes of all others, and of functions.
_KNOWN: dict[tuple[str, str], type] = {
    ("numpy", "ndarray"): _Other,
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _Bytes,
}
for _core in ("numpy.core", "numpy._core"):  # the first before NumPy 2
    _KNOWN[f"{_core}.multiarray", "_reconstruct"] = _Array
    _KNOWN[f"{_core}.multiarray", "scalar"] = _Other
    _KNOWN[f"{_core}.numeric", "_frombuffer"] = _FromBuffer
for _path in ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath"):
    _KNOWN["pathlib", _path] = _KNOWN["pathlib._local", _path] = _Other  # the second in Python 3.13
for _time in ("datetime", "date", "time", "timedelta"):
    _KNOWN["datetime", _time] = _Other


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> type:
        if (module, name) not in _KNOWN:
            raise ValueError(f"it refers to {module}.{name}, which is not an array")
        return _KNOWN[module, name]


def read_pickled_array(data: bytes, keys: Sequence[str]) -> npt.NDArray[Any]:
    """Read an array from a pickled dictionary that NumPy saved.

    Args:
        data: the pickle, without NumPy's header.
        keys: possible keys of the array in the dictionary, in the order of preference.

    Returns:
        The array, read-only.

    Raises:
        KeyError: if the pickle is not a dictionary with an array under one of these keys.
        Exception: of many types, if it is damaged, or contains anything but arrays and plain values.
    """
    _check_operations(data)
    loaded = _Reader(io.BytesIO(data)).load()
    if isinstance(loaded, _Array):  # NumPy saves a dictionary as an array of one object
        values = loaded.parts()[-1]
        loaded = values[0] if isinstance(values, list) and len(values) == 1 else None
    under = loaded if isinstance(loaded, dict) else {}
    found = next((under[key] for key in keys if isinstance(under.get(key), _Array)), None)
    if found is None:
        raise KeyError(keys[0])
    shape, dtype, by_columns, raw = found.parts()
    raw = raw.data if isinstance(raw, _Bytes) else raw
    if not isinstance(dtype, _Type) or not isinstance(raw, bytes | bytearray):
        raise ValueError("an array in it does not consist of numbers")
    flat = np.frombuffer(raw, dtype.as_dtype())
    return flat.reshape(shape, order="F" if by_columns else "C")


def _check_operations(data: bytes) -> None:
    """Refuse pickles that could make the compiled reader use up memory or its stack."""
    tuples = 0
    for count, (operation, argument, _) in enumerate(pickletools.genops(data)):
        # Memory is taken for all numbers up to the largest.
        too_large = operation.name in _KEEP and (argument or 0) > _MOST_KEPT
        # Each tuple may be inside the next one, and all of them are visited to hash the last.
        tuples += operation.name.startswith("TUPLE")
        if too_large or count > _MOST_OPERATIONS or tuples > _MOST_TUPLES:
            raise ValueError("it has too many parts")
