"""Describing a dataset folder: exact numbers of a small one, and every problem on one line."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image

from cellbench.data.describe import describe, format_description
from cellbench.data.folder import write_manifest
from cellbench.errors import DatasetError
from cellbench.labels import write_labels


def save(root: Path, split: str, name: str, image: object, cells: list[int] | None = None) -> None:
    """Save an image, and a label map with square cells of these sides."""
    path = root / split / "images" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.asarray(image)
    if path.suffix == ".png":
        Image.fromarray(array).save(path)
    else:
        tifffile.imwrite(path, array)
    if cells is None:
        return
    labels = np.zeros(array.shape[:2], np.uint16)
    for number, side in enumerate(cells):
        labels[:side, number * 8 : number * 8 + side] = 900 + number
    write_labels(root / split / "labels" / f"{path.stem}_label.tiff", labels)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    save(tmp_path, "train", "a.png", np.zeros((20, 30), np.uint8), [2, 4, 6])
    save(tmp_path, "train", "b.tif", np.zeros((40, 10, 3), np.uint16), [])
    save(tmp_path, "train", "c.tif", np.zeros((20, 30), np.float32), [4])
    save(tmp_path, "tune", "d.png", np.zeros((8, 9, 3), np.uint8), [5])
    modalities = {"a.png": "DIC", "b.tif": "DIC", "c.tif": "fluorescence"}
    write_manifest(tmp_path, [{"image": k, "modality": m} for k, m in modalities.items()])
    return tmp_path


def test_numbers(root: Path) -> None:
    table = describe(root)
    assert table.attrs["problems"] == []
    assert table["split"].tolist() == ["train", "train", "tune"]
    first = table.iloc[0].to_dict()
    assert first.pop("diameter_median") == pytest.approx(2 * np.sqrt(16 / np.pi))
    assert first == {
        "split": "train",
        "modality": "DIC",
        "images": 2,
        "cells": 3,
        "cells_median": 1.5,
        "cells_min": 0,
        "cells_max": 3,
        "height_min": 20,
        "height_max": 40,
        "width_min": 10,
        "width_max": 30,
        "formats": "uint16 × 3, uint8 × 1",
        "without_cells": 1,
        "without_labels": 0,
    }


def test_text(root: Path) -> None:
    lines = format_description(describe(root)).splitlines()
    shown = "train DIC 2 3 1.5 0–3 20–40 10–30 4.5 uint16 × 3, uint8 × 1 1 0"
    assert " ".join(lines[1].split()) == shown
    assert lines[3].split()[:2] == ["tune", "unknown"]
    assert lines[-2:] == ["", "0 problems"]


def test_problems_are_one_line_each(root: Path) -> None:
    save(root, "tune", "bare.png", np.zeros((5, 5), np.uint8))
    save(root, "tune", "small.png", np.zeros((5, 5), np.uint8), [2])
    save(root, "tune", "broken.png", np.zeros((5, 5), np.uint8), [2])
    save(root, "tune", "torn.png", np.zeros((5, 5), np.uint8), [2])
    write_labels(root / "tune/labels/small_label.tiff", np.eye(6, dtype=int))
    write_labels(root / "tune/labels/lonely_label.tiff", np.eye(6, dtype=int))
    (root / "tune/images/broken.png").write_bytes(b"")
    (root / "tune/labels/torn_label.tiff").write_bytes(b"")
    table = describe(root)
    problems = table.attrs["problems"]
    ends = [line.split("/")[-1] for line in problems]
    assert problems[0] == (
        f"{root}/tune/images/bare.png: has no label map; wanted bare_label.tiff (or bare_masks.png, "
        f"bare.tif, …) in {root}/tune/labels, found lonely_label.tiff"
    )
    assert ends[1].startswith("broken.png: the file is empty")
    assert ends[2] == "small_label.tiff: the label map is (6, 6), but its image is (5, 5)"
    assert ends[3].startswith("torn_label.tiff: the file is empty")
    assert ends[4:] == ["lonely_label.tiff: has no image"]
    tune = table[table["split"] == "tune"].iloc[0]
    assert (tune["images"], tune["without_labels"]) == (5, 1)
    assert format_description(table).splitlines()[-6:] == [*problems, "5 problems"]


def test_unlabeled_images_are_counted_and_are_no_problem(root: Path) -> None:
    save(root, "unlabeled", "more.png", np.zeros((5, 7), np.uint8))
    table = describe(root)
    row = table[table["split"] == "unlabeled"].iloc[0]
    assert (row["images"], row["without_labels"], row["width_max"], row["cells"]) == (1, 1, 7, 0)
    assert table.attrs["problems"] == []


def test_a_split_of_which_nothing_can_be_read(tmp_path: Path) -> None:
    save(tmp_path, "test", "x.png", np.zeros((5, 5), np.uint8))
    (tmp_path / "test/images/x.png").write_bytes(b"")
    text = format_description(describe(tmp_path))
    assert "?" in text
    assert text.endswith("2 problems")


def test_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no images in train/images"):
        describe(tmp_path)


def test_real_cells_are_described_as_their_manifest_says(tmp_path: Path) -> None:
    source = Path(__file__).parents[3] / "shared" / "data" / "open-cells"
    if not source.is_dir():
        pytest.skip(f"{source} is absent")
    (tmp_path / "test").symlink_to(source / "test")
    (tmp_path / "manifest.csv").symlink_to(source / "manifest.csv")
    table = describe(tmp_path).set_index("modality").sort_index()
    rows = pd.read_csv(source / "manifest.csv").query("split == 'test'").groupby("modality")
    pd.testing.assert_series_equal(table["images"], rows.size(), check_names=False)
    for column, expected in (
        ("cells", rows["cells"].sum()),
        ("cells_median", rows["cells"].median()),
        ("height_max", rows["height"].max()),
        ("width_min", rows["width"].min()),
    ):
        pd.testing.assert_series_equal(
            table[column], expected, check_names=False, check_dtype=False
        )
    assert table.attrs["problems"] == []


@pytest.mark.parametrize("module", ["importers", "download", "describe"])
def test_imports_stay_light(module: str) -> None:
    heavy = "{'torch', 'pandas', 'skimage'} & {*sys.modules}"
    code = f"import sys, cellbench.data.{module}; print({heavy})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"
