"""Files that are no image, or only a part of one: one line that names the file, and no noise."""

import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from pictures import HEIGHT, WIDTH, Writer, picture, pillow, png, tiff
from PIL import Image

from cellbench.errors import ImageError
from cellbench.images import read_image, read_raw


def pages(*shapes: tuple[int, ...], **options: dict[str, str] | None) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with tifffile.TiffWriter(path) as file:
            for shape in shapes:
                file.write(np.ones(shape, np.uint8), photometric="minisblack", **options)

    return write


def zero_sized(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tifffile.imwrite(path, np.zeros((0, 5), np.uint8))


BROKEN: dict[str, tuple[str, Callable[[Path], Any], str]] = {
    "missing": ("a.png", Path.exists, "no such file"),
    "folder": ("a.tif", Path.mkdir, "is a folder"),
    "empty": ("a.tif", Path.touch, "empty"),
    "text": (
        "a.png",
        lambda path: path.write_text("hello"),
        "not an image in a format that is read (TIFF, PNG, JPEG, BMP, GIF, WebP",
    ),
    "text like BMP": ("a.bmp", lambda path: path.write_text("BMW, 7"), "cannot be read"),
    "icon": ("a.png", lambda path: Image.new("L", (9, 9)).save(path, "ICO"), "not an image in a"),
    "z stack": ("a.tif", pages((5, 9, 9), metadata={"axes": "ZYX"}), "stack of 5 pages"),
    "time": ("a.tif", pages((2, 9, 9), metadata={"axes": "TYX"}), "axes 'CYX'"),
    "plain stack": ("a.tif", pages((30, 40, 50)), "stack of 30 pages"),
    "pages": ("a.tif", pages((9, 9), (9, 9), (9, 9), metadata=None), "stack of 3 pages"),
    "other sizes": ("a.tif", pages((9, 9), (9, 8)), "stack of 2 pages"),
    "channels and time": ("a.tif", pages((2, 3, 9, 9), metadata={"axes": "TCYX"}), "6 pages"),
    "complex": ("a.tif", lambda path: tifffile.imwrite(path, np.ones((4, 4), "c8")), "complex64"),
    "no pixels": ("a.tif", zero_sized, "no pixels"),
}


@pytest.mark.parametrize(("name", "make", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_errors_name_the_file_in_one_line(
    name: str,
    make: Callable[[Path], Any],
    message: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    make(tmp_path / name)
    with pytest.raises(ImageError) as caught:
        read_image(tmp_path / name)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_decoders_are_quiet(tmp_path: Path) -> None:
    """Checked in a process of its own: pytest takes over the loggers of this one."""
    path = tmp_path / "a.tif"
    path.write_bytes(b"II*\0\x08\0\0\0")
    code = "import sys, cellbench.images as images; images.read_image(sys.argv[1])"
    command = [sys.executable, "-W", "always", "-c", code, str(path)]
    run = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert run.stderr.startswith("Traceback")
    assert "invalid offset" not in run.stderr


TRUNCATED: list[tuple[str, Writer]] = [
    ("a.png", png),
    ("a.jpg", pillow),
    ("a.bmp", pillow),
    ("a.tif", tiff(photometric="rgb")),
    *[
        ("a.tif", tiff(photometric="rgb", compression=compression))
        for compression in ("zlib", "lzw", "jpeg")
    ],
    ("a.tif", tiff(photometric="rgb", compression="jpeg", tile=(16, 16))),
    ("a.tif", pillow),
]


@pytest.mark.parametrize(("name", "write"), TRUNCATED)
def test_truncated_files_are_errors_or_whole(
    name: str, write: Writer, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    write(path, picture("uint8", 3))
    whole, content = read_raw(path), path.read_bytes()
    ends = {*range(1, 40, 3), *range(40, len(content), len(content) // 50 + 1), len(content) - 30}
    for end in sorted(ends):
        path.write_bytes(content[:end])
        with suppress(ImageError):
            np.testing.assert_array_equal(read_raw(path), whole)
            assert end > 0.9 * len(content)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("name", "write"), [("a.tif", tiff()), ("a.png", png), ("a.bmp", pillow)])
def test_size_limit(
    name: str, write: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / name, picture())
    monkeypatch.setenv("CELLBENCH_MAX_PIXELS", str(HEIGHT * WIDTH))
    read_raw(tmp_path / name)
    monkeypatch.setenv("CELLBENCH_MAX_PIXELS", str(HEIGHT * WIDTH - 1))
    with pytest.raises(ImageError, match=f"{HEIGHT} × {WIDTH} px"):
        read_raw(tmp_path / name)


def test_pillows_own_limit_does_not_fire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.png", "a.jpg", "a.bmp"):
        pillow(tmp_path / name, picture("uint8", 3))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    for name in ("a.png", "a.jpg", "a.bmp"):
        assert read_raw(tmp_path / name).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate"])
@pytest.mark.parametrize("cut", range(1, 9))
def test_a_tiff_whose_last_tag_is_cut(tmp_path: Path, compression: str, cut: int) -> None:
    from PIL import Image

    path = tmp_path / "cut.tif"
    Image.new("RGB", (20, 20), (9, 99, 200)).save(path, compression=compression)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(ImageError, match=r"cut\.tif"):
        read_raw(path)


def test_lzw_that_would_crash_the_decoder(tmp_path: Path) -> None:
    path = tmp_path / "crash.tif"
    tifffile.imwrite(path, np.zeros((9, 9), np.uint8), compression="lzw")
    with tifffile.TiffFile(path) as file:
        (offset,) = file.pages.first.dataoffsets
    content = bytearray(path.read_bytes())
    content[offset : offset + 3] = b"\x80\x7f\xff"  # a clear, then a code that is not yet there
    path.write_bytes(content)
    with pytest.raises(
        ImageError, match=r"crash\.tif: cannot be read as an image \(invalid LZW code 511"
    ):
        read_raw(path)
