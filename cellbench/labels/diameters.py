"""How large cells are: the diameter of a disc with the area of the cell."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from cellbench.labels.maps import LabelMap, relabel

_PERCENTILES = (25, 50, 75)
_BAND = 1024


def cell_diameters(labels: LabelMap) -> npt.NDArray[np.float64]:
    """Return the diameter of each cell: that of a disc with the area of the cell.

    Args:
        labels: (H, W) label map.

    Returns:
        (N,) pixels, in the order of the ids.

    Examples:
        >>> cell_diameters(np.repeat([[0, 7, 7]], 2, axis=0)).round(2).tolist()
        [2.26]
    """
    labels = relabel(labels)
    pixels = np.zeros(int(labels.max()) + 1, np.int64)
    for start in range(0, len(labels), _BAND):  # a slide as a whole would need 8 bytes a pixel
        pixels += np.bincount(labels[start : start + _BAND].ravel(), minlength=len(pixels))
    return disc_diameters(pixels[1:])


def disc_diameters(pixels: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
    """Return the diameter of a disc with the area of each cell.

    Args:
        pixels: (N,) number of pixels of each cell.
    """
    return np.asarray(2 * np.sqrt(pixels / np.pi))


def median_diameter(labels: LabelMap) -> float:
    """Return the median diameter of the cells of an image.

    Args:
        labels: (H, W) label map.

    Returns:
        Pixels; 0 if there are no cells.

    Examples:
        >>> round(median_diameter(np.array([[1, 1, 2, 2, 2, 2, 2, 2, 0]])), 3)
        2.18
    """
    diameters = cell_diameters(labels)
    return float(np.median(diameters)) if diameters.size else 0.0


def median_diameters(label_maps: Iterable[LabelMap]) -> tuple[float, float, float] | None:
    """Return how large the cells in many label maps are.

    The diameter of an image is the median of its cells, so that images with many cells do not dominate.

    Args:
        label_maps: label maps, each (H, W).

    Returns:
        The lower quartile, median and upper quartile over the images, in pixels; None if there is no
        cell.

    Examples:
        >>> median_diameters([np.ones((side, side), int) for side in (10, 20, 40)])
        (16.93, 22.57, 33.85)
    """
    medians = [diameter for labels in label_maps if (diameter := median_diameter(labels))]
    if not medians:
        return None
    lower, median, upper = (round(float(each), 2) for each in np.percentile(medians, _PERCENTILES))
    return lower, median, upper
