"""HoVer-Net's own steps (Graham et al. 2019), as a peer to measure against and as an oracle.

Written from what its targets.py and post_proc.py do: cell by cell over the whole image for the
maps; Sobel, scikit-image's watershed on all of it for the cells.
"""

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.segmentation import watershed

from cellbench.labels import LabelMap

MARGIN = 2


def in_pieces(labels: LabelMap) -> LabelMap:
    """Return the map with a new id for each detached piece, as the original has after mirroring."""
    labels = labels.copy()
    for cell in np.unique(labels)[1:]:
        pieces = ndimage.label((labels == cell).astype(np.uint8))[0]
        others = pieces > 1
        labels[others] = pieces[others] + labels.max()
    return labels


def original_maps(labels: LabelMap, smallest: int = 30) -> npt.NDArray[np.float32]:
    """Return (2, H, W); a cell within two pixels of the upper or left edge stays 0."""
    labels = in_pieces(labels)
    maps = np.zeros((2, *labels.shape), np.float32)
    areas = np.bincount(labels.ravel())
    for cell in np.unique(labels):
        if cell == 0 or areas[cell] < smallest:
            continue
        whole = (labels == cell).astype(np.uint8)
        box = tuple(
            slice(*(np.flatnonzero(whole.any(axis=1 - axis))[[0, -1]] + (-MARGIN, 1 + MARGIN)))
            for axis in (0, 1)
        )
        mask = whole[box] > 0
        if min(mask.shape) < 2:  # where the box began at a negative index
            continue
        for axis in (1, 0):
            centre = int(ndimage.center_of_mass(mask)[axis] + 0.5)
            offsets = np.arange(1, mask.shape[axis] + 1) - centre
            offsets = np.expand_dims(offsets, 1 - axis) * mask
            offsets = offsets.astype(np.float32)
            for side in (offsets < 0, offsets > 0):
                if side.any():
                    offsets[side] /= np.abs(offsets[side]).max()
            maps[1 - axis][box][mask] = offsets[mask]
    return maps


def unit(values: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    return cv2.normalize(values, None, 0, 1, cv2.NORM_MINMAX, cv2.CV_32F)


def without_small(mask: npt.NDArray[np.integer], smallest: int) -> LabelMap:
    """remove_small_objects(label(mask), smallest) as scikit-image up to 0.25 does it."""
    parts = ndimage.label(mask)[0]
    areas = np.bincount(parts.ravel())
    parts[(areas < smallest)[parts]] = 0
    return parts


def energy_and_markers(
    foreground: npt.NDArray[np.floating], hv: npt.NDArray[np.float32], size: int = 21
) -> tuple[npt.NDArray[np.float32], LabelMap, npt.NDArray[np.integer]]:
    blob = (without_small(foreground >= 0.5, 10) > 0).astype(np.int32)
    horizontal = cv2.Sobel(unit(hv[0]), cv2.CV_64F, 1, 0, ksize=size)
    vertical = cv2.Sobel(unit(hv[1]), cv2.CV_64F, 0, 1, ksize=size)
    edges = np.maximum(1 - unit(horizontal), 1 - unit(vertical)) - (1 - blob)
    edges[edges < 0] = 0
    energy = -cv2.GaussianBlur((1 - edges) * blob, (3, 3), 0)
    marker = blob - (edges >= 0.4)
    marker[marker < 0] = 0
    marker = ndimage.binary_fill_holes(marker).astype(np.uint8)
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    marker = cv2.morphologyEx(marker, cv2.MORPH_OPEN, ellipse)
    return energy, without_small(marker, 10), blob


def original_cells(foreground: npt.NDArray[np.floating], hv: npt.NDArray[np.float32]) -> LabelMap:
    """Return the label map of ``foreground`` (H, W) and ``hv`` (2, H, W)."""
    energy, markers, blob = energy_and_markers(foreground, hv)
    return watershed(energy, markers, mask=blob)
