"""Changes of cells in training patches: their intensity, their boundary and their size."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cellbench.labels import LabelMap, cell_ids

BRIGHTER_SHARE = 0.4
"""Part of the cells of a patch that [`brighten_cells`][] changes, at least one cell."""

LARGEST_GAIN = 0.7
"""Largest relative increase of the intensity of a cell."""

LARGEST_WHOLE_CELL = 65
"""Cells of up to this number of pixels keep their boundary.

MEDIAR's limit is 196, but its code counts every pixel in three channels.
"""

RESCALED_SHARE = 0.2
"""Probability with which a patch is rescaled by the size of its cells, as the team T3 does."""


def brighten_cells(
    image: npt.NDArray[np.uint8], labels: LabelMap, rng: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Make 40 % of the cells brighter, each by its own factor from 1 to 1.7.

    This is the cell-wise intensity perturbation of MEDIAR (Lee et al. 2022), whose code draws one
    factor for all changed cells of a patch.

    Args:
        image: (H, W, 3) the patch.
        labels: (H, W) its label map.
        rng: random generator of this patch.

    Returns:
        (H, W, 3) image with the background and the other cells unchanged; intensities end at 255.
    """
    ids = cell_ids(labels)
    if not len(ids):
        return image
    changed = rng.permutation(ids)[: max(1, round(BRIGHTER_SHARE * len(ids)))]
    factors = np.ones(int(ids[-1]) + 1, np.float32)
    factors[changed] += rng.uniform(0, LARGEST_GAIN, len(changed))
    brighter = np.minimum(np.rint(image * factors[labels][..., None]), 255)
    return np.asarray(brighter, np.uint8)


def exclude_boundaries(labels: LabelMap) -> LabelMap:
    """Turn the boundary pixels of cells into background, so that touching cells come apart.

    A boundary pixel has another id above, below, on the left or on the right: those that
    ``skimage.segmentation.find_boundaries(labels, connectivity=1, mode="thick")`` finds in cells. The
    rule is MEDIAR's (Lee et al. 2022), which keeps small cells whole. Unlike there, cells that consist
    of nothing but boundary are kept too: otherwise models would learn that thin cells are background.

    Args:
        labels: (H, W) label map.

    Returns:
        (H, W) label map of the same type, in which every cell still has its id.

    Examples:
        >>> exclude_boundaries(np.repeat([0, 3, 4], 10)[None].repeat(10, axis=0))[0].tolist()
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 3, 3, 3, 3, 3, 3, 3, 0, 0, 4, 4, 4, 4, 4, 4, 4, 4, 4]
    """
    inner = np.ones(labels.shape, bool)
    same = labels[1:] == labels[:-1]
    inner[1:] &= same
    inner[:-1] &= same
    same = labels[:, 1:] == labels[:, :-1]
    inner[:, 1:] &= same
    inner[:, :-1] &= same
    areas = np.bincount(labels.ravel())
    remaining = np.bincount(labels[inner], minlength=len(areas))
    whole = (areas <= LARGEST_WHOLE_CELL) | (remaining == 0)
    return np.where(inner | whole[labels], labels, 0).astype(labels.dtype)


def draw_cell_zoom(
    diameter: float, sizes: Sequence[float], rng: np.random.Generator
) -> float | None:
    """Draw the zoom of a patch that is rescaled by the size of its cells, with probability 0.2.

    The team T3 (celldetection) rescales one patch in five so that its cells are 4 to 192 pixels across.

    Args:
        diameter: median diameter of the cells of the image in pixels; 0 if it has none.
        sizes: smallest and largest diameter in the patch, in pixels; the logarithm of the diameter is
            uniform between the two.
        rng: random generator of this patch.

    Returns:
        Factor on the size of the image, or None if this patch is not rescaled by its cells.
    """
    if not diameter or rng.random() >= RESCALED_SHARE:
        return None
    low, high = sizes
    return float(low * (high / low) ** rng.uniform()) / diameter
