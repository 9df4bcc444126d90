"""Cell and neighbour distances written out step by step with SciPy and scikit-image, one cell at a time."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.measure import label, regionprops
from skimage.morphology import disk

from cellbench.labels import LabelMap

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def slow_distances(labels: LabelMap) -> tuple[Floats, Floats]:
    """Return the cell distance and the neighbour distance inside of cells, before gaps are added."""
    cell, neighbour = np.zeros(labels.shape), np.zeros(labels.shape)
    for number in np.unique(labels[labels > 0]):
        own = labels == number
        depth = np.ones(labels.shape) if own.all() else ndimage.distance_transform_edt(own)
        cell[own] = depth[own] / depth[own].max()
        others = (labels > 0) & ~own
        if others.any():
            away = ndimage.distance_transform_edt(~others)[own]
            largest = min(depth[own].max() + 3, away.max())
            neighbour[own] = 1 - np.clip(away / largest, 0, 1)
    return cell, neighbour


def closing(mask: Mask) -> Mask:
    """Close a mask; what is outside of the map neither fills nor opens anything."""
    dilated = ndimage.binary_dilation(mask, disk(3))
    closed: Mask = ndimage.binary_erosion(dilated, disk(3), border_value=1)
    return closed


def slow_gaps(labels: LabelMap, neighbour: Floats) -> Floats:
    """Return the value of each pixel in a gap between cells: 1, or 0.8 on the rim of a wide gap."""
    union = np.zeros(labels.shape, bool)
    for number in np.unique(labels[labels > 0]):
        union |= closing(labels == number)
    gaps = label(closing(union) & ~union & (labels == 0), connectivity=2)
    values = np.zeros(labels.shape)
    for gap in regionprops(gaps):
        own = gaps == gap.label
        around = ndimage.binary_dilation(own, np.ones((3, 3))) & ~own
        least = next(
            (5, 8, 10, 20)[i] for i, area in enumerate((20, 30, 50, np.inf)) if gap.area <= area
        )
        if neighbour[around].sum() < least:
            continue
        values[own] = 1
        if gap.axis_minor_length >= 3:
            values[own & ~ndimage.binary_erosion(own, border_value=1)] = 0.8
    return values


def slow_maps(labels: LabelMap) -> dict[str, Floats]:
    """Return both maps, as CellDistance encodes them."""
    cell, inside = slow_distances(labels)
    neighbour = np.maximum(inside, slow_gaps(labels, inside))
    for number in np.unique(labels[labels > 0]):
        beside = ndimage.binary_dilation(labels == number, np.ones((3, 3)))
        neighbour[beside & (labels > 0) & (labels != number)] = 1
    curve = 1 / np.sqrt(0.65 + 0.5 * np.exp(-11 * (neighbour - 0.75))) - 0.19
    neighbour = ndimage.grey_closing(np.clip(curve, 0, 1), size=(3, 3))
    return {"cell": cell[None], "neighbour": neighbour[None]}
