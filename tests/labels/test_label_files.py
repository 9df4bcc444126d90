"""Files of label maps: every format round trips, by bands as at once."""

import struct
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy as arrays
import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from label_formats import CELLS, SHAPE, WRITERS, Writer, by_bands, npy, npz, tiff

from cellbench.errors import InvalidLabelsError, LabelMapError, WriteError
from cellbench.labels import (
    LabelMap,
    banded,
    in_bands,
    label_files,
    label_path,
    open_labels,
    read_labels,
    write_labels,
)


@pytest.fixture(params=WRITERS)
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, LabelMap]:
    """A file, its name without a telling extension, and what it holds."""
    write, dtype = WRITERS[request.param]
    labels = CELLS.astype(dtype)
    write(tmp_path / "a_label.bin", labels)
    return tmp_path / "a_label.bin", labels


# What can be read


def test_every_format_reads_at_once_and_by_bands(
    stored: tuple[Path, LabelMap], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, labels = stored
    back = read_labels(path)
    np.testing.assert_array_equal(back, labels)
    assert back.dtype == {"?": "u1", "u8": "i8"}.get(labels.dtype.str[1:], back.dtype)
    for pixels in (1, 11 * SHAPE[1], 10**6):
        monkeypatch.setattr(banded, "BAND_PIXELS", pixels)
        np.testing.assert_array_equal(by_bands(path), labels)


@given(
    labels=arrays.arrays(
        st.sampled_from(["u1", "u2", "u4", "i2", "i8"]),
        arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=70),
        elements=st.integers(0, 100),
    ),
    part=st.none() | st.integers(1, 80) | st.sampled_from([(16, 16), (16, 48), (64, 32)]),
    compression=st.sampled_from([None, "zlib", "lzw", "packbits"]),
    byteorder=st.sampled_from("<>"),
    band=st.integers(1, 3000),
)
@settings(max_examples=150, deadline=None)
def test_tiffs_read_as_tifffile_reads_them(
    labels: LabelMap, part: object, compression: str | None, byteorder: str, band: int
) -> None:
    options: dict[str, Any] = {"compression": compression, "byteorder": byteorder}
    options["tile" if isinstance(part, tuple) else "rowsperstrip"] = part
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(banded, "BAND_PIXELS", band)
        path = Path(folder) / "a.tif"
        tifffile.imwrite(path, labels, **options)
        np.testing.assert_array_equal(by_bands(path), tifffile.imread(path))
        np.testing.assert_array_equal(read_labels(path), labels)


@pytest.mark.parametrize("nodata", [0, 7])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("shape", [(16, 16), (16, 48), (48, 48)])
@pytest.mark.parametrize("kind", ["Tile", "Strip"])
def test_empty_strips_and_tiles_are_background(
    kind: str, shape: tuple[int, int], compression: str | None, nodata: int, tmp_path: Path
) -> None:
    """Sparse files, as GDAL writes them: a segment with neither place nor length."""
    height, width = shape if kind == "Tile" else (shape[0], 48)
    part = {"tile": shape} if kind == "Tile" else {"rowsperstrip": height}
    labels = np.arange(1, 48 * 48 + 1).reshape(48, 48).astype(np.uint16)
    value = [(42113, "s", 0, str(nodata), True)]
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, labels, compression=compression, extratags=value, **part)
    with tifffile.TiffFile(path, mode="r+") as file:
        for name in ("Offsets", "ByteCounts"):
            tag = file.pages.first.tags[kind + name]
            tag.overwrite([place % 2 * number for place, number in enumerate(tag.value)])
    corners = [(row, left) for row in range(0, 48, height) for left in range(0, 48, width)]
    for row, left in corners[::2]:
        labels[row : row + height, left : left + width] = nodata
    np.testing.assert_array_equal(read_labels(path), labels)
    np.testing.assert_array_equal(by_bands(path), labels)


def test_strips_without_their_number_of_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    for compression in (None, "zlib"):
        tifffile.imwrite(path, CELLS.astype(np.uint16), compression=compression, rowsperstrip=70)
        content = path.read_bytes()
        tag = struct.pack("<HH", 278, 4)  # RowsPerStrip becomes a private tag
        tag = tag if tag in content else struct.pack("<HH", 278, 3)
        assert content.count(tag) == 1
        path.write_bytes(content.replace(tag, struct.pack("<HH", 65279, tag[2])))
        with tifffile.TiffFile(path) as file:
            assert "RowsPerStrip" not in file.pages.first.tags
        np.testing.assert_array_equal(read_labels(path), CELLS)


BOUNDED: dict[str, Writer] = {
    "tiles": tiff(compression="zlib", tile=(64, 64)),
    "strips": tiff(compression="lzw", rowsperstrip=16),
    "plain": tiff(),
    "npy": npy,
    "npz": npz,
}


