"""MATLAB files: the values that scipy wrote and reads, and damage that is an error instead of a crash."""

import struct
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from cellbench.labels import read_labels
from cellbench.labels.matlab import Variable, list_variables, read_variable

CELLS = np.arange(35).reshape(5, 7)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8", "?"])
@pytest.mark.parametrize("shape", [(5, 7), (35, 1), (1, 3), (5, 7, 1), (1, 5, 7)])
def test_as_scipy_reads_them(
    compressed: bool, dtype: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    path = tmp_path / "a.mat"
    values = CELLS.ravel()[: np.prod(shape)].reshape(shape).astype(dtype)
    more = {"text": "words", "cell": np.array([1, "a"], object), "record": {"x": 1}, "z": 1j}
    scipy.io.savemat(path, {"first": 1.5, **more, "inst_map": values}, do_compression=compressed)
    variables = {one.name: one for one in list_variables(path)}
    assert list(variables) == ["first", *more, "inst_map"]
    assert [one.numeric for one in variables.values()] == [True, *[False] * 4, True]
    found = read_variable(path, variables["inst_map"])
    expected = scipy.io.loadmat(path)["inst_map"]
    assert found.shape == expected.shape == variables["inst_map"].shape
    np.testing.assert_array_equal(found, expected)


def test_integers_that_matlab_stores_in_few_bytes_and_big_endian(tmp_path: Path) -> None:
    """A matrix of the class double whose values are stored as uint8, written by hand."""

    def element(kind: int, data: bytes) -> bytes:
        return struct.pack(">II", kind, len(data)) + data + bytes(-len(data) % 8)

    name = struct.pack(">I", 1 << 16 | 1) + b"x\0\0\0"  # the tag has type, size and up to 4 bytes
    matrix = element(6, struct.pack(">II", 6, 0)) + element(5, struct.pack(">ii", 2, 3)) + name
    matrix += element(2, bytes([1, 4, 2, 5, 3, 6]))
    path = tmp_path / "a.mat"
    path.write_bytes(b"MATLAB 5.0".ljust(124) + b"\1\0MI" + element(14, matrix))
    assert list_variables(path) == [Variable("x", (2, 3), True, 128)]
    assert read_labels(path).tolist() == [[1, 2, 3], [4, 5, 6]]
    assert scipy.io.loadmat(path)["x"].tolist() == [[1, 2, 3], [4, 5, 6]]


def test_the_only_variable_or_inst_map(tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "one.mat", {"anything": CELLS})
    scipy.io.savemat(tmp_path / "two.mat", {"a": CELLS + 1, "inst_map": CELLS})
    for name in ("one.mat", "two.mat"):
        np.testing.assert_array_equal(read_labels(tmp_path / name), CELLS)
