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
