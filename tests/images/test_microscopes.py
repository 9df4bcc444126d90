"""CZI, ND2 and LIF: one image is read, several are refused, and a missing package is named."""

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from microscope_files import (
    CZI_FILES,
    CZI_HEIGHT,
    CZI_WIDTH,
    czi_picture,
    write_lif,
    write_nd2,
)
from pictures import Array

from cellbench.errors import ImageError
from cellbench.images import image_shape, read_image, read_raw

HERE = {name: find_spec(name) is not None for name in ("czifile", "nd2", "liffile")}
needs_czi = pytest.mark.skipif(not HERE["czifile"], reason="needs cellbench[formats]")
needs_nd2 = pytest.mark.skipif(not HERE["nd2"], reason="needs cellbench[formats]")
needs_lif = pytest.mark.skipif(not HERE["liffile"], reason="needs cellbench[formats]")

CZI_CONTENTS = {
    "gray.czi": czi_picture("uint16", 1),
    "rgb.czi": czi_picture("uint8", 3),
    "two_channels.czi": czi_picture("uint16", 2),
    "mosaic.czi": np.tile(czi_picture("uint16", 1), (1, 2, 1)),
}


@needs_czi
@pytest.mark.parametrize(("name", "array"), CZI_CONTENTS.items(), ids=CZI_CONTENTS)
def test_czi(name: str, array: Array) -> None:
    np.testing.assert_array_equal(read_raw(CZI_FILES / name), array)
    assert read_raw(CZI_FILES / name).dtype == array.dtype
    assert image_shape(CZI_FILES / name) == array.shape[:2]


@needs_czi
def test_reduced_copies_in_czi_are_left_out(tmp_path: Path) -> None:
    data = bytearray((CZI_FILES / "mosaic.czi").read_bytes())
    second = data.index(b"DV", data.index(b"DV", data.index(b"ZISRAWDIRECTORY")) + 2)
    data[second + 22] = 1  # the type of the pyramid
    (tmp_path / "a.czi").write_bytes(data)
    raw = read_raw(tmp_path / "a.czi")
    np.testing.assert_array_equal(raw[:, :CZI_WIDTH], CZI_CONTENTS["gray.czi"])
    assert not raw[:, CZI_WIDTH:].any()


@needs_czi
def test_compression_with_zstandard() -> None:
    """The last czifile for Python 3.11 does not read it."""
    import czifile

    if hasattr(czifile.CziFile, "scenes"):
        np.testing.assert_array_equal(read_raw(CZI_FILES / "zstd.czi"), CZI_CONTENTS["gray.czi"])
    else:
        with pytest.raises(ImageError, match=r"zstd\.czi: .*Zstandard.*Python 3\.12"):
            read_raw(CZI_FILES / "zstd.czi")


@needs_czi
@pytest.mark.parametrize(
    ("name", "message"), [("z_stack.czi", "Z 3"), ("scenes.czi", r"2 scenes \(0, 1\)|scene 2")]
)
def test_czi_with_several_images(name: str, message: str) -> None:
    with pytest.raises(ImageError, match=rf"{name}: contains .*({message}).*export") as caught:
        read_image(CZI_FILES / name)
    assert "\n" not in str(caught.value)


@needs_nd2
@pytest.mark.parametrize(
    ("dtype", "samples", "channels"), [("uint16", 1, 1), ("uint16", 2, 2), ("uint8", 3, 1)]
)
def test_nd2(dtype: str, samples: int, channels: int, tmp_path: Path) -> None:
    array = czi_picture(dtype, samples)
    write_nd2(tmp_path / "a.nd2", array, channels)
    np.testing.assert_array_equal(read_raw(tmp_path / "a.nd2"), array)
    assert image_shape(tmp_path / "a.nd2") == (CZI_HEIGHT, CZI_WIDTH)


@needs_lif
@pytest.mark.parametrize("channels", [1, 2])
def test_lif(channels: int, tmp_path: Path) -> None:
    array = czi_picture("uint16", channels)
    write_lif(tmp_path / "a.lif", np.ascontiguousarray(np.moveaxis(array, -1, 0)))
    np.testing.assert_array_equal(read_raw(tmp_path / "a.lif"), array)
    assert image_shape(tmp_path / "a.lif") == (CZI_HEIGHT, CZI_WIDTH)


@needs_lif
def test_lif_with_several_images(tmp_path: Path) -> None:
    planes = np.ascontiguousarray(np.moveaxis(czi_picture("uint16", 2), -1, 0))
    write_lif(tmp_path / "scenes.lif", *planes, axes="YX")
    write_lif(tmp_path / "stack.lif", planes, axes="ZYX")
    write_lif(tmp_path / "empty.lif")
    for name, message in {
        "scenes.lif": r"contains 2 images \(Image 0, Image 1\); export each",
        "stack.lif": "contains more than one image .*Z 2",
        "empty.lif": "contains no images",
    }.items():
        with pytest.raises(ImageError, match=f"{name}: {message}"):
            read_raw(tmp_path / name)


@needs_lif
def test_size_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_lif(tmp_path / "a.lif", czi_picture("uint16", 1)[..., 0])
    monkeypatch.setenv("CELLBENCH_MAX_PIXELS", "100")
    with pytest.raises(ImageError, match="declares 12 × 16 px"):
        read_raw(tmp_path / "a.lif")


@pytest.mark.parametrize(
    ("name", "package"), [("a.czi", "czifile"), ("a.nd2", "nd2"), ("a.lif", "liffile")]
)
def test_a_missing_package_is_named(
    name: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    path.write_bytes((CZI_FILES / "gray.czi").read_bytes())
    if name == "a.nd2":
        write_nd2(path, czi_picture("uint16", 1))
    if name == "a.lif":
        write_lif(path, czi_picture("uint16", 1)[..., 0])
    monkeypatch.setitem(sys.modules, package, None)  # the import fails
    for read in (read_raw, image_shape):
        with pytest.raises(ImageError) as caught:
            read(path)
        assert f"{path}: {name[2:].upper()} files need the package {package}" in str(caught.value)
        assert 'pip install "cellbench[formats]"' in str(caught.value)


def test_another_file_of_the_name_is_an_error(tmp_path: Path) -> None:
    for name in ("a.czi", "a.nd2", "a.lif"):
        (tmp_path / name).write_text("a cell")
        with pytest.raises(ImageError, match=f"{name}: not an image in a format that is read"):
            read_raw(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        pytest.param("a.czi", b"ZISRAWFILE" + bytes(99), marks=needs_czi),
        pytest.param("a.nd2", b"\xda\xce\xbe\x0a", marks=needs_nd2),
    ],
)
def test_a_file_that_ends_early(name: str, data: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ImageError, match=r"read as an image \(the file is damaged or incomplete\)"):
        read_raw(tmp_path / name)
