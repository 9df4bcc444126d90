"""The size of pixels: what each kind of file states, and what only says how large an image is printed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from cellbench.images.pixel_size import PixelSize, read_pixel_size
from cellbench.labels import read_labels, write_labels

PIXELS = np.zeros((20, 30), np.uint16)
APERIO = "Aperio Image Library v12\n30x20 [0,0 30x20] (256x256)|AppMag = 20|MPP = 0.4990|Left = 1"


def tiff(**options: Any) -> Callable[[Path], None]:
    return lambda path: tifffile.imwrite(path, PIXELS, **options)


def flat(**options: Any) -> Callable[[Path], None]:
    return lambda path: Image.new("L", (30, 20)).save(path, **options)


@pytest.mark.parametrize(
    ("name", "write", "expected"),
    [
        (
            "a.ome.tif",
            tiff(
                ome=True,
                metadata={
                    "PhysicalSizeX": 0.5,
                    "PhysicalSizeXUnit": "µm",
                    "PhysicalSizeY": 250,
                    "PhysicalSizeYUnit": "nm",
                },
            ),
            (0.5, 0.25, True),
        ),
        ("a.ome.tif", tiff(ome=True, metadata={"PhysicalSizeX": 25}), (25, 25, True)),
        ("a.tif", tiff(imagej=True, resolution=(4, 2), metadata={"unit": "um"}), (0.25, 0.5, True)),
        (
            "a.tif",
            tiff(imagej=True, resolution=(4, 4), metadata={"unit": r"\u00B5m"}),
            (0.25, 0.25, True),
        ),
        (
            "a.tif",
            tiff(imagej=True, resolution=(10, 10), metadata={"unit": "mm"}),
            (100, 100, True),
        ),
        (
            "a.tif",
            tiff(resolution=(20_000, 40_000), resolutionunit="CENTIMETER"),
            (0.5, 0.25, True),
        ),
        ("a.tif", tiff(resolution=(50_800, 50_800), resolutionunit="INCH"), (0.5, 0.5, True)),
        ("a.tif", tiff(resolution=(2000, 2000), resolutionunit="MILLIMETER"), (0.5, 0.5, True)),
        ("a.tif", tiff(resolution=(2, 4), resolutionunit="MICROMETER"), (0.5, 0.25, True)),
        ("a.tif", tiff(resolution=(72, 72), resolutionunit="INCH"), (352.7778, 352.7778, False)),
        ("a.svs", tiff(description=APERIO, metadata=None), (0.499, 0.499, True)),
        ("a.png", flat(dpi=(25_400, 25_400)), (1, 1, True)),
        ("a.jpg", flat(dpi=(300, 300)), (84.6667, 84.6667, False)),
        ("a.tif", tiff(metadata=None), None),
        ("a.tif", tiff(imagej=True, metadata={"unit": "pixel"}), None),
        ("a.tif", tiff(resolution=(0, 0), resolutionunit="CENTIMETER"), None),
        ("a.png", flat(), None),
        ("a.tif", lambda path: path.write_bytes(b"II*\0broken"), None),
        ("absent.tif", lambda _: None, None),
    ],
)
def test_what_files_state(
    name: str,
    write: Callable[[Path], None],
    expected: tuple[float, float, bool] | None,
    tmp_path: Path,
) -> None:
    write(tmp_path / name)
    found = read_pixel_size(tmp_path / name)
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert (found.x_um, found.y_um) == pytest.approx(expected[:2], rel=1e-5)
        assert found.on_sample is expected[2]


@pytest.mark.parametrize("side", [20, 600])
def test_a_label_map_keeps_it(side: int, tmp_path: Path) -> None:
    labels = np.arange(side * side).reshape(side, side) % 70
    write_labels(tmp_path / "a.tiff", labels, PixelSize(0.325, 0.65))
    assert read_pixel_size(tmp_path / "a.tiff") == PixelSize(0.325, 0.65)
    with tifffile.TiffFile(tmp_path / "a.tiff") as file:
        assert file.pages.first.tags["ResolutionUnit"].value == 3
    np.testing.assert_array_equal(read_labels(tmp_path / "a.tiff"), labels)


@pytest.mark.parametrize("size", [None, PixelSize(1e-30, 1), PixelSize(1, 1e30)])
def test_sizes_that_no_tag_can_hold_are_left_out(size: PixelSize | None, tmp_path: Path) -> None:
    write_labels(tmp_path / "a.tiff", np.ones((3, 4), int), size)
    write_labels(tmp_path / "b.tiff", np.ones((3, 4), int))
    assert (tmp_path / "a.tiff").read_bytes() == (tmp_path / "b.tiff").read_bytes()
