"""Crowded label maps of any size: touching, uneven cells, and a prediction with every kind of error."""

import numpy as np
import numpy.typing as npt

from cellbench.labels import LabelMap

_BAND = 256


def crowded_pair(side: int, cells: int, seed: int = 0) -> tuple[LabelMap, LabelMap]:
    """Draw truth and prediction (side, side) int32 with about so many cells.

    Of the predicted cells 8 % are missing, 6 % split, 6 % merged, 4 % are spurious; all are displaced a
    little. A run of one id is some 15 pixels long.
    """
    rng = np.random.default_rng(seed)
    grid = round(cells**0.5)
    spacing = side / grid
    centres = np.stack(np.mgrid[:grid, :grid], axis=-1) * spacing + spacing / 2
    centres += rng.uniform(-spacing / 4, spacing / 4, centres.shape)
    radii = rng.uniform(0.35, 0.6, (grid, grid)) * spacing
    fate = rng.random((grid, grid))
    truth_ids = np.arange(1, grid**2 + 1).reshape(grid, grid)
    truth_ids[fate > 0.96] = 0  # what is predicted there is spurious
    predicted_ids = np.arange(1, grid**2 + 1).reshape(grid, grid)
    predicted_ids[fate < 0.08] = 0
    merged = (fate > 0.08) & (fate < 0.14)
    predicted_ids[merged] = np.roll(predicted_ids, 1, axis=1)[merged]
    split = (fate > 0.14) & (fate < 0.2)
    moved = centres + rng.normal(0, spacing / 30, centres.shape)
    resized = radii * rng.uniform(0.9, 1.1, radii.shape)
    truth = _draw(side, centres, radii, truth_ids, np.zeros_like(split))
    return truth, _draw(side, moved, resized, predicted_ids, split)


def _draw(
    side: int,
    centres: npt.NDArray[np.float64],
    radii: npt.NDArray[np.float64],
    ids: npt.NDArray[np.int64],
    split: npt.NDArray[np.bool_],
) -> LabelMap:
    """Assign each pixel to the nearest centre of its neighbourhood, if that is within its radius."""
    grid = len(ids)
    labels = np.zeros((side, side), np.int32)
    columns = np.arange(side, dtype=np.float32)
    home = np.minimum((columns * grid / side).astype(int), grid - 1)
    for top in range(0, side, _BAND):
        rows = np.arange(top, min(top + _BAND, side), dtype=np.float32)[:, None]
        row_home = np.minimum((rows * grid / side).astype(int), grid - 1)
        nearest = np.full((len(rows), side), np.inf, np.float32)
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                row, column = row_home + down, home + right
                inside = (row >= 0) & (row < grid) & (column >= 0) & (column < grid)
                cell = row.clip(0, grid - 1), column.clip(0, grid - 1)
                centre = centres[cell].astype(np.float32)
                distance = (rows - centre[..., 0]) ** 2 + (columns - centre[..., 1]) ** 2
                closer = inside & (distance < nearest)
                nearest[closer] = distance[closer]
                right_half = split[cell] & (columns > centre[..., 1])
                drawn = ids[cell] + right_half * (grid**2)
                drawn[distance > radii[cell] ** 2] = 0
                labels[top : top + len(rows)][closer] = drawn[closer]
    return labels
