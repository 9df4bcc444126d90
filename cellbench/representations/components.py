"""Connected components by size.

scikit-image 0.26 changed the meaning of its size limits. Ours follow the rule of 0.25 and before:
components with fewer pixels than the limit are removed, those with exactly as many are kept.
"""

from typing import Any

import numpy as np
import numpy.typing as npt


def components(mask: npt.NDArray[Any], smallest: float, connectivity: int) -> npt.NDArray[np.int32]:
    """Number the connected components of at least ``smallest`` pixels.

    Args:
        mask: (H, W) bool or uint8.
        smallest: components of fewer pixels are left out.
        connectivity: 4, by edges, or 8, by edges and corners.

    Returns:
        (H, W), ids 1 … N, 0 elsewhere.

    Examples:
        >>> components(np.array([[1, 0, 1, 1]], bool), smallest=2, connectivity=4).tolist()
        [[0, 0, 1, 1]]
    """
    numbered, kept = _by_size(mask, smallest, connectivity)
    numbers = np.cumsum(kept, dtype=np.int32) * kept
    left: npt.NDArray[np.int32] = np.take(numbers, numbered)
    return left


def drop_small(mask: npt.NDArray[Any], smallest: float, connectivity: int) -> npt.NDArray[np.bool_]:
    """Clear the connected components of fewer than ``smallest`` pixels.

    Args:
        mask: (H, W) bool or uint8.
        smallest: components of fewer pixels are cleared.
        connectivity: 4, by edges, or 8, by edges and corners.

    Examples:
        >>> drop_small(np.array([[1, 0, 1, 1]], bool), smallest=2, connectivity=4).tolist()
        [[False, False, True, True]]
    """
    import cv2

    # Faster where corners connect; its other numbering does not matter here.
    numbered, kept = _by_size(mask, smallest, connectivity, cv2.CCL_GRANA)
    left: npt.NDArray[np.bool_] = np.take(kept, numbered)
    return left


def _by_size(
    mask: npt.NDArray[Any], smallest: float, connectivity: int, algorithm: int = -1
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    """Return all components, (H, W) 0 … N, and which to keep, (N + 1,); -1 is OpenCV's own choice."""
    import cv2

    if not mask.size:  # which OpenCV cannot read
        return np.zeros(mask.shape, np.int32), np.zeros(1, np.bool_)
    pixels = np.ascontiguousarray(mask).view(np.uint8)
    _, numbered, statistics, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
        pixels, connectivity, cv2.CV_32S, algorithm
    )
    kept = statistics[:, cv2.CC_STAT_AREA] >= smallest
    kept[0] = False
    return np.asarray(numbered, np.int32), kept
