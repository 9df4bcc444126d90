"""Files that are no label map, or only a part of one: one line that names the file, and no noise."""

import os
import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from damaged_labels import (
    array_header,
    circle,
    colours,
    damaged_sum,
    dictionary,
    huge_png,
    long_header,
    loop,
    matlab,
    old_hdf5,
    python_2,
    retagged,
    stack_in_a_page,
    truncate_by,
    truncated,
    truncated_png,
    two_maps,
    zipped,
    zipped_header,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from label_formats import CELLS, WRITERS, Writer, by_bands, npy, npz, png

from cellbench.errors import InvalidLabelsError, LabelMapError, UsageError
from cellbench.labels import open_labels, read_labels, write_labels

UNREADABLE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (Path.exists, "no such file"),
    "dangling link": (lambda path: path.symlink_to("nothing"), "no such file"),
    "folder": (Path.mkdir, "is a folder"),
    "loop": (loop, "Too many levels of symbolic links"),
    "pipe": (os.mkfifo, "is not a regular file"),
    "empty": (Path.touch, "empty"),
    "text": (lambda path: path.write_text("hello"), "not a TIFF, PNG, NPY or NPZ file, nor a .mat"),
    "truncated": (truncated, "truncated; copy or save it again"),
    "truncated png": (truncated_png, "cannot be read"),
    "header only": (lambda path: path.write_bytes(b"II*\0\x08\0\0\0"), "it contains no page"),
    "png header only": (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n"), "cannot be read"),
    "no rows in npy": (partial(array_header, shape=(3, 3)), "truncated; copy or save it again"),
    "npy of version 2": (
        partial(array_header, shape=(3, 3), version=2),
        "truncated; copy or save it again",
    ),
    "long header": (lambda path: array_header(path, (2, *[1] * 900, 2)), "cannot be read"),
    "python 2": (lambda path: python_2(path, rows=1), "truncated; copy or save it again"),
    "bzip2 in npz": (
        lambda path: zipped(path, b"", method=zipfile.ZIP_BZIP2),
        "unsupported compression",
    ),
    "damaged dictionary": (
        lambda path: truncate_by(dictionary, path, 9, masks=np.eye(9)),
        "the Python objects in it are not read",
    ),
    "objects instead of numbers": (
        partial(dictionary, masks=np.array([1, "a"], object)),
        "an array in it does not consist of numbers",
    ),
    "program in a dictionary": (partial(dictionary, masks=os.getcwd), "refers to posix.getcwd"),
    "truncated matlab": (
        lambda path: truncate_by(matlab, path, 9, inst_map=np.eye(9)),
        "cannot be read",
    ),
    "matlab 7.3": (old_hdf5, "is an HDF5 file, as MATLAB saves with -v7.3; save it with -v7"),
    "hdf5": (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n"), "is an HDF5 file"),
    "no zip": (lambda path: path.write_bytes(b"PK\3\4 is no zip"), "not a zip file"),
    "text in npz": (lambda path: zipped(path, b"hello"), "cannot be read"),
    "damaged npz": (damaged_sum, "Bad CRC-32"),
    "header of 100 MB": (long_header, "cannot be read"),
    "many sizes": (
        partial(retagged, TileLength=(16,) * 9),
        "a width or height in its header is not a number",
    ),
    "lacks tiles": (partial(retagged, ImageWidth=17), "some strips or tiles are missing"),
    "huge png": (huge_png, "declares 4900000000 px"),
    "huge tiff": (partial(retagged, ImageWidth=70_000, ImageLength=70_000), "declares 4900000000"),
    "huge tile": (partial(retagged, TileWidth=70_000, TileLength=70_000), "declares 4900000000"),
    "huge npy": (partial(array_header, shape=(70_000, 70_000)), "declares 4900000000"),
    "beyond 64 bits": (partial(array_header, shape=(2**40, 2**40)), "declares 1208925819614629"),
    "huge npz": (partial(zipped_header, shape=(70_000, 70_000)), "declares 4900000000"),
}

INVALID: dict[str, tuple[Callable[[Path], Any], str]] = {
    "two maps": (two_maps, "more than one page"),
    "stack": (lambda path: tifffile.imwrite(path, np.ones((2, 9, 9), "u2")), "more than one page"),
    "stack in a page": (stack_in_a_page, "stack of images in one page"),
    "stack of ImageJ": (partial(stack_in_a_page, imagej=True), "stack of images in one page"),
    "circle of pages": (circle, "more than one page"),
    "colours": (
        lambda path: tifffile.imwrite(path, colours((9, 9, 3)), photometric="rgb"),
        "the 3 colour channels differ",
    ),
    "planes of colours": (
        lambda path: tifffile.imwrite(
            path, colours((3, 9, 9)), photometric="rgb", planarconfig="separate"
        ),
        "(3, 9, 9)",
    ),
    "fractions": (lambda path: tifffile.imwrite(path, np.full((4, 4), 0.5, "f4")), "contains 0.5"),
    "fractions, compressed": (
        lambda path: tifffile.imwrite(path, np.full((4, 4), 1.25), compression="zlib"),
        "contains 1.25",
    ),
    "infinite": (lambda path: tifffile.imwrite(path, np.full((4, 4), np.inf, "f4")), "inf"),
    "png in colour": (lambda path: png(path, colours((5, 7, 3))), "the 3 colour channels differ"),
    "png with alpha": (lambda path: png(path, np.ones((5, 7, 2), "u2")), "some cells are transp"),
    "colours in npy": (lambda path: npy(path, colours((5, 7, 4))), "the 3 colour channels differ"),
    "vector": (lambda path: npy(path, np.ones(5, int)), "(5,)"),
    "number": (lambda path: npy(path, np.array(5)), "()"),
    "stack in npy": (lambda path: npy(path, np.ones((2, 5, 5), int)), "(2, 5, 5)"),
    "no pixels": (lambda path: npy(path, np.ones((0, 5), int)), "no pixels"),
    "not a number in npy": (lambda path: npy(path, np.full((5, 5), np.nan)), "contains nan"),
    "complex npy": (lambda path: npy(path, np.ones((5, 5), complex)), "complex128"),
    "no inst_map": (partial(matlab, a=np.eye(3), b=np.eye(3)), "no variable 'inst_map' with numb"),
    "text in inst_map": (partial(matlab, inst_map="text"), "no variable 'inst_map' with numbers"),
    "stack in inst_map": (partial(matlab, inst_map=np.ones((2, 5, 5))), "(2, 5, 5)"),
    "no masks in a dictionary": (partial(dictionary, outlines=np.eye(3)), "no array 'masks'"),
    "stack in a dictionary": (partial(dictionary, masks=np.ones((2, 5, 5))), "(2, 5, 5)"),
    "fields": (lambda path: npy(path, np.zeros((2, 2), "u1,u2")), "ids must be integers"),
    "pickle": (lambda path: npy(path, np.full((2, 2), print)), "object"),
    "pickle in npz": (lambda path: npz(path, np.full((2, 2), print)), "object"),
    "two arrays": (lambda path: zipped(path, b"", b""), "contains 2 arrays, of which not exactly"),
}


@pytest.mark.parametrize("read", [read_labels, by_bands])
@pytest.mark.parametrize("case", [*UNREADABLE, *INVALID])
def test_unreadable_files(
    case: str, read: Callable[[Path], Any], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make, message = (UNREADABLE | INVALID)[case]
    path = tmp_path / "a b_label.tiff"
    make(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(LabelMapError) as caught:
            read(path)
    assert isinstance(caught.value, InvalidLabelsError) == (case in INVALID)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < len(str(path)) + 200
    assert capfd.readouterr().err == ""


def test_no_permission(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    write_labels(folder / "a_label.tiff", CELLS)
    folder.chmod(0)
    user = os.geteuid()
    try:
        if user == 0:  # whom no mode keeps out
            os.seteuid(65534)
        with pytest.raises(
            LabelMapError, match=r"a_label\.tiff: .* \(Permission denied\); check its"
        ):
            read_labels(folder / "a_label.tiff")
    finally:
        os.seteuid(user)
        folder.chmod(0o700)


@pytest.mark.parametrize(("write", "dtype"), WRITERS.values(), ids=WRITERS.keys())
def test_the_size_limit_is_the_users(
    write: Writer, dtype: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "a", CELLS.astype(dtype))
    monkeypatch.setenv("CELLBENCH_MAX_PIXELS", "6300")
    read_labels(tmp_path / "a")
    monkeypatch.setenv("CELLBENCH_MAX_PIXELS", "6299")
    with pytest.raises(
        LabelMapError,
        match=r"declares 6300 px, more than the limit of 6299; .* CELLBENCH_MAX_PIXELS",
    ):
        open_labels(tmp_path / "a")
    monkeypatch.setenv("CELLBENCH_MAX_PIXELS", "many")
    with pytest.raises(UsageError, match="CELLBENCH_MAX_PIXELS=many"):
        open_labels(tmp_path / "a")


def test_decoders_are_quiet(tmp_path: Path) -> None:
    """Checked in a process of its own: pytest takes over the loggers of this one."""
    (tmp_path / "a.tif").write_bytes(b"II*\0\x08\0\0\0")
    content = bytearray(imagecodecs.png_encode(CELLS.astype(np.uint16)))
    content[-17] ^= 1  # in the checksum of the pixels, at which libpng warns
    (tmp_path / "a.png").write_bytes(content)
    code = """
import logging, sys
logging.basicConfig()
from cellbench.errors import LabelMapError
from cellbench.labels import read_labels
for path in sys.argv[1:]:
    try:
        read_labels(path)
    except LabelMapError as error:
        print(error)
"""
    command = [sys.executable, "-W", "always", "-c", code, *sorted(map(str, tmp_path.iterdir()))]
    run = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert (run.stdout.count("cannot be read"), run.stderr) == (2, "")


@pytest.mark.parametrize(("write", "dtype"), WRITERS.values(), ids=WRITERS.keys())
def test_truncated_files_are_errors_or_whole(
    write: Writer, dtype: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path, labels = tmp_path / "a", CELLS.astype(dtype)
    write(path, labels)
    content = path.read_bytes()
    length = len(content)
    ends = {*range(0, min(400, length), 3), *range(400, length, 997), *range(length - 30, length)}
    for end in sorted(ends):
        path.write_bytes(content[:end])
        with suppress(LabelMapError):
            np.testing.assert_array_equal(read_labels(path), labels, f"cut at {end}")
    assert capfd.readouterr().err == ""


@given(data=st.data(), name=st.sampled_from(sorted(WRITERS)))
@settings(max_examples=300, deadline=None)
def test_no_damage_escapes(data: st.DataObject, name: str) -> None:
    write, dtype = WRITERS[name]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("CELLBENCH_MAX_PIXELS", "100_000")
        path = Path(folder) / "a"
        write(path, CELLS.astype(dtype))
        content = bytearray(path.read_bytes())
        places = st.integers(0, min(len(content), 600) - 1) | st.integers(0, len(content) - 1)
        for place in data.draw(st.lists(places, min_size=1, max_size=6)):
            content[place] = data.draw(st.integers(0, 255))
        path.write_bytes(content)
        with suppress(LabelMapError):
            labels = read_labels(path)
            assert labels.ndim == 2
            assert labels.dtype.kind in "iu"
