"""The table of the cells of an image: position, size, shape and intensity.

The columns of ``<image>_cells.csv``, one row per cell:

- ``id``: the id of the cell in the label map.
- ``centroid_x_px``, ``centroid_y_px``: the centre of mass, in pixels from the centre of the top left pixel.
- ``area_px``: number of pixels.
- ``equivalent_diameter_px``: diameter of the circle with the same area.
- ``eccentricity``: that of the ellipse with the same second moments; 0 for a circle, towards 1 for a line.
- ``centroid_x_um``, ``centroid_y_um``, ``area_um2``, ``equivalent_diameter_um``: the same in micrometres
  and square micrometres; only if the image file states the size of its pixels on the sample.
- ``mean_intensity_1``, ``max_intensity_1``, ``mean_intensity_2``, …: the mean and the largest value of each
  channel as it is stored in the file, without normalisation. An alpha channel is left out.
- ``score``, ``uncertainty``: how sure the model is of the cell, and how unsure of its outline; only of
  models whose representation measures this when it decodes the label map. Its ``decode_cells`` may return
  other measures as well.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cellbench.csv_tables import write_rows
from cellbench.errors import UsageError
from cellbench.images.pixel_size import PixelSize
from cellbench.labels import LabelMap

_SHAPE = ("area", "equivalent_diameter_area", "eccentricity")
_INTENSITY = ("intensity_mean", "intensity_max")
_DECIMALS = 4
_DIGITS = 7

Measures = Mapping[str, Sequence[float]]
"""Values by name of the measure; those of cell 1 first."""


def write_measurements(
    path: str | Path,
    labels: LabelMap,
    channels: npt.NDArray[Any],
    pixel_size: PixelSize | None = None,
    measures: Measures | None = None,
) -> None:
    """Write the table of the cells of an image, see [`cellbench.inference.measurements`][].

    Args:
        path: the CSV file; it is written completely or not at all.
        labels: (H, W) label map.
        channels: (H, W, C) values as they are stored in the image file.
        pixel_size: size of the pixels; None if it is not known.
        measures: what decoding found out about each cell; the ids of the label map are 1 … N then.

    Raises:
        UsageError: if a measure has the name of another column.
    """
    known = pixel_size if pixel_size is not None and pixel_size.on_sample else None
    columns, decoded = _columns(channels.shape[2], known is not None), measures or {}
    if taken := sorted(decoded.keys() & set(columns)):
        raise UsageError(
            f"{path}: the model's measure {taken[0]!r} has the name of another column of the table; rename "
            "it in decode_cells of the representation"
        )
    rows = (
        row | {name: _short(values[int(row["id"]) - 1]) for name, values in decoded.items()}
        for row in measure_cells(labels, channels, known)
    )
    write_rows(path, [*columns, *decoded], rows)


def _columns(channels: int, in_um: bool) -> list[str]:
    shape = ["area_px", "equivalent_diameter_px", "eccentricity"]
    sizes = ["centroid_x_um", "centroid_y_um", "area_um2", "equivalent_diameter_um"] * in_um
    intensity = [
        f"{name}_intensity_{number}"
        for number in range(1, channels + 1)
        for name in ("mean", "max")
    ]
    return ["id", "centroid_x_px", "centroid_y_px", *shape, *sizes, *intensity]


def measure_cells(
    labels: LabelMap, channels: npt.NDArray[Any], pixel_size: PixelSize | None = None
) -> Iterator[dict[str, float]]:
    """Measure every cell with scikit-image's ``regionprops_table``.

    Args:
        labels: (H, W) label map.
        channels: (H, W, C) values of the image.
        pixel_size: size of the pixels; None leaves out the columns in micrometres.

    Yields:
        Value by column for each cell, ids ascending.

    Examples:
        >>> cell = next(measure_cells(np.array([[0, 3, 3]]), np.array([[[9], [4], [6]]])))
        >>> cell["id"], cell["centroid_x_px"], cell["area_px"], cell["mean_intensity_1"]
        (3, 1.5, 2, 5.0)
    """
    for measured in _regions(labels, channels):
        x, y = measured["centroid-1"], measured["centroid-0"]
        area, diameter = measured["area"], measured["equivalent_diameter_area"]
        row = {
            "id": int(measured["label"]),
            "centroid_x_px": round(x, _DECIMALS),
            "centroid_y_px": round(y, _DECIMALS),
            "area_px": int(area),
            "equivalent_diameter_px": round(diameter, _DECIMALS),
            "eccentricity": round(measured["eccentricity"], _DECIMALS),
        }
        if pixel_size is not None:
            pixel_area = pixel_size.x_um * pixel_size.y_um
            row["centroid_x_um"] = _short(x * pixel_size.x_um)
            row["centroid_y_um"] = _short(y * pixel_size.y_um)
            row["area_um2"] = _short(area * pixel_area)
            row["equivalent_diameter_um"] = _short(diameter * math.sqrt(pixel_area))
        for index in range(channels.shape[2]):
            row[f"mean_intensity_{index + 1}"] = _short(measured[f"intensity_mean-{index}"])
            row[f"max_intensity_{index + 1}"] = _short(measured[f"intensity_max-{index}"])
        yield row


def _regions(labels: LabelMap, channels: npt.NDArray[Any]) -> Iterator[dict[str, float]]:
    from skimage.measure import regionprops_table

    if channels.dtype.kind == "b":
        channels = channels.view(np.uint8)
    table = regionprops_table(
        labels, channels, properties=("label", "centroid", *_SHAPE, *_INTENSITY)
    )
    values = [column.tolist() for column in table.values()]
    for row in zip(*values, strict=True):
        yield dict(zip(table, row, strict=True))


def _short(value: float) -> float:
    """Round to digits that floats of 32 bits have, as image files do."""
    return float(f"{value:.{_DIGITS}g}")
