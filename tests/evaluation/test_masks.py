"""Predictions as a run-length table: drawn as written, every broken rule named with image and line."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_maps import blocky_maps

from cellbench.data.exporters import export_labels
from cellbench.data.mask_table import MaskRow
from cellbench.errors import InvalidLabelsError, ScoresError
from cellbench.evaluation.masks import MaskRows, read_mask_table
from cellbench.labels import LabelMap, encode_cells, relabel, write_labels


def table(folder: Path, *rows: str, header: str = "id,predicted") -> Path:
    path = folder / "mine.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def drawn(rows: MaskRows, shape: tuple[int, int]) -> list[list[int]]:
    return rows.open(shape).whole().tolist()


def test_ids_follow_the_rows(tmp_path: Path) -> None:
    found = read_mask_table(
        table(tmp_path, "x,5 2", "y.png,", "x,1 1 3 1", "x,", "z.b,1 6", "e\u0301.TIF,1 1")
    )
    assert list(found) == ["x", "y", "z.b", "é"]
    assert drawn(found["x"], (2, 3)) == [[2, 0, 2], [0, 1, 1]]
    assert drawn(found["y"], (2, 3)) == [[0, 0, 0], [0, 0, 0]]
    assert drawn(found["z.b"], (2, 3)) == [[1, 1, 1], [1, 1, 1]]
    assert found["x"].open((2, 3)).dtype == np.uint16
    again = pickle.loads(pickle.dumps(found["x"]))
    assert drawn(again, (2, 3)) == drawn(found["x"], (2, 3))


def test_runs_down_the_columns(tmp_path: Path) -> None:
    path = table(tmp_path, "x.png,2 2 5 1", "x,4 1", "y,", header="ImageId,EncodedPixels")
    found = read_mask_table(path)
    assert drawn(found["x"], (3, 2)) == [[0, 2], [1, 1], [1, 0]]
    assert found["y"].open((3, 2)).whole().tolist() == [[0, 0], [0, 0], [0, 0]]
    along = read_mask_table(path, "rows")["x"]
    assert drawn(along, (3, 2)) == [[0, 1], [1, 2], [1, 0]]
    assert along.fingerprint() != found["x"].fingerprint()
    assert [len(starts) for starts, _ in found["x"].cells((3, 2))] == [2, 1]


@given(labels=blocky_maps())
def test_the_columns_are_the_rows_of_the_transposed_map(labels: LabelMap) -> None:
    cells = tuple(MaskRow(2, runs, None) for _, runs in encode_cells(labels.T))
    opened = MaskRows(Path("mine.csv"), "x", cells, "columns").open(labels.shape)
    np.testing.assert_array_equal(opened.whole() > 0, labels > 0)
    np.testing.assert_array_equal(relabel(opened.whole().T), relabel(labels.T))


@given(labels=blocky_maps(), rows=st.integers(1, 20))
def test_bands_are_the_whole_in_parts(labels: LabelMap, rows: int) -> None:
    cells = tuple(MaskRow(2, runs, None) for _, runs in encode_cells(labels))
    opened = MaskRows(Path("mine.csv"), "x", cells).open(labels.shape)
    np.testing.assert_array_equal(opened.whole(), relabel(labels))
    bands = list(opened.bands(rows))
    assert all(len(band) == rows for band in bands[:-1])
    np.testing.assert_array_equal(np.concatenate(bands), relabel(labels))


def test_many_cells_get_wider_ids(tmp_path: Path) -> None:
    labels = np.arange(70_000).reshape(280, 250)
    write_labels(tmp_path / "maps/x_label.tiff", labels)
    export_labels(tmp_path / "maps", tmp_path / "mine.csv", "kaggle-rle")
    opened = read_mask_table(tmp_path / "mine.csv")["x"].open(labels.shape)
    assert opened.dtype == np.uint32
    np.testing.assert_array_equal(opened.whole(), labels)


def test_long_rows_and_other_columns_are_read(tmp_path: Path) -> None:
    mask = np.arange(500 * 501).reshape(500, 501) % 2 == 1
    runs = next(encode_cells(mask))[1]
    assert len(runs) > 2**20
    path = table(tmp_path, f"501,x,500,{runs}", header="width,id,height,annotation")
    np.testing.assert_array_equal(read_mask_table(path)["x"].open(mask.shape).whole(), mask)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["x,1 2 3"], r"line 2, image x: run-length code: expected pairs of positive integers"),
        (["y,1 2", "x,-1 2"], r"line 3, image x: .* expected pairs of positive integers"),
        (["x,1.5 2"], r"line 2, image x: .* expected pairs of positive integers"),
        (["x,0 2"], r"line 2, image x: .* must be at least 1"),
        (["x,1 0"], r"line 2, image x: .* must be at least 1"),
        (["x,3 2 1 1"], r"line 2, image x: .* the runs are not sorted"),
        (["x,1 2 2 1"], r"line 2, image x: .* overlap at pixel 2"),
        (
            ["x,1 1", "x,12 2"],
            r"line 3, image x: .* ends at pixel 13, outside the image of 3 × 4 px",
        ),
        (
            ["x,5 4", "y,1 9", "x,1 3 8 1"],
            r"image x: the masks of lines 2 and 4 overlap at pixel 8",
        ),
        (["x,2 1", "x,1 12"], r"image x: the masks of lines 2 and 3 overlap at pixel 2"),
        (["x"], r"line 2, image x: has more or fewer fields than the header"),
        (["x,1 2,3 1"], r"line 2, image x: has more or fewer fields than the header"),
    ],
)
def test_broken_masks_are_named(rows: list[str], message: str, tmp_path: Path) -> None:
    path = table(tmp_path, *rows)
    with pytest.raises(InvalidLabelsError, match=message) as caught:
        read_mask_table(path)["x"].open((3, 4))
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_table_for_images_of_another_size(tmp_path: Path) -> None:
    path = table(tmp_path, "x,1 2,9,3", header="id,predicted,width,height")
    with pytest.raises(
        InvalidLabelsError, match="line 2, image x: states the size 3 × 9, but the image is 3 × 4"
    ):
        read_mask_table(path)["x"].open((3, 4))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "needs the columns id and annotation"),
        (b"image,predicted\nx,1 2\n", "needs the columns id and annotation"),
        (b"id,runs\nx,1 2\n", "needs the columns id and annotation"),
        (b"id,predicted\nx,\xff\n", "not a CSV file in UTF-8"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not a CSV file in UTF-8"),
        (None, r"not a CSV file in UTF-8 \(.*Is a directory"),
    ],
)
def test_files_that_are_no_table(content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(ScoresError, match=message) as caught:
        read_mask_table(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_the_fingerprint_is_of_the_rows(tmp_path: Path) -> None:
    def key(*rows: str) -> str:
        return read_mask_table(table(tmp_path, *rows))["x"].fingerprint()

    first = key("x,1 2", "x,5 1")
    assert key("y,1 1", "x,1 2", "x,5 1") == first
    others = [key("x,5 1", "x,1 2"), key("x,1 2"), key("x,1 3", "x,5 1"), key("x,1 2,", "x,5 1")]
    assert len({first, *others}) == 5
