"""GIF, WebP and JPEG 2000: read as they were written, one frame only, within the limit of pixels."""

import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from pictures import HEIGHT, WIDTH, Array, Writer, picture
from PIL import Image

from cellbench.errors import ImageError
from cellbench.images import image_shape, read_channels, read_image, read_raw


def jpeg2000(path: Path, array: Array) -> None:
    path.write_bytes(imagecodecs.jpeg2k_encode(array, level=0, codecformat="jp2"))


def code_stream(path: Path, array: Array) -> None:
    path.write_bytes(imagecodecs.jpeg2k_encode(array, level=0, codecformat="j2k"))


def webp(path: Path, array: Array) -> None:
    Image.fromarray(array).save(path, "WEBP", lossless=True, exact=True)


def gif(path: Path, array: Array) -> None:
    Image.fromarray(array).save(path, "GIF")


GRAY = (picture() // 4 * 4)[..., None].repeat(3, -1)  # 64 gray values, so that a palette holds them
LOSSLESS = [
    ("a.webp", webp, picture("uint8", 3), picture("uint8", 3)),
    ("rgba.webp", webp, picture("uint8", 4), picture("uint8", 4)[..., :3]),
    ("gray.gif", gif, GRAY[..., 0], GRAY),
    ("bits.gif", gif, GRAY[..., 0] > 99, np.where(GRAY[..., :1] > 99, 255, 0).astype(np.uint8)),
    *[
        (f"{kind}{channels}.jp2", write, picture(kind, channels), picture(kind, channels)[..., :3])
        for kind in ("uint8", "uint16")
        for channels in (1, 2, 3, 4)
        for write in (jpeg2000, code_stream)
    ],
    ("gray.jp2", jpeg2000, picture("uint16"), picture("uint16")[..., None]),
]


@pytest.mark.parametrize(("name", "write", "array", "expected"), LOSSLESS)
def test_lossless_files_read_back(
    name: str, write: Writer, array: Array, expected: Array, tmp_path: Path
) -> None:
    path = tmp_path / name
    write(path, array)
    raw = read_raw(path)
    np.testing.assert_array_equal(raw, expected)
    assert raw.dtype == expected.dtype
    assert image_shape(path) == (HEIGHT, WIDTH)
    assert read_image(path).shape == (HEIGHT, WIDTH, 3)


def test_the_fourth_channel_of_jpeg_2000_is_alpha(tmp_path: Path) -> None:
    jpeg2000(tmp_path / "a.jp2", picture("uint8", 4))
    assert read_channels(tmp_path / "a.jp2")[1] == 3
    Image.fromarray(picture("uint8", 2), "LA").save(tmp_path / "a.jp2", irreversible=False)
    assert read_channels(tmp_path / "a.jp2")[1] == 1
    np.testing.assert_array_equal(read_raw(tmp_path / "a.jp2"), picture("uint8", 2)[..., :1])
    jpeg2000(tmp_path / "a.jp2", picture("uint8", 5))
    assert read_channels(tmp_path / "a.jp2")[1] is None


def test_colours_of_gif(tmp_path: Path) -> None:
    indexed = Image.fromarray(picture("uint8", 3)).quantize(16)
    indexed.save(tmp_path / "a.gif")
    np.testing.assert_array_equal(read_raw(tmp_path / "a.gif"), np.asarray(indexed.convert("RGB")))


def test_lossy_webp_is_close(tmp_path: Path) -> None:
    array = picture("uint8", 3)
    Image.fromarray(array).save(tmp_path / "a.webp", quality=90)
    assert np.abs(read_raw(tmp_path / "a.webp").astype(int) - array).mean() < 6


@pytest.mark.parametrize("name", ["a.gif", "a.webp"])
def test_several_frames_are_refused(name: str, tmp_path: Path) -> None:
    frames = [Image.fromarray(picture("uint8", 3) // (k + 1)) for k in range(3)]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
    for read in (read_raw, image_shape):
        with pytest.raises(
            ImageError, match=f"{name}: contains a stack of several frames; save each"
        ):
            read(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "write", "array"),
    [
        (name, write, array)
        for name, write, array, _ in LOSSLESS
        if array.ndim == 3 or "gray" in name
    ],
)
def test_truncated_files_are_errors_or_whole(
    name: str, write: Writer, array: Array, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    write(path, array)
    whole, content = read_raw(path), path.read_bytes()
    for end in range(1, len(content), len(content) // 40 + 1):
        path.write_bytes(content[:end])
        with suppress(ImageError):
            np.testing.assert_array_equal(read_raw(path), whole)
            assert end > 0.9 * len(content)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("name", "write"), [("a.webp", webp), ("a.gif", gif), ("a.jp2", jpeg2000)])
def test_size_limit(
    name: str, write: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / name, GRAY)
    monkeypatch.setenv("CELLBENCH_MAX_PIXELS", str(HEIGHT * WIDTH))
    read_raw(tmp_path / name)
    monkeypatch.setenv("CELLBENCH_MAX_PIXELS", str(HEIGHT * WIDTH - 1))
    with pytest.raises(ImageError, match=f"{HEIGHT} × {WIDTH} px"):
        read_raw(tmp_path / name)


def enlarged_gif(data: bytearray) -> None:
    struct.pack_into("<HH", data, 6, 40_000, 40_000)


def enlarged_webp(data: bytearray) -> None:
    """Put a header in front that declares a canvas of 40,000 × 40,000 px."""
    side = (39_999).to_bytes(3, "little")
    data[12:12] = b"VP8X" + struct.pack("<II", 10, 0) + side + side
    struct.pack_into("<I", data, 4, len(data) - 8)


def enlarged_jpeg2000(data: bytearray) -> None:
    start = data.index(b"\xff\x4f\xff\x51") + 8
    struct.pack_into(">II", data, start, 40_000, 40_000)
    struct.pack_into(">II", data, start + 16, 40_000, 40_000)


@pytest.mark.parametrize(
    ("name", "write", "enlarge"),
    [
        ("a.gif", gif, enlarged_gif),
        ("a.webp", webp, enlarged_webp),
        ("a.jp2", jpeg2000, enlarged_jpeg2000),
    ],
)
def test_small_files_that_declare_a_huge_image(
    name: str, write: Writer, enlarge: Callable[[bytearray], None], tmp_path: Path
) -> None:
    write(tmp_path / name, GRAY[..., :1].repeat(3, -1))
    data = bytearray((tmp_path / name).read_bytes())
    enlarge(data)
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ImageError, match=r"bytes declare to contain|cannot be read"):
        read_raw(tmp_path / name)
