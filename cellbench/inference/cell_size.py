"""The size of the cells in an image, estimated from segmentations of it at several scales.

The cells that a model finds in an image do not show its scale by themselves: large textured nuclei are
split into pieces, and small cells are missed or joined. But pieces and joined cells are not the same at
twice the scale, and true cells are. So the two neighbouring scales whose cells agree best show the
size of the cells.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from cellbench.data.rescale import rescaled_shape, resize_image, resize_labels
from cellbench.evaluation import match_cells
from cellbench.inference.tiles import middle
from cellbench.labels import LabelMap
from cellbench.labels.diameters import disc_diameters

_SCALES = (0.125, 0.25, 0.5, 1.0, 2.0)
_LARGEST_SIDE = 512


def estimated_diameter(
    segment: Callable[[npt.NDArray[np.float32]], LabelMap], image: npt.NDArray[np.float32]
) -> float | None:
    """Estimate the diameter of the cells in an image.

    The image is segmented at an eighth, a quarter, half, one and two times its size. Of a large image
    only the middle is used: at most 512 × 512 px after it was shrunk, or before it is enlarged. The score
    of two neighbouring scales is the number of their cells that match (IoU of at least 0.5) per area,
    multiplied by the square of the share of their cells that match: many small pieces match by chance,
    but few of all pieces do.

    Args:
        segment: function from an image (h, w, 3) to its label map, ids 1 … n.
        image: (H, W, 3) in [0, 1].

    Returns:
        The median diameter in pixels of the matching cells of the pair of scales with the highest score,
        of the smaller scales if two are equal; None if no cells match.
    """
    found = [_segmented_middle(segment, image, scale) for scale in _SCALES]
    _, stable = max((_stable_cells(*pair) for pair in pairwise(found)), key=lambda each: each[0])
    return float(np.median(stable)) if stable.size else None


def _segmented_middle(
    segment: Callable[[npt.NDArray[np.float32]], LabelMap],
    image: npt.NDArray[np.float32],
    scale: float,
) -> LabelMap:
    """Segment the middle of an image at a scale; return its label map in the image's own pixels."""
    part = np.ascontiguousarray(middle(image, round(_LARGEST_SIDE / min(scale, 1))))
    resized = resize_image(part, rescaled_shape(part.shape, scale))
    return resize_labels(segment(resized), part.shape[:2])


def _stable_cells(first: LabelMap, second: LabelMap) -> tuple[float, npt.NDArray[np.float64]]:
    """Return the score of two scales, and the diameters of their matching cells in both label maps."""
    pair = middle(first, max(second.shape)), second
    matches = match_cells(*pair)
    diameters = [
        disc_diameters(np.bincount(labels.ravel())[ids])
        for labels, ids in zip(pair, (matches.truth_ids, matches.prediction_ids), strict=True)
    ]
    share = 2 * matches.tp / max(1, matches.true_cells + matches.predicted_cells)
    return matches.tp * share**2 / second.size, np.concatenate(diameters)
