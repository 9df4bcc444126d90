"""Compiled measuring of rays."""

from typing import Any

import numpy as np
import numpy.typing as npt

from cellbench.compiling import compiled

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.integer[Any]]
Flags = npt.NDArray[np.bool_]


@compiled
def measure(
    distances: Floats,
    probability: Floats,
    points: Integers,
    directions: Floats,
    ray_samples: int,
    longest: float,
    lengths: Floats,
) -> None:
    """Measure the lengths of rays, as a mean over the distances of pixels along each ray.

    With n = ``ray_samples``, a ray of length d is measured from the pixels at 0, 1 / n, 2 / n, … of d:
    the distance of each to the end of the ray estimates where it ends. The mean of the estimates is
    weighted by the object probabilities of the pixels; values that are not finite, or outside the
    image, do not count.

    Args:
        distances: (rays, H, W) in pixels.
        probability: (H, W).
        points: (2, N) rows and columns of the pixels.
        directions: (2, rays) rows and columns of the rays' unit vectors.
        ray_samples: number of pixels along a ray, 1 or more; 1 uses the lengths as they are.
        longest: largest distance in pixels from which a ray is measured.
        lengths: (N, rays) array that is filled; not finite where the length of the pixel is not.
    """
    rays, height, width = distances.shape
    for ray in range(rays):
        down, across = directions[0, ray], directions[1, ray]
        for index in range(points.shape[1]):
            row, column = points[0, index], points[1, index]
            own = distances[ray, row, column]
            change = weights = np.float32(0)
            for sample in range(1, ray_samples if np.isfinite(own) else 0):
                gone = min(max(own, np.float32(0)), longest) * sample / ray_samples
                there_row = int(np.floor(row + gone * down + 0.5))
                there_column = int(np.floor(column + gone * across + 0.5))
                if not (0 <= there_row < height and 0 <= there_column < width):
                    continue
                weight = probability[there_row, there_column]
                length = distances[ray, there_row, there_column]
                if weight > 0 and np.isfinite(length):
                    passed = (there_row - row) * down + (there_column - column) * across
                    change += weight * (passed + length - own)
                    weights += weight
            if weights > 0:
                own += change / (weights + probability[row, column])
            lengths[index, ray] = own
