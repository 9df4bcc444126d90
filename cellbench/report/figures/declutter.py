"""Labels beside points, placed so that they cover neither a point nor each other."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from cellbench.report.figures.style import FAINT, INK, page_of

_HEIGHT, _WIDTH = 9.5, 6.2  # size of a letter with its surroundings, in points
_ANGLES = np.deg2rad([35, 145, 325, 215, 90, 270, 0, 180, 60, 120, 300, 240])
# Distances from the edge of a point to its label, in points
_FURTHER = (3.0, 9.0, 16.0, 24.0, 34.0, 46.0, 60.0, 76.0, 94.0, 114.0)
_LINED = 9.0  # distance from which a line joins a label to its point


def place_labels(
    axes: Axes,
    places: npt.NDArray[np.float64],
    sizes: npt.NDArray[np.float64],
    labels: Sequence[str],
) -> None:
    """Write a short label beside each point.

    Args:
        axes: the plot, laid out, with its final scales and limits.
        places: (points, 2) positions in data coordinates.
        sizes: (points,) diameters of the points, in points of the page (1/72 inch).
        labels: one per point; earlier labels are placed first.
    """
    if not len(labels):
        return
    to_points = 72 / page_of(axes).dpi
    centres = axes.transData.transform(places) * to_points
    frame = axes.get_window_extent()
    page = np.array([frame.x0, frame.y0, frame.x1, frame.y1]) * to_points
    taken = np.column_stack([centres - sizes[:, None] / 2, centres + sizes[:, None] / 2])
    for number, label in enumerate(labels):
        half = np.array([_WIDTH * len(label), _HEIGHT]) / 2
        offset, distance = _free_offset(centres[number], sizes[number], half, taken, page)
        box = np.concatenate([centres[number] + offset - half, centres[number] + offset + half])
        taken = np.vstack([taken, box])
        line = {"arrowstyle": "-", "color": FAINT, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 0}
        axes.annotate(
            label,
            tuple(places[number]),
            tuple(offset),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=8.5,
            color=INK,
            arrowprops=line if distance >= _LINED else None,
            zorder=4,
        )


def _free_offset(
    centre: npt.NDArray[np.float64],
    size: float,
    half: npt.NDArray[np.float64],
    taken: npt.NDArray[np.float64],
    page: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], float]:
    """Return the nearest offset whose box is free and in the plot; else the one that covers least."""
    best, least = (np.zeros(2), 0.0), np.inf
    for distance in _FURTHER:
        for angle in _ANGLES:
            direction = np.array([np.cos(angle), np.sin(angle)])
            offset = direction * (size / 2 + distance) + np.sign(direction.round(6)) * half
            low, high = centre + offset - half, centre + offset + half
            if (low < page[:2]).any() or (high > page[2:]).any():
                continue
            shared = np.minimum(high, taken[:, 2:]) - np.maximum(low, taken[:, :2])
            covered = shared.clip(0).prod(axis=1).sum()
            if covered < least:
                best, least = (offset, distance), covered
            if covered == 0:
                return best
    return best
