"""The table of the cells of an image."""

import csv
from pathlib import Path

import numpy as np
import pytest
from label_maps import discs
from skimage.measure import regionprops

from cellbench.images.pixel_size import PixelSize
from cellbench.inference.measurements import measure_cells, write_measurements

IN_PIXELS = [
    "id",
    "centroid_x_px",
    "centroid_y_px",
    "area_px",
    "equivalent_diameter_px",
    "eccentricity",
]
IN_UM = ["centroid_x_um", "centroid_y_um", "area_um2", "equivalent_diameter_um"]
ONE_CHANNEL = ["mean_intensity_1", "max_intensity_1"]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_values_are_those_of_scikit_image() -> None:
    labels = discs(seed=1)
    channels = np.random.default_rng(0).random((*labels.shape, 2)).astype(np.float32)
    rows = list(measure_cells(labels, channels))
    for row, region in zip(rows, regionprops(labels, channels), strict=True):
        assert row["id"] == region.label
        assert (row["centroid_y_px"], row["centroid_x_px"]) == pytest.approx(
            region.centroid, abs=1e-4
        )
        assert row["area_px"] == region.area
        assert row["equivalent_diameter_px"] == pytest.approx(
            region.equivalent_diameter_area, abs=1e-4
        )
        assert row["eccentricity"] == pytest.approx(region.eccentricity, abs=1e-4)
        means = [row["mean_intensity_1"], row["mean_intensity_2"]]
        assert means == pytest.approx(region.intensity_mean, rel=1e-5)
        assert row["max_intensity_2"] == pytest.approx(region.intensity_max[1], rel=1e-6)


def test_micrometres_only_if_the_size_on_the_sample_is_known(tmp_path: Path) -> None:
    labels = np.zeros((20, 20), int)
    labels[2:6, 4:12] = 9
    channels = np.full((20, 20, 1), 7, np.uint16)
    for name, size, columns in (
        ("a", None, [*IN_PIXELS, *ONE_CHANNEL]),
        ("b", PixelSize(84, 84, on_sample=False), [*IN_PIXELS, *ONE_CHANNEL]),
        ("c", PixelSize(0.5, 0.25), [*IN_PIXELS, *IN_UM, *ONE_CHANNEL]),
    ):
        write_measurements(tmp_path / f"{name}.csv", labels, channels, size)
        (row,) = read(tmp_path / f"{name}.csv")
        assert list(row) == columns
        assert (row["id"], row["area_px"]) == ("9", "32")
        assert (row["centroid_x_px"], row["centroid_y_px"]) == ("7.5", "3.5")
        assert (row["mean_intensity_1"], row["max_intensity_1"]) == ("7.0", "7.0")
    assert (row["centroid_x_um"], row["centroid_y_um"], row["area_um2"]) == ("3.75", "0.875", "4.0")
    assert float(row["equivalent_diameter_um"]) == pytest.approx(2 * np.sqrt(4 / np.pi), rel=1e-6)


@pytest.mark.parametrize("labels", [np.zeros((5, 4), int), np.eye(5, 4, dtype=int)])
def test_no_cells_and_boolean_images(labels: np.ndarray, tmp_path: Path) -> None:
    write_measurements(tmp_path / "a.csv", labels, np.ones((5, 4, 3), bool))
    assert len(read(tmp_path / "a.csv")) == labels.max()
    header = (tmp_path / "a.csv").read_text().splitlines()[0]
    assert header.endswith("mean_intensity_3,max_intensity_3")
