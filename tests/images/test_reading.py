"""Images of every format, type and layout read back as they were written."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from pictures import HEIGHT, WIDTH, Array, Writer, official, opencv, picture, pillow, png, tiff
from PIL import Image

from cellbench.errors import ImageError
from cellbench.images import image_files, image_shape, normalise, read_image, read_raw

INTEGERS = ["uint8", "uint16", "int8", "int16", "int32", "uint32", "int64"]
GRAY_TYPES = [*INTEGERS, "float16", "float32", "float64", "bool"]
TIFF_OPTIONS: list[dict[str, Any]] = [
    {},
    {"compression": "zlib", "predictor": True},
    {"compression": "lzw"},
    {"compression": "zstd", "tile": (16, 16)},
    {"compression": "packbits", "rowsperstrip": 5},
    {"bigtiff": True},
    {"byteorder": ">"},
    {"ome": True},
]
LOSSLESS = [
    *[pytest.param("a.tif", tiff(), picture(kind), id=f"tiff-{kind}") for kind in GRAY_TYPES],
    *[
        pytest.param("a.tif", tiff(photometric="rgb", **options), picture(kind, 3), id=f"{options}")
        for options in TIFF_OPTIONS
        for kind in ("uint8", "uint16")
    ],
    pytest.param("a.tif", tiff(photometric="rgb"), picture("float32", 3), id="tiff-rgb-float"),
    pytest.param("a.tif", tiff(imagej=True), picture("uint16"), id="imagej"),
    pytest.param("a.tif", tiff(photometric="miniswhite"), picture(), id="miniswhite as stored"),
    pytest.param("a.tif", tiff(metadata=None), picture("uint16"), id="tiff without metadata"),
    *[
        pytest.param("a.png", png, picture(kind, channels), id=f"png-{kind}-{channels}")
        for kind in ("uint8", "uint16")
        for channels in (0, 3)
    ],
    pytest.param("a.png", pillow, picture("uint8", 3), id="pillow png"),
    pytest.param("a.tif", pillow, picture("uint8", 3), id="pillow tiff"),
    pytest.param("a.tif", pillow, picture("float32"), id="pillow float tiff"),
    pytest.param("a.bmp", pillow, picture("uint8", 3), id="bmp-rgb"),
    pytest.param("a.bmp", pillow, picture(), id="bmp-gray"),
    pytest.param("a.png", opencv, picture("uint16", 3), id="opencv png"),
    pytest.param("a.tiff", opencv, picture("uint16", 3), id="opencv tiff"),
    pytest.param("a.bmp", opencv, picture("uint8", 3), id="opencv bmp"),
    pytest.param("wrong.jpg", png, picture("uint16", 3), id="png named jpg"),
    pytest.param("wrong.png", tiff(compression="lzw"), picture(), id="tiff named png"),
]


@pytest.mark.parametrize(("name", "write", "array"), LOSSLESS)
def test_lossless_files_read_back(name: str, write: Writer, array: Array, tmp_path: Path) -> None:
    path = tmp_path / name
    write(path, array)
    raw = read_raw(path)
    np.testing.assert_array_equal(raw, array if array.ndim == 3 else array[..., None])
    assert raw.dtype == array.dtype
    assert image_shape(path) == (HEIGHT, WIDTH)
    image = read_image(path)
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert image.dtype == np.float32
    numbers = array.astype(np.uint8) if array.dtype == bool else array
    np.testing.assert_array_equal((image * 255).round().astype(np.uint8), official(numbers))


@pytest.mark.parametrize(
    ("name", "write", "array"),
    [
        pytest.param("a.jpg", pillow, picture("uint8", 3), id="jpeg-rgb"),
        pytest.param("a.jpeg", pillow, picture(), id="jpeg-gray"),
        pytest.param("a.jpg", opencv, picture("uint8", 3), id="opencv jpeg"),
        pytest.param(
            "a.tif",
            tiff(compression="jpeg", photometric="rgb"),
            picture("uint8", 3),
            id="jpeg-tiff",
        ),
        pytest.param(
            "a.jpg",
            lambda path, array: Image.fromarray(array).convert("CMYK").save(path),
            picture("uint8", 3),
            id="jpeg-cmyk",
        ),
    ],
)
def test_jpeg_is_close(name: str, write: Writer, array: Array, tmp_path: Path) -> None:
    write(tmp_path / name, array)
    raw = read_raw(tmp_path / name)
    assert np.abs(raw.astype(int) - array.reshape(HEIGHT, WIDTH, -1)).mean() < 6
    assert image_shape(tmp_path / name) == raw.shape[:2] == (HEIGHT, WIDTH)


def moved(array: Array) -> Array:
    return np.moveaxis(array, -1, 0)


UNASSOCIATED = {"photometric": "minisblack", "planarconfig": "contig"}
CHANNELS = [
    ("gray+alpha png", png, picture("uint8", 2), slice(1)),
    ("gray+alpha 16-bit png", png, picture("uint16", 2), slice(1)),
    ("rgba png", png, picture("uint8", 4), slice(3)),
    ("rgba 16-bit png", png, picture("uint16", 4), slice(3)),
    ("rgba tiff", tiff(photometric="rgb"), picture("uint8", 4), slice(3)),
    ("rgba tiff 16", tiff(photometric="rgb", extrasamples=[2]), picture("uint16", 4), slice(3)),
    ("gray+alpha tiff", tiff(extrasamples=[2], **UNASSOCIATED), picture("uint8", 2), slice(1)),
    ("gray+associated", tiff(extrasamples=[1], **UNASSOCIATED), picture("uint8", 2), slice(1)),
    ("two channels", tiff(extrasamples=[0], **UNASSOCIATED), picture("uint8", 2), slice(2)),
    ("two and alpha", tiff(extrasamples=[0, 2], **UNASSOCIATED), picture("uint8", 3), slice(2)),
    ("five samples", tiff(**UNASSOCIATED), picture("uint16", 5), slice(3)),
    ("QYX last 2", tiff(), picture("uint8", 2), slice(2)),
    ("QYX last 5", tiff(), picture("uint8", 5), slice(3)),
    ("QYX last 16", tiff(), picture("float32", 16), slice(3)),
    (
        "YXC",
        tiff(photometric="minisblack", metadata={"axes": "YXC"}),
        picture("uint8", 3),
        slice(3),
    ),
]
CHANNELS_FIRST = [
    ("QYX first 2", tiff(photometric="minisblack"), 2),
    ("QYX first 4", tiff(photometric="minisblack"), 4),
    ("SYX", tiff(photometric="rgb", planarconfig="separate"), 3),
    ("CYX", tiff(photometric="minisblack", metadata={"axes": "CYX"}), 7),
    ("CYX of one page", tiff(photometric="minisblack", metadata={"axes": "CYX"}), 1),
    ("imagej CYX", tiff(imagej=True, metadata={"axes": "CYX"}), 3),
    ("ome CYX", tiff(ome=True, photometric="minisblack", metadata={"axes": "CYX"}), 5),
    ("zlib CYX", tiff(compression="zlib", photometric="minisblack", metadata={"axes": "CYX"}), 2),
]


@pytest.mark.parametrize(
    ("write", "array", "kept"), [case[1:] for case in CHANNELS], ids=[case[0] for case in CHANNELS]
)
def test_channel_rules(write: Writer, array: Array, kept: slice, tmp_path: Path) -> None:
    path = tmp_path / ("a.png" if write is png else "a.tif")
    write(path, array)
    np.testing.assert_array_equal(read_raw(path), array[..., kept])
    assert image_shape(path) == (HEIGHT, WIDTH)
    expected = array[..., :1].repeat(3, -1) if kept.stop == 1 else array[..., kept]
    np.testing.assert_array_equal(normalise(read_raw(path)), official(expected))


@pytest.mark.parametrize(
    ("write", "count"),
    [case[1:] for case in CHANNELS_FIRST],
    ids=[case[0] for case in CHANNELS_FIRST],
)
def test_channels_first(write: Writer, count: int, tmp_path: Path) -> None:
    array = picture("uint16", count)
    write(tmp_path / "a.tif", np.ascontiguousarray(moved(array)))
    np.testing.assert_array_equal(read_raw(tmp_path / "a.tif"), array[..., :3])
    assert image_shape(tmp_path / "a.tif") == (HEIGHT, WIDTH)


def test_two_channels_leave_the_third_black() -> None:
    result = normalise(picture("uint8", 2))
    assert result[..., 1].any()
    assert not result[..., 2].any()


def test_singleton_axes_are_squeezed(tmp_path: Path) -> None:
    array = picture("uint16")
    tifffile.imwrite(tmp_path / "a.tif", array[None, None, ..., None])
    np.testing.assert_array_equal(read_raw(tmp_path / "a.tif")[..., 0], array)
    tifffile.imwrite(tmp_path / "row.tif", array[:1])
    assert (
        image_shape(tmp_path / "row.tif") == read_raw(tmp_path / "row.tif").shape[:2] == (1, WIDTH)
    )


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif"])
def test_palettes_become_rgb(name: str, tmp_path: Path) -> None:
    indexed = Image.fromarray(picture("uint8", 3)).quantize(16)
    indexed.save(tmp_path / name)
    np.testing.assert_array_equal(read_raw(tmp_path / name), np.asarray(indexed.convert("RGB")))
    assert image_shape(tmp_path / name) == (HEIGHT, WIDTH)


def test_one_bit_palette_and_eight_bit_palette_values(tmp_path: Path) -> None:
    colours = np.zeros((3, 256), np.uint16)
    colours[:, 1] = 10, 20, 30
    indices = (picture() > 99).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", indices, photometric="palette", colormap=colours)
    np.testing.assert_array_equal(read_raw(tmp_path / "a.tif"), colours.T[indices])


@pytest.mark.parametrize("name", ["a.png", "a.bmp"])
def test_one_bit_files_are_black_and_white(name: str, tmp_path: Path) -> None:
    mask = picture() > 99
    Image.fromarray(mask).save(tmp_path / name)
    np.testing.assert_array_equal(read_raw(tmp_path / name)[..., 0], mask * np.uint8(255))


def test_pyramids_give_the_full_resolution(tmp_path: Path) -> None:
    array = np.tile(picture("uint8", 3), (4, 4, 1))
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        options: dict[str, Any] = {"photometric": "rgb", "tile": (32, 32)}
        file.write(array, subifds=1, **options)
        file.write(array[::2, ::2], subfiletype=1, **options)
    with tifffile.TiffWriter(tmp_path / "flat.tif") as file:
        file.write(array, metadata=None, **options)
        file.write(array[::2, ::2], subfiletype=1, metadata=None, **options)
    for name in ("a.tif", "flat.tif"):
        np.testing.assert_array_equal(read_raw(tmp_path / name), array)
        assert image_shape(tmp_path / name) == array.shape[:2]


def test_shape_reads_no_pixels(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    png(path, picture("uint16", 3))
    path.write_bytes(path.read_bytes()[:60])
    assert image_shape(path) == (HEIGHT, WIDTH)


def test_image_files(tmp_path: Path) -> None:
    for name in ("b.PNG", "a.x.tiff", "notes.txt", ".hidden.png"):
        (tmp_path / name).touch()
    assert list(image_files(tmp_path)) == ["a.x", "b"]
    (tmp_path / "b.jpg").touch()
    with pytest.raises(ImageError, match=r"b\.jpg: has the same stem as b\.PNG"):
        image_files(tmp_path)


def test_import_is_light() -> None:
    heavy = "{'torch', 'PIL', 'cv2', 'skimage', 'scipy', 'pandas'}"
    code = f"import sys, cellbench.images; sys.exit(len({heavy} & set(sys.modules)))"
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2]).returncode == 0
    )
