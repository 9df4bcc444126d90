"""The orientation in EXIF data and TIFF tags: as Pillow displays the image, in images and label maps."""

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from pictures import HEIGHT, WIDTH, Array, picture
from PIL import Image, ImageOps

from cellbench.images import image_shape, read_channels, read_raw
from cellbench.images.orientation import exif_orientation
from cellbench.labels import open_labels, read_labels

ORIENTATIONS = range(1, 9)
TIFFS: list[dict[str, Any]] = [{}, {"compression": "zlib"}, {"tile": (16, 16)}, {"bigtiff": True}]
CELLS = (np.arange(HEIGHT * WIDTH, dtype=np.uint16) // 7).reshape(HEIGHT, WIDTH)


def displayed(array: Array, orientation: int) -> Array:
    """Turn an array as Pillow does."""
    exif = Image.Exif()
    exif[274] = orientation
    planes = []
    for plane in np.atleast_3d(array).transpose(2, 0, 1):
        image = Image.fromarray(plane.astype(np.int32))
        image.info["exif"] = exif.tobytes()
        planes.append(np.array(ImageOps.exif_transpose(image)))
    return np.stack(planes, -1).astype(array.dtype)


def exif_of(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[274] = orientation
    return exif.tobytes()


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.jpg"])
def test_exif(name: str, orientation: int, tmp_path: Path) -> None:
    options = {"lossless": True} if name == "a.webp" else {}
    Image.fromarray(picture("uint8", 3)).save(
        tmp_path / "plain", name[2:].replace("jpg", "jpeg"), **options
    )
    plain = read_raw(tmp_path / "plain")
    Image.fromarray(picture("uint8", 3)).save(tmp_path / name, exif=exif_of(orientation), **options)
    raw = read_raw(tmp_path / name)
    np.testing.assert_array_equal(raw, displayed(plain, orientation))
    assert image_shape(tmp_path / name) == raw.shape[:2]
    assert raw.flags.c_contiguous


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("options", TIFFS, ids=str)
def test_tiff(options: dict[str, Any], orientation: int, tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tag = (274, "H", 1, orientation, True)
    tifffile.imwrite(path, picture("uint16", 3), photometric="rgb", extratags=[tag], **options)
    np.testing.assert_array_equal(read_raw(path), displayed(picture("uint16", 3), orientation))
    assert image_shape(path) == read_raw(path).shape[:2]
    tifffile.imwrite(path, CELLS, extratags=[tag], **options)
    turned = displayed(CELLS, orientation)[..., 0]
    np.testing.assert_array_equal(read_labels(path), turned)
    opened = open_labels(path)
    assert (opened.shape, opened.dtype) == (turned.shape, np.uint16)
    np.testing.assert_array_equal(np.concatenate(list(opened.bands(4))), turned)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_png_label_maps(orientation: int, tmp_path: Path) -> None:
    path = tmp_path / "a_label.png"
    Image.fromarray(CELLS).save(path, exif=exif_of(orientation))
    np.testing.assert_array_equal(read_labels(path), displayed(CELLS, orientation)[..., 0])


def test_the_alpha_channel_stays_in_its_place(tmp_path: Path) -> None:
    array = picture("uint8", 4)
    Image.fromarray(array, "RGBA").save(tmp_path / "a.png", exif=exif_of(6))
    pixels, alpha = read_channels(tmp_path / "a.png")
    assert (pixels.shape, alpha) == ((WIDTH, HEIGHT, 4), 3)
    np.testing.assert_array_equal(read_raw(tmp_path / "a.png"), displayed(array[..., :3], 6))


def test_a_chunk_behind_the_pixels(tmp_path: Path) -> None:
    path, buffer = tmp_path / "a.png", io.BytesIO()
    Image.fromarray(CELLS).save(buffer, "PNG", exif=exif_of(8))
    data = buffer.getvalue()
    start = data.index(b"eXIf") - 4
    end = start + 12 + struct.unpack(">I", data[start : start + 4])[0]
    path.write_bytes(data[:start] + data[end:-12] + data[start:end] + data[-12:])
    assert image_shape(path) == (WIDTH, HEIGHT)
    np.testing.assert_array_equal(read_labels(path), displayed(CELLS, 8)[..., 0])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"Exif\0\0",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01",
        b"\xff" * 99,
    ],
)
def test_damaged_exif_data_do_not_matter(data: bytes, tmp_path: Path) -> None:
    assert exif_orientation(data) == 1
    for name in ("a.png", "a.jpg", "a.webp"):
        Image.fromarray(picture("uint8", 3)).save(tmp_path / name, exif=data)
        assert read_raw(tmp_path / name).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_invalid_orientations_do_not_matter(value: int, tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, CELLS, extratags=[(274, "H", 1, value, True)])
    np.testing.assert_array_equal(read_raw(path)[..., 0], CELLS)
    np.testing.assert_array_equal(read_labels(path), CELLS)
