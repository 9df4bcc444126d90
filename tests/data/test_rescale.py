"""Rescaled datasets: sizes, types, exact ids, the manifest, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from datasets import make_dataset

from cellbench.cli import main
from cellbench.csv_tables import read_rows
from cellbench.data.folder import read_dataset
from cellbench.data.rescale import rescale_dataset, resize_image, resize_labels
from cellbench.errors import DatasetError, ImageError, UsageError
from cellbench.images import read_channels, read_raw
from cellbench.labels import read_labels, write_labels

PIXEL_TYPES = ["uint8", "uint16", "int16", "int32", "uint32", "float32", "float64"]


def test_enlarged_by_two_every_pixel_of_a_label_map_becomes_four(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "data")
    words = ["data", "rescale", str(root), str(tmp_path / "out"), "--factor", "2"]
    assert main([*words, "--split", "test"]) == 0
    before = read_dataset(root, ["test"])
    after = read_dataset(tmp_path / "out")
    assert [(each.stem, each.split, each.modality) for each in after] == [
        (each.stem, "test", each.modality) for each in before
    ]
    for old, new in zip(before, after, strict=True):
        expected = np.kron(read_labels(old.labels), np.ones((2, 2), int))
        np.testing.assert_array_equal(read_labels(new.labels), expected)
        assert read_raw(new.image).shape == (2 * len(read_raw(old.image)), 192, 1)
        assert read_raw(new.image).mean() == pytest.approx(read_raw(old.image).mean(), abs=0.2)


def test_ids_stay_and_lost_cells_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_dataset(tmp_path / "data", images=1)
    labels = np.zeros((64, 96), np.int64)
    labels[10:30, 10:30], labels[40:60, 40:60], labels[0, 0] = 70_000, 9, 5
    write_labels(root / "test/labels/test0_label.tiff", labels)
    words = ["data", "rescale", str(root), str(tmp_path / "out"), "--factor", "0.5"]
    assert main(words) == 0
    summary = capsys.readouterr().out
    assert "3 images with" in summary
    assert "1 cell became too small and vanished" in summary
    found = read_labels(tmp_path / "out/test/labels/test0_label.tiff")
    ids, counts = np.unique(found, return_counts=True)
    assert dict(zip(ids.tolist(), counts.tolist(), strict=True)) == {0: 1336, 9: 100, 70_000: 100}


def test_the_manifest_follows(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "data", images=1)
    (root / "manifest.csv").write_text(
        "image,split,modality,source,height,width,cells,note\n"
        "test0.png,test,DIC,lab,64,96,99,old\ntrain0.png,train,,,64,96,99,\n"
    )
    rescale_dataset(root, tmp_path / "out", 1.5, ["test"])
    (row,) = read_rows(tmp_path / "out/manifest.csv", ["image"], DatasetError)
    cells = len(np.unique(read_labels(root / "test/labels/test0_label.tiff"))) - 1
    assert row == {
        **{"image": "test0.tif", "split": "test", "modality": "DIC", "source": "lab"},
        **{"height": "96", "width": "144", "cells": str(cells), "note": "old"},
    }


@pytest.mark.parametrize(
    ("dtype", "channels"),
    [("bool", 1), *((dtype, count) for dtype in PIXEL_TYPES for count in (1, 2, 3))],
)
def test_pixel_type_and_channels_are_kept(tmp_path: Path, dtype: str, channels: int) -> None:
    (tmp_path / "data/unlabeled/images").mkdir(parents=True)
    pixels = np.zeros((40, 60, channels), dtype)
    pixels[:, 30:] = 1 if dtype == "bool" else 200
    tifffile.imwrite(
        tmp_path / "data/unlabeled/images/a.tif",
        pixels if channels > 1 else pixels[..., 0],
        photometric="minisblack" if channels < 3 else "rgb",
        metadata={"axes": "YXS" if channels > 1 else "YX"},
        planarconfig="contig" if channels > 1 else None,
    )
    rescale_dataset(tmp_path / "data", tmp_path / "out", 0.5)
    found = read_raw(tmp_path / "out/unlabeled/images/a.tif")
    np.testing.assert_array_equal(found, pixels[::2, ::2])
    assert found.dtype == pixels.dtype


def test_shrinking_averages_and_enlarging_stays_between_the_values() -> None:
    pixels = np.array([[[0], [10]], [[20], [30]]], np.uint16)
    assert resize_image(pixels, (1, 1)).tolist() == [[[15]]]
    enlarged = resize_image(pixels, (6, 6))
    assert (enlarged.min(), enlarged.max()) == (0, 30)


@pytest.mark.parametrize("shape", [(7, 5), (3, 20), (1, 1), (13, 11)])
def test_a_pixel_of_a_label_map_has_the_id_at_its_middle(shape: tuple[int, int]) -> None:
    labels = np.arange(1, 78).reshape(7, 11)
    rows = np.floor((np.arange(shape[0]) + 0.5) * 7 / shape[0]).astype(int)
    columns = np.floor((np.arange(shape[1]) + 0.5) * 11 / shape[1]).astype(int)
    np.testing.assert_array_equal(resize_labels(labels, shape), labels[np.ix_(rows, columns)])


def test_what_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = make_dataset(tmp_path / "data", images=1)
    for factor in (0, -1, float("nan"), float("inf")):
        with pytest.raises(UsageError, match="must be a number above 0"):
            rescale_dataset(root, tmp_path / "out", factor)
    assert not (tmp_path / "out").exists()
    for out in (root, root / "new"):
        assert main(["data", "rescale", str(root), str(out), "--factor", "2"]) == 1
        assert "is in the dataset folder" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert main(["data", "rescale", str(root), str(tmp_path / "file"), "--factor", "2"]) == 1
    assert "exists and is not an empty folder" in capsys.readouterr().err
    for factor in ("1e6", "1e308"):
        assert main(["data", "rescale", str(root), str(tmp_path / "out"), "--factor", factor]) == 1
        message = capsys.readouterr().err
        assert "choose a smaller factor" in message
        assert len(message.splitlines()) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"data", "file"}


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize(
    ("channels", "photometric", "extra", "alpha"),
    [
        (7, "minisblack", [0] * 6, None),
        (2, "minisblack", ["unassalpha"], 1),
        (4, "rgb", ["unassalpha"], 3),
        (6, "rgb", [0, "unassalpha", 0], 4),
        (20, "minisblack", [0] * 19, None),
    ],
)
def test_all_channels_are_kept(
    tmp_path: Path, dtype: str, channels: int, photometric: str, extra: list[str], alpha: int | None
) -> None:
    (tmp_path / "data/unlabeled/images").mkdir(parents=True)
    pixels = np.kron(np.arange(24 * channels).reshape(4, 6, channels), np.ones((10, 10, 1))) / 2
    pixels = pixels.astype(dtype)
    source = tmp_path / "data/unlabeled/images/a.tif"
    tifffile.imwrite(
        source,
        pixels,
        **{"photometric": photometric, "extrasamples": extra, "planarconfig": "contig"},
        metadata={"axes": "YXS"},
    )
    rescale_dataset(tmp_path / "data", tmp_path / "out", 0.5)
    found, place = read_channels(tmp_path / "out/unlabeled/images/a.tif")
    assert (found.dtype, place) == (pixels.dtype, alpha)
    np.testing.assert_array_equal(found, pixels[::2, ::2])
    visible = read_raw(source)
    np.testing.assert_array_equal(
        read_raw(tmp_path / "out/unlabeled/images/a.tif"), visible[::2, ::2]
    )


def test_values_that_cannot_be_resized_are_refused() -> None:
    for pixels, message in (
        (np.full((2, 2, 1), 2**64 - 1, np.uint64), "beyond"),
        (np.full((2, 2, 1), -(2**60)), "beyond"),
        (np.full((2, 2, 1), np.inf, np.float32), "infinite"),
        (np.ones((2, 2, 1), np.complex64), "complex64"),
    ):
        with pytest.raises(ImageError, match=message):
            resize_image(pixels, (4, 4))
    assert (
        resize_image(np.full((2, 2, 600), 7, np.uint8), (4, 4)) == np.full((4, 4, 600), 7)
    ).all()
    assert (resize_image(np.full((2, 2, 1), 2**53, np.uint64), (4, 4)) == 2**53).all()


def test_an_image_that_fails_leaves_nothing_and_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_dataset(tmp_path / "data", images=1)
    (root / "unlabeled/images").mkdir(parents=True)
    damaged = root / "unlabeled/images/a.tif"
    tifffile.imwrite(damaged, np.full((8, 8), np.inf, np.float32))
    words = ["data", "rescale", str(root), str(tmp_path / "out"), "--factor", "2"]
    assert main(words) == 1
    assert f"{damaged}: infinite pixel values" in capsys.readouterr().err.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    damaged.unlink()
    assert main(words) == 0


def test_huge_ids_become_small_ones(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "data", images=1)
    labels = np.zeros((64, 96), np.int64)
    labels[:10, :10], labels[20:30, 20:30] = 2**40, 2**41
    np.save(root / "test/labels/test0_label.npy", labels)
    (root / "test/labels/test0_label.tiff").unlink()
    rescale_dataset(root, tmp_path / "out", 2, ["test"])
    expected = np.kron(labels >> 40, np.ones((2, 2), int))
    np.testing.assert_array_equal(
        read_labels(tmp_path / "out/test/labels/test0_label.tiff"), expected
    )


def test_splits_of_the_manifest_in_capitals(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "data", images=1)
    table = root / "manifest.csv"
    table.write_text(table.read_text().replace(",test,", ",Test,"))
    rescale_dataset(root, tmp_path / "out", 2, ["test"])
    assert read_dataset(tmp_path / "out")[0].modality == "fluorescence"
