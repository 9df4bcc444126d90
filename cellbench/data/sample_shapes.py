"""The cells of the built-in sample: round, elongated and irregular, alone and in clusters."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.measure import label

from cellbench.labels import LabelMap, relabel

FloatImage = npt.NDArray[np.float32]

MIN_AREA = 30
"""Smallest cell in pixels: smaller rests beside other cells or the image border are erased."""

_HARMONICS = np.arange(2, 9)
_DIRECTIONS = 360
_MOST_TRIES = 3000
_MOST_OVERLAP = 0.12
"""Largest share of a cell that may be hidden by an earlier one; cells of a cluster are moved apart."""


@dataclass(frozen=True)
class CellShapes:
    """The appearance of the cells of one image.

    Attributes:
        diameter: smallest and largest diameter in pixels, of a disc as large as the cell.
        elongation: smallest and largest ratio of the long to the short axis.
        wobble: size of the contour's random harmonics, as a share of the radius; 0 is an ellipse.
        bend: standard deviation in pixels of the smooth displacement that bends all cells.
        coverage: share of the image under cells.
        clustering: share of the cells that touch an earlier one.
    """

    diameter: tuple[float, float]
    elongation: tuple[float, float]
    wobble: float
    bend: float
    coverage: float
    clustering: float


class _Cell:
    """One cell: an ellipse whose contour carries random harmonics."""

    def __init__(self, rng: np.random.Generator, shapes: CellShapes) -> None:
        stretch = np.sqrt(rng.uniform(*shapes.elongation))
        self.radius = rng.uniform(*shapes.diameter) / 2
        self.axes = np.float32(self.radius * stretch), np.float32(self.radius / stretch)
        self.angle = rng.uniform(0, np.pi)
        amplitudes = shapes.wobble * rng.standard_normal(len(_HARMONICS)) / _HARMONICS**1.5
        turns = np.linspace(0, 2 * np.pi, _DIRECTIONS, endpoint=False)[:, None] * _HARMONICS
        waves = np.cos(turns + rng.uniform(0, 2 * np.pi, len(_HARMONICS)))
        self.contour = (1 + waves @ amplitudes).astype(np.float32)
        self.centre = np.zeros(2)

    def contains(self, rows: FloatImage, columns: FloatImage) -> npt.NDArray[np.bool_]:
        """Return whether each point is inside the contour.

        Args:
            rows: (h, w) row of each point.
            columns: (h, w) column of each point.
        """
        rows, columns = rows - np.float32(self.centre[0]), columns - np.float32(self.centre[1])
        sine, cosine = np.float32(np.sin(self.angle)), np.float32(np.cos(self.angle))
        along = (columns * cosine + rows * sine) / self.axes[0]
        across = (rows * cosine - columns * sine) / self.axes[1]
        directions = np.arctan2(across, along) * np.float32(_DIRECTIONS / (2 * np.pi))
        inside: npt.NDArray[np.bool_] = (
            np.hypot(along, across) < self.contour[directions.astype(int)]
        )
        return inside


def smooth_field(rng: np.random.Generator, size: tuple[int, int], scale: float) -> FloatImage:
    """Draw a smooth random field of mean 0 and standard deviation 1.

    Args:
        rng: random number generator.
        size: (H, W) of the field.
        scale: distance in pixels over which the field changes, at least 1.

    Returns:
        (H, W) float32.
    """
    coarse = (int(size[0] / scale) + 4, int(size[1] / scale) + 4)
    noise = ndimage.gaussian_filter(rng.standard_normal(coarse), 1).astype(np.float32)
    stretched = (int(coarse[1] * scale) + 1, int(coarse[0] * scale) + 1)
    field = cv2.resize(noise, stretched, interpolation=cv2.INTER_CUBIC)[: size[0], : size[1]]
    return np.asarray((field - field.mean()) / field.std(), np.float32)


def draw_cells(rng: np.random.Generator, size: tuple[int, int], shapes: CellShapes) -> LabelMap:
    """Draw cells until they cover the wanted share of the image or no more fit.

    Args:
        rng: random number generator.
        size: (H, W) of the image.
        shapes: the appearance of the cells.

    Returns:
        (H, W) label map with the ids 1 … N; each cell is one 4-connected piece of [`MIN_AREA`][] or more.
    """
    labels = np.zeros(size, np.uint16)
    rows, columns = np.indices(size, np.float32)
    rows += shapes.bend * smooth_field(rng, size, 3 * shapes.diameter[1])
    columns += shapes.bend * smooth_field(rng, size, 3 * shapes.diameter[1])
    drawn: list[_Cell] = []
    for _ in range(_MOST_TRIES):
        if np.count_nonzero(labels) >= shapes.coverage * labels.size:
            break
        cell = _Cell(rng, shapes)
        clustered = drawn and rng.random() < shapes.clustering
        neighbour = drawn[rng.integers(len(drawn))] if clustered else None
        for centre in _places(rng, cell, neighbour, size):
            cell.centre = centre
            if _paint(labels, cell, rows, columns, len(drawn) + 1, shapes.bend):
                drawn.append(cell)
                break
    return relabel(_largest_pieces(labels))


def _places(
    rng: np.random.Generator, cell: _Cell, neighbour: _Cell | None, size: tuple[int, int]
) -> list[npt.NDArray[np.float64]]:
    """Return positions to try: a random one, or ever farther from a neighbour so that the two touch."""
    if neighbour is None:
        return [rng.uniform((0, 0), size)]
    cell.angle = neighbour.angle + rng.normal(0, 0.4)  # elongated neighbours lie side by side
    direction = rng.uniform(0, 2 * np.pi)
    step = np.array([np.sin(direction), np.cos(direction)])
    reach = neighbour.radius + cell.radius
    tried = [neighbour.centre + step * reach * share for share in np.arange(0.5, 1.6, 0.1)]
    return [centre for centre in tried if (centre >= 0).all() and (centre < size).all()]


def _paint(
    labels: LabelMap, cell: _Cell, rows: FloatImage, columns: FloatImage, number: int, bend: float
) -> bool:
    """Paint the free pixels of a cell; return False, and paint nothing, if too much of it is hidden."""
    reach = cell.contour.max() * max(cell.axes) + 3 * bend
    low = np.maximum(cell.centre - reach, 0).astype(int)
    high = (cell.centre + reach).astype(int) + 1
    window = np.s_[low[0] : high[0], low[1] : high[1]]
    inside = cell.contains(rows[window], columns[window])
    free = inside & (labels[window] == 0)
    if np.count_nonzero(free) < max(MIN_AREA, (1 - _MOST_OVERLAP) * np.count_nonzero(inside)):
        return False
    labels[window][free] = number
    return True


def _largest_pieces(labels: LabelMap) -> LabelMap:
    """Keep the largest piece of each cell if it has at least [`MIN_AREA`][] pixels."""
    pieces = label(labels, connectivity=1)
    areas = np.bincount(pieces.ravel())
    owners = np.zeros(len(areas), int)
    owners[pieces.ravel()] = labels.ravel()
    ascending = np.argsort(areas, kind="stable")
    largest = np.zeros(int(labels.max()) + 1, int)
    largest[owners[ascending]] = ascending  # of one cell's pieces the last, the largest, stays
    kept = (largest[labels] == pieces) & (areas[pieces] >= MIN_AREA)
    return np.where(kept, labels, 0).astype(labels.dtype)