@pytest.mark.parametrize("write", BOUNDED.values(), ids=BOUNDED.keys())
def test_bands_take_little_memory(
    write: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(banded, "BAND_PIXELS", 1 << 16)
    labels = np.kron(np.arange(400).reshape(20, 20), np.ones((100, 64), int)).astype(np.uint32)
    write(tmp_path / "a", labels)
    opened = open_labels(tmp_path / "a")
    next(opened.bands())  # what is imported late counts once
    tracemalloc.start()
    pixels = sum(band.size for band in opened.bands())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert pixels == labels.size
    assert peak < labels.nbytes / 4


def test_the_first_band_decodes_no_more_than_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiff(compression="zlib", tile=(16, 16))(tmp_path / "a", CELLS.astype("u2"))
    decoded = []
    decode = tifffile.TIFF.DECOMPRESSORS[8]
    counted = {8: lambda *words, **options: decoded.append(1) or decode(*words, **options)}
    monkeypatch.setattr(tifffile.TIFF, "DECOMPRESSORS", counted)
    monkeypatch.setattr(banded, "BAND_PIXELS", 1)
    next(open_labels(tmp_path / "a").bands())
    assert len(decoded) == 6 + 1  # the tiles of a row, and the one that shows that it is done


# Arrays as bands


@pytest.mark.parametrize("dtype", ["?", "i2", ">u4", "<u8", ">u8"])
@pytest.mark.parametrize("rows", [None, 1, 3, 10])
def test_arrays_in_bands(dtype: str, rows: int | None) -> None:
    labels = np.arange(30).reshape(10, 3).astype(dtype)
    opened = in_bands(labels)
    bands = list(opened.bands(rows))
    assert [len(band) for band in bands[:-1]] == [rows] * (len(bands) - 1)
    np.testing.assert_array_equal(np.concatenate(bands), labels)
    np.testing.assert_array_equal(opened.whole(), labels)
    assert opened.dtype == bands[0].dtype == opened.whole().dtype
    assert opened.dtype.isnative


def test_ids_beyond_63_bits(tmp_path: Path) -> None:
    for order in "<>":
        npy(tmp_path / "a.npy", np.full((2, 2), 2**63, f"{order}u8"))
        for read in (read_labels, by_bands):
            with pytest.raises(InvalidLabelsError, match=r"a\.npy: has the id 9223372036854775808"):
                read(tmp_path / "a.npy")


def test_negative_ids_are_found_in_files(tmp_path: Path) -> None:
    for write in (tiff(), tiff(compression="zlib"), npy, npz):
        write(tmp_path / "a", np.array([[1, -2]]))
        with pytest.raises(InvalidLabelsError, match="a: has the negative id -2"):
            read_labels(tmp_path / "a")


# Writing, and finding

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)
LARGEST = 2**32 - 1


@given(labels=arrays.arrays("i8", SHAPES, elements=st.integers(0, LARGEST) | st.integers(0, 9)))
@settings(max_examples=80, deadline=None)
def test_written_maps_read_back(labels: LabelMap) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "new" / "a_label.tiff"
        write_labels(path, labels)
        back = read_labels(path)
        assert [file.name for file in path.parent.iterdir()] == ["a_label.tiff"]
    np.testing.assert_array_equal(back, labels)
    assert back.dtype == (np.uint16 if labels.max() < 65536 else np.uint32)


@pytest.mark.parametrize("largest", [65535, 65536, LARGEST])
@pytest.mark.parametrize("shape", [(700, 900), (513, 512), (1, 2000)])
def test_types_and_tiles(largest: int, shape: tuple[int, int], tmp_path: Path) -> None:
    labels = np.random.default_rng(0).integers(0, largest, shape, endpoint=True)
    labels[0, 0] = largest
    write_labels(tmp_path / "a.tiff", labels)
    np.testing.assert_array_equal(read_labels(tmp_path / "a.tiff"), labels)
    with tifffile.TiffFile(tmp_path / "a.tiff") as file:
        assert file.pages.first.dtype == ("uint16" if largest < 65536 else "uint32")
        assert file.pages.first.is_tiled == (min(shape) > 512)
        assert file.pages.first.compression == tifffile.COMPRESSION.ADOBE_DEFLATE


@pytest.mark.parametrize("labels", [np.array([[2**32]]), np.array([[-1]]), np.array([[0.5]])])
def test_a_failed_write_leaves_the_old_file(labels: npt.NDArray[Any], tmp_path: Path) -> None:
    path = tmp_path / "a_label.tiff"
    write_labels(path, np.eye(3, dtype=int))
    before = path.read_bytes()
    with pytest.raises(LabelMapError, match="a_label"):
        write_labels(path, labels)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_in_the_way_stays(tmp_path: Path) -> None:
    path = tmp_path / "a_label.tiff"
    path.mkdir()
    with pytest.raises(WriteError, match=r"a_label\.tiff: cannot be written \(Is a directory\)"):
        write_labels(path, np.eye(3, dtype=int))
    assert list(tmp_path.iterdir()) == [path]


def test_label_files(tmp_path: Path) -> None:
    for name in ("b_label.tiff", "a_label.PNG", "a.tiff", "c_label.txt", "d.x_label.npz"):
        (tmp_path / name).touch()
    assert list(label_files(tmp_path)) == ["a", "b", "d.x"]
    assert label_path(tmp_path, "b") == label_files(tmp_path)["b"]
    (tmp_path / "b_label.tif").touch()
    with pytest.raises(LabelMapError, match="has the same stem as b_label"):
        label_files(tmp_path)


def test_an_archive_with_an_array_that_is_called_labels(tmp_path: Path) -> None:
    for name in ("labels", "Masks", "inst_map"):
        np.savez_compressed(tmp_path / "a.npz", image=CELLS + 1, **{name: CELLS})
        np.testing.assert_array_equal(read_labels(tmp_path / "a.npz"), CELLS)
    np.savez(tmp_path / "a.npz", masks=CELLS, labels=CELLS)
    with pytest.raises(InvalidLabelsError, match="contains 2 arrays, of which not exactly one"):
        read_labels(tmp_path / "a.npz")
