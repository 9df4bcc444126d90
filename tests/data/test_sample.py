"""The built-in sample: the same every time, readable, valid, varied, and shifted between train and test."""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import regionprops

from cellbench.data.folder import MODALITIES, read_dataset
from cellbench.data.sample import SYNTHETIC, make_sample
from cellbench.data.sample_shapes import MIN_AREA
from cellbench.errors import DatasetError
from cellbench.images import read_image, read_raw
from cellbench.labels import read_labels


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sample")
    make_sample(root)
    return root


@pytest.fixture(scope="module")
def rows(sample: Path) -> list[dict[str, str]]:
    with (sample / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def truths(sample: Path, rows: list[dict[str, str]]) -> dict[str, np.ndarray]:
    """Label maps of the synthetic pictures, by image name."""
    return {
        row["image"]: read_labels(
            sample / row["split"] / "labels" / f"{Path(row['image']).stem}_label.tiff"
        )
        for row in rows
        if row["source"] == SYNTHETIC
    }


def image_paths(sample: Path, rows: list[dict[str, str]]) -> Iterator[tuple[dict[str, str], Path]]:
    for row in rows:
        yield row, sample / row["split"] / "images" / row["image"]


def files_of(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


@pytest.mark.slow
def test_every_sample_has_the_same_bytes_even_after_an_interruption(
    sample: Path, tmp_path: Path
) -> None:
    started = tmp_path / "train" / "images" / "dic_00.tiff"
    started.parent.mkdir(parents=True)
    started.write_bytes(b"half")
    make_sample(tmp_path)
    assert files_of(tmp_path) == files_of(sample)


def test_no_partial_files_stay(sample: Path) -> None:
    assert not [name for name in files_of(sample) if "partial" in name]


def test_every_image_has_truth_of_its_size(sample: Path, rows: list[dict[str, str]]) -> None:
    images = read_dataset(sample)
    assert len(images) == len(rows) == 45
    for image in images:
        assert image.modality in MODALITIES
        assert image.labels is not None
        assert read_labels(image.labels).shape == read_image(image.image).shape[:2]


def test_stems_are_unique_over_all_splits(rows: list[dict[str, str]]) -> None:
    assert len({Path(row["image"]).stem for row in rows}) == len(rows)


@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize(("split", "count"), [("train", 6), ("tune", 2), ("test", 3)])
def test_splits_hold_every_modality(
    rows: list[dict[str, str]], modality: str, split: str, count: int
) -> None:
    found = [row for row in rows if row["source"] == SYNTHETIC and row["split"] == split]
    assert sum(row["modality"] == modality for row in found) == count


@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff", ".jpg", ".bmp"])
def test_file_formats(rows: list[dict[str, str]], suffix: str) -> None:
    assert any(row["image"].endswith(suffix) for row in rows)


@pytest.mark.parametrize(
    ("dtype", "channels"),
    [("uint8", 1), ("uint8", 3), ("uint8", 4), ("uint16", 1), ("float32", 1)],
)
def test_number_types_and_channels(
    sample: Path, rows: list[dict[str, str]], dtype: str, channels: int
) -> None:
    kind = {"dtype": dtype, "channels": str(channels)}
    found = [(row, path) for row, path in image_paths(sample, rows) if kind.items() <= row.items()]
    assert found
    for row, path in found:
        raw = read_raw(path)
        assert raw.dtype == dtype
        assert raw.shape == (int(row["height"]), int(row["width"]), min(channels, 3))


def test_pictures_use_their_range_and_are_not_saturated(
    sample: Path, rows: list[dict[str, str]]
) -> None:
    for row, path in image_paths(sample, rows):
        raw = read_raw(path)
        assert len(np.unique(raw)) > 50, row["image"]
        if row["source"] == SYNTHETIC:
            assert np.mean(raw == raw.max()) < 0.06, row["image"]


def test_labels_are_consecutive_connected_and_large_enough(
    truths: dict[str, np.ndarray],
) -> None:
    for name, labels in truths.items():
        cells = regionprops(labels)
        assert [cell.label for cell in cells] == list(range(1, len(cells) + 1)), name
        assert min(cell.area for cell in cells) >= MIN_AREA, name
        assert all(ndimage.label(cell.image)[1] == 1 for cell in cells), name


def test_manifest_counts_the_cells(
    rows: list[dict[str, str]], truths: dict[str, np.ndarray]
) -> None:
    for row in rows:
        if row["image"] in truths:
            assert int(row["cells"]) == truths[row["image"]].max()


def test_sizes_of_cells_and_images_vary(truths: dict[str, np.ndarray]) -> None:
    diameters = [
        np.median([cell.equivalent_diameter_area for cell in regionprops(labels)])
        for labels in truths.values()
    ]
    assert min(diameters) < 15
    assert max(diameters) > 30
    assert any(labels.shape[0] != labels.shape[1] for labels in truths.values())
    assert max(labels.size for labels in truths.values()) == 600 * 700


def test_cells_touch_and_stand_alone(truths: dict[str, np.ndarray]) -> None:
    for name, labels in truths.items():
        pieces = ndimage.label(labels > 0)[1]
        assert pieces < labels.max(), f"{name}: no two cells touch"
        assert pieces > 1, f"{name}: one clump"


def test_test_split_is_dimmer_and_its_cells_larger(
    sample: Path, rows: list[dict[str, str]], truths: dict[str, np.ndarray]
) -> None:
    light: dict[str, list[float]] = {"train": [], "test": []}
    area: dict[str, list[float]] = {"train": [], "test": []}
    for row, path in image_paths(sample, rows):
        if row["split"] in light and row["image"] in truths:
            largest = {"uint8": 255, "uint16": 65535, "float32": 1}[row["dtype"]]
            if row["modality"] == "brightfield":
                light[row["split"]].append(float(read_raw(path).mean() / largest))
            labels = truths[row["image"]]
            area[row["split"]].append(np.count_nonzero(labels) / labels.max())
    assert np.mean(light["test"]) < 0.9 * np.mean(light["train"])
    assert np.mean(area["test"]) > 1.1 * np.mean(area["train"])


def test_the_real_picture_comes_with_its_mask_as_it_is(
    sample: Path, rows: list[dict[str, str]]
) -> None:
    data = pytest.importorskip("stardist.data")
    image, mask = data.test_image_nuclei_2d(return_mask=True)
    (row,) = (row for row in rows if row["source"] != SYNTHETIC)
    assert (row["split"], row["modality"]) == ("test", "fluorescence")
    assert "StarDist" in row["source"]
    np.testing.assert_array_equal(read_raw(sample / "test/images" / row["image"])[..., 0], image)
    stem = Path(row["image"]).stem
    np.testing.assert_array_equal(read_labels(sample / f"test/labels/{stem}_label.tiff"), mask)


def test_a_complete_sample_is_left_alone(sample: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in sample.rglob("*")}
    make_sample(sample)
    assert before == {path: path.stat().st_mtime_ns for path in sample.rglob("*")}


@pytest.mark.slow
def test_a_sample_that_lacks_a_file_is_made_again(sample: Path) -> None:
    before = files_of(sample)
    (sample / "train/labels/dic_00_label.tiff").unlink()
    make_sample(sample)
    assert files_of(sample) == before


def test_images_of_another_dataset_are_not_mixed_in(tmp_path: Path) -> None:
    (tmp_path / "train" / "images").mkdir(parents=True)
    (tmp_path / "train" / "images" / "mine.png").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"mine\.png: does not belong to the sample"):
        make_sample(tmp_path)
    assert sorted(files_of(tmp_path)) == ["train/images/mine.png"]
