"""Label maps: round trips, brute force as the oracle of ids, damaged files."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy as arrays
import imagecodecs
import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from cellbench.errors import InvalidLabelsError, LabelMapError
from cellbench.labels import (
    LabelMap,
    cell_ids,
    check_labels,
    frame_cell_ids,
    label_files,
    label_path,
    read_labels,
    relabel,
    remove_frame_cells,
    write_labels,
)

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)
LARGEST = 2**32 - 1


@st.composite
def label_maps(draw: st.DrawFn, dtype: str = "int64") -> LabelMap:
    """Draw maps with few, gapped ids, some beyond the 2**26 up to which a table is used."""
    largest = min(LARGEST, int(np.iinfo(dtype).max))
    near_limit = st.integers(2**26 - 2, 2**26 + 2) if largest > 2**27 else st.just(1)
    ids = draw(st.lists(st.integers(0, largest) | near_limit | st.just(0), min_size=1, max_size=6))
    return draw(arrays.arrays(dtype, SHAPES, elements=st.sampled_from(ids), fill=st.nothing()))


any_map = st.sampled_from(["uint8", "uint16", "uint32", "uint64", "int32", "int64"]).flatmap(
    label_maps
)


# Reading and writing


@given(labels=any_map)
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


@pytest.mark.parametrize(
    "options", [{}, {"compression": "lzw"}, {"bigtiff": True}, {"byteorder": ">"}]
)
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "uint32", "int64", "uint64"])
def test_other_writers_tiffs(options: dict[str, Any], dtype: str, tmp_path: Path) -> None:
    labels = np.arange(600).reshape(20, 30).clip(0, 1 if dtype == "bool" else 255).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", labels, **options)
    np.testing.assert_array_equal(read_labels(tmp_path / "a.tif"), labels)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_png(dtype: str, tmp_path: Path) -> None:
    labels = np.arange(250).reshape(10, 25).astype(dtype) * np.iinfo(dtype).max // 250
    (tmp_path / "a.PNG").write_bytes(imagecodecs.png_encode(labels.astype(dtype)))
    np.testing.assert_array_equal(read_labels(tmp_path / "a.PNG"), labels)


def damaged(path: Path) -> None:
    write_labels(path, np.random.default_rng(0).integers(0, 999, (300, 300)))
    path.write_bytes(path.read_bytes()[:5000])


def damaged_png(path: Path) -> None:
    path.write_bytes(imagecodecs.png_encode(np.eye(90, dtype=np.uint16))[:-40])


def two_maps(path: Path) -> None:
    with tifffile.TiffWriter(path) as file:
        for side in (4, 5):
            file.write(np.ones((side, side), np.uint16))


def float_map(path: Path) -> None:
    tifffile.imwrite(path, np.ones((4, 4), np.float32))


UNREADABLE: dict[str, tuple[str, Callable[[Path], Any], str]] = {
    "missing": ("a.tif", Path.exists, "no such file"),
    "folder": ("a.tif", Path.mkdir, "no such file"),
    "empty": ("a.tif", Path.touch, "empty"),
    "text": ("a.tif", lambda path: path.write_text("hello"), "cannot be read"),
    "text png": ("a.png", lambda path: path.write_text("hello"), "cannot be read"),
    "truncated": ("a.tif", damaged, "cannot be read"),
    "header only": ("a.tif", lambda path: path.write_bytes(b"II*\0\x08\0\0\0"), "cannot be read"),
    "truncated png": ("a.png", damaged_png, "cannot be read"),
    "two sizes": ("a.tif", two_maps, "(4, 4), (5, 5)"),
    "float": ("a.tif", float_map, "float32"),
    "stack": ("a.tif", lambda path: tifffile.imwrite(path, np.ones((2, 9, 9), "u2")), "(2, 9, 9)"),
}


@pytest.mark.parametrize(("name", "make", "message"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_unreadable_files(
    name: str, make: Callable[[Path], Any], message: str, tmp_path: Path
) -> None:
    make(tmp_path / name)
    with pytest.raises(LabelMapError) as caught:
        read_labels(tmp_path / name)
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.ones((3, 3), np.float32), "float32"),
        (np.array([[1, -2]]), "negative id -2"),
        (np.ones((2, 3, 3), int), r"\(2, 3, 3\)"),
        (np.ones(4, int), r"\(4,\)"),
        (np.ones((0, 3), int), "no pixels"),
        (np.full((2, 2), "a"), "ids are integers"),
        (np.ones((2, 2), complex), "complex128"),
    ],
)
def test_arrays_that_are_no_label_map(labels: npt.NDArray[Any], message: str) -> None:
    with pytest.raises(InvalidLabelsError, match=f"^some file: .*{message}"):
        check_labels(labels, "some file")


@pytest.mark.parametrize("labels", [[[0, 1]], np.array([[False, True]]), np.array([[0, 1]], "u8")])
def test_label_maps_pass(labels: npt.NDArray[Any]) -> None:
    checked = check_labels(labels)
    assert np.issubdtype(checked.dtype, np.integer)
    assert checked.tolist() == [[0, 1]]


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
    with pytest.raises(OSError, match="a_label"):
        write_labels(path, np.eye(3, dtype=int))
    assert list(tmp_path.iterdir()) == [path]


def test_label_files(tmp_path: Path) -> None:
    for name in ("b_label.tiff", "a_label.PNG", "a.tiff", "c_label.txt", "d.x_label.tif"):
        (tmp_path / name).touch()
    assert list(label_files(tmp_path)) == ["a", "b", "d.x"]
    assert label_path(tmp_path, "b") == label_files(tmp_path)["b"]
    (tmp_path / "b_label.tif").touch()
    with pytest.raises(LabelMapError, match="has the same stem as b_label"):
        label_files(tmp_path)


# Ids


def without(labels: LabelMap, ids: npt.NDArray[Any]) -> LabelMap:
    return np.where(np.isin(labels, ids), 0, labels)


@given(labels=any_map)
@settings(max_examples=80, deadline=None)
def test_cell_ids_and_relabel(labels: LabelMap) -> None:
    ids, inverse = np.unique(np.append(labels.ravel(), 0), return_inverse=True)
    np.testing.assert_array_equal(cell_ids(labels), ids[ids > 0])
    assert cell_ids(labels).dtype == np.int64
    np.testing.assert_array_equal(relabel(labels), inverse[:-1].reshape(labels.shape))
    assert relabel(labels).dtype == np.uint16


def test_relabel_widens_at_65536_cells() -> None:
    labels = np.arange(65536).reshape(256, 256)
    assert relabel(labels).dtype == np.uint16
    np.testing.assert_array_equal(relabel(labels + 2**26), labels + 1)
    assert relabel(labels + 1).dtype == np.uint32


@given(labels=any_map, width=st.integers(0, 14))
@settings(max_examples=100, deadline=None)
def test_frame_cells(labels: LabelMap, width: int) -> None:
    height, columns = labels.shape
    rows, places = np.indices(labels.shape)
    inner = (rows >= width) & (rows < height - width)
    inner &= (places >= width) & (places < columns - width)
    ids = np.unique(labels[~inner])
    np.testing.assert_array_equal(frame_cell_ids(labels, width), ids[ids > 0])
    kept = remove_frame_cells(labels, width)
    np.testing.assert_array_equal(kept, without(labels, ids))
    assert kept.dtype == labels.dtype


@pytest.mark.parametrize(("offset", "kept"), [(0, False), (1, False), (2, True), (3, True)])
def test_the_official_frame_is_two_pixels(offset: int, kept: bool) -> None:
    labels = np.zeros((20, 20), np.uint16)
    labels[offset : offset + 5, 8:12] = 9
    for turned in (labels, labels.T, labels[::-1], labels.T[:, ::-1]):
        assert remove_frame_cells(turned).any() == kept


def test_ids_of_64_bits() -> None:
    large = np.array([[0, 2**53, 2**53 + 1], [5, 2**63 - 1, 0]], np.uint64)
    assert relabel(large).tolist() == [[0, 2, 3], [1, 4, 0]]
    assert cell_ids(large).tolist() == [5, 2**53, 2**53 + 1, 2**63 - 1]
    with pytest.raises(InvalidLabelsError, match="relabel below"):
        check_labels(large + np.uint64(2**62 + 2**62))
