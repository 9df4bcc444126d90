"""Label maps for tests."""

import numpy as np
from hypothesis import strategies as st

from cellbench.labels import LabelMap, relabel


def discs(
    shape: tuple[int, int] = (96, 112), radius: int = 8, spacing: int = 22, seed: int = 0
) -> LabelMap:
    """Draw separate discs of varied size on a grid; none touches another."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(shape, np.uint16)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    for row in range(spacing // 2, shape[0] - radius, spacing):
        for column in range(spacing // 2, shape[1] - radius, spacing):
            reach = radius + int(rng.integers(-2, 3))
            inside = (rows - row) ** 2 + (columns - column) ** 2 < reach**2
            labels[inside] = labels.max() + 1
    return labels


def touching(shape: tuple[int, int] = (96, 112), cells: int = 30, seed: int = 0) -> LabelMap:
    """Cells that fill the whole image, each pixel given to the nearest of random points."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, shape, (cells, 2))
    pixels = np.stack(np.mgrid[: shape[0], : shape[1]], axis=-1)
    nearest = ((pixels[:, :, None] - points) ** 2).sum(axis=-1).argmin(axis=-1)
    return relabel(nearest + 1)


def tiles(height: int, width: int, rows: int = 12, columns: int = 9) -> LabelMap:
    """Cells without any background between them."""
    ids = np.arange(1, rows * columns + 1).reshape(rows, columns)
    return np.kron(ids, np.ones((height, width), int))


def ring(inner: float, outer: float, opening: int = 0, side: int = 240) -> LabelMap:
    """A ring, or with an opening the letter C."""
    rows, columns = np.mgrid[:side, :side] - side / 2
    distance = np.hypot(rows, columns)
    closed = (np.abs(rows) >= opening) | (columns < 0)
    return ((distance > inner) & (distance < outer) & closed).astype(np.int32)


def in_pieces() -> LabelMap:
    """Discs of which each has a separate spot of the same id."""
    labels = discs(shape=(130, 130), radius=8, spacing=40).astype(int)
    for cell in range(1, labels.max() + 1):
        row, column = np.argwhere(labels == cell).max(axis=0) + 3
        labels[row : row + 3, column : column + 3] = cell
    return labels


def cut_by_the_frame(least: int) -> LabelMap:
    """Cells that are cut on all four sides, all of so many pixels or more."""
    labels = touching(shape=(90, 90), cells=40)[23:67, 23:67]
    return np.where((np.bincount(labels.ravel()) < least)[labels], 0, labels)


@st.composite
def blocky_maps(draw: st.DrawFn, ids: int = 6, cells: int = 6, scale: int = 3) -> LabelMap:
    """Small maps of blocks, so that overlaps, ties and frame cells are common."""
    height = draw(st.integers(1, cells))
    width = draw(st.integers(1, cells))
    flat = draw(st.lists(st.integers(0, ids), min_size=height * width, max_size=height * width))
    return np.kron(np.array(flat).reshape(height, width), np.ones((scale, scale), int))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[LabelMap, LabelMap]:
    """Two maps of one shape that have much in common."""
    truth = draw(blocky_maps())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    prediction = np.where(
        rng.random(truth.shape) < draw(st.floats(0, 1)), truth, rng.integers(0, 7, truth.shape)
    )
    shift = draw(st.integers(-2, 2))
    return truth, np.roll(prediction, shift, axis=draw(st.integers(0, 1)))
