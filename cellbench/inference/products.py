"""What `cellbench segment` writes beside a label map: a picture with outlines, and a table of the cells."""

from collections.abc import Collection
from pathlib import Path
from typing import Literal

import numpy as np

from cellbench.files import written_whole
from cellbench.images import normalise, read_channels
from cellbench.images.pixel_size import read_pixel_size
from cellbench.inference.measurements import Measures, write_measurements
from cellbench.labels import read_labels
from cellbench.labels.drawing import Picture, overlay

Product = Literal["overlay", "table"]

ENDINGS: dict[Product, str] = {"overlay": "_overlay.png", "table": "_cells.csv"}
"""What follows the stem of the image in the name of each product."""

LARGEST_OVERLAY = 4096
"""Longest side of an overlay in pixels; larger images are scaled down."""


def product_path(folder: str | Path, stem: str, product: Product) -> Path:
    """Return the path to which a product of an image is written.

    Args:
        folder: folder of the label maps.
        stem: stem of the image.
        product: which one.
    """
    return Path(folder) / f"{stem}{ENDINGS[product]}"


def write_products(
    folder: str | Path,
    stem: str,
    image: Path,
    labels: Path,
    products: Collection[Product],
    measures: Measures,
) -> None:
    """Write products of an image whose label map is complete; each file completely or not at all.

    Args:
        folder: folder of the label maps.
        stem: stem of the image.
        image: the image file.
        labels: the file of its label map.
        products: which ones.
        measures: what decoding found out about each cell, for the table.

    Raises:
        CellbenchError: if the image or the label map cannot be read, or a file cannot be written.
    """
    if not products:
        return
    channels, alpha = read_channels(image)
    cells = read_labels(labels)
    if alpha is not None:
        channels = np.delete(channels, alpha, axis=2)
    for product in products:
        path = product_path(folder, stem, product)
        if product == "table":
            write_measurements(path, cells, channels, read_pixel_size(image), measures)
        else:
            _write_picture(path, overlay(normalise(channels), cells, LARGEST_OVERLAY))


def _write_picture(path: Path, picture: Picture) -> None:
    from PIL import Image

    with written_whole(path) as temporary:
        Image.fromarray(picture).save(temporary, compress_level=4)
