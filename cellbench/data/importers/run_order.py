"""Whether the runs of a table fit the images better if they are read in the other direction."""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cellbench.data.mask_table import MaskRow, MaskTable
from cellbench.errors import CellbenchError
from cellbench.images import read_image
from cellbench.labels import run_pixels, share_of_touching_runs

_MOST_IMAGES = 8
_LEAST_RUNS = 3
_TOUCHING = 0.5
_CONTRAST = 0.5


class _Fit(NamedTuple):
    """How well one direction fits the images.

    Attributes:
        touching: median over the cells of the share of runs that touch the run before.
        contrast: mean over the images of the difference in brightness between cells and background, in
            standard deviations of the image.
    """

    touching: float
    contrast: float


def other_order_fits_better(table: MaskTable, images: Mapping[str, Path]) -> bool:
    """Return whether the runs of a table seem to be read in the wrong direction.

    In the wrong direction, cells fall into pieces one pixel wide; where images are as high as wide, they
    stay whole, but change places, so that they differ less from the background.

    Args:
        table: the content of the table.
        images: image files by stem; only the first few in the table are looked at.
    """
    named = ((images[stem], rows) for stem, rows in table.rows.items() if stem in images)
    fits = [fit for fit in (_fits(*each) for each in islice(named, _MOST_IMAGES)) if fit]
    if not fits:
        return False
    rows, columns = (_Fit(*np.mean(each, axis=0)) for each in zip(*fits, strict=True))
    used, other = (rows, columns) if table.order == "rows" else (columns, rows)
    in_pieces = used.touching < _TOUCHING < other.touching
    elsewhere = other.contrast > max(_CONTRAST, 2 * used.contrast)
    return in_pieces or (elsewhere and used.touching <= other.touching)


def _fits(image: Path, rows: list[MaskRow]) -> tuple[_Fit, _Fit] | None:
    """Return the fit along the rows and down the columns; None without cells or a readable image."""
    try:
        pixels = read_image(image).mean(axis=2)
        height, width = pixels.shape
        cells = [row.parse((height, width)) for row in rows]
    except CellbenchError:  # reported when the image is imported
        return None
    large = [cell for cell in cells if len(cell[0]) >= _LEAST_RUNS]
    if not large:
        return None
    inside = np.concatenate([run_pixels(*cell) for cell in large])
    lines = (width, pixels.ravel()), (height, pixels.T.ravel())
    touching = (
        float(np.median([share_of_touching_runs(*cell, line) for cell in large]))
        for line, _ in lines
    )
    contrasts = (_contrast(flat, inside) for _, flat in lines)
    along, down = (_Fit(*each) for each in zip(touching, contrasts, strict=True))
    return along, down


def _contrast(pixels: npt.NDArray[np.float32], inside: npt.NDArray[np.int64]) -> float:
    mask = np.zeros(len(pixels), bool)
    mask[inside] = True
    if mask.all() or not (spread := float(pixels.std())):
        return 0.0
    return abs(float(pixels[mask].mean() - pixels[~mask].mean())) / spread
