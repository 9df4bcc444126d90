"""The distance field against the exact distances of SciPy, and against the fast marching of scikit-fmm.

scikit-fmm is in no extra. Install it without its dependencies into an environment that has those of
cellbench: ``pip install --no-deps scikit-fmm``.
"""

import numpy as np
import pytest
from label_maps import discs
from scipy import ndimage

from cellbench.labels import LabelMap
from cellbench.representations import Omni

SIDE = 150


def ellipse(long: float, short: float, angle: float) -> LabelMap:
    rows, columns = np.mgrid[:SIDE, :SIDE] - SIDE / 2 + 0.3
    along = columns * np.cos(angle) + rows * np.sin(angle)
    across = rows * np.cos(angle) - columns * np.sin(angle)
    return ((along / long) ** 2 + (across / short) ** 2 < 1).astype(np.int32)


CONVEX = {
    "small disc": ellipse(5, 5, 0),
    "disc": ellipse(20, 20, 0),
    "large disc": ellipse(60, 60, 0),
    "ellipse": ellipse(60, 25, 0.4),
    "rod": ellipse(65, 6, 1.2),
    "square": np.pad(np.ones((60, 60), np.int32), 45),
}


@pytest.mark.parametrize("name", CONVEX)
def test_distances_are_the_exact_ones_but_for_a_pixel(name: str) -> None:
    labels = CONVEX[name]
    inside = labels > 0
    error = Omni().encode(labels)["distance"][0][inside]
    error -= ndimage.distance_transform_edt(labels)[inside]
    print(f"\n{name}: mean error {error.mean():.3f} px, largest {np.abs(error).max():.2f} px")
    assert abs(error.mean()) <= 0.2
    assert np.abs(error).max() <= 0.9


def test_distances_are_smoother_than_the_exact_ones() -> None:
    labels = ellipse(40, 40, 0)
    rows, columns = np.mgrid[:SIDE, :SIDE] - SIDE / 2 + 0.3
    radius = np.hypot(rows, columns)
    ring = (radius > 3) & (radius < 37)

    def mean_cosine(field: np.ndarray) -> float:
        down, across = np.gradient(field)
        inwards = -(down * rows + across * columns)[ring]
        return float((inwards / (np.hypot(down, across) * radius)[ring]).mean())

    ours = mean_cosine(Omni().encode(labels)["distance"][0])
    exact = mean_cosine(ndimage.distance_transform_edt(labels))
    print(f"\nmean cosine to the centre: {ours:.4f}, of exact distances {exact:.4f}")
    assert 1 - ours < 0.4 * (1 - exact)


@pytest.mark.parametrize("name", CONVEX)
def test_distances_against_fast_marching(name: str) -> None:
    skfmm = pytest.importorskip(
        "skfmm", reason="scikit-fmm is not installed; see the top of this file"
    )
    labels = CONVEX[name]
    inside = labels > 0
    # Its outline is half a pixel outside of the outermost pixels, ours a whole pixel.
    theirs = skfmm.distance(np.where(inside, 1.0, -1.0), order=1)[inside] + 0.5
    error = Omni().encode(labels)["distance"][0][inside] - theirs
    print(f"\n{name}: mean difference {error.mean():.3f} px, largest {np.abs(error).max():.2f} px")
    assert abs(error.mean()) <= 0.1
    assert np.abs(error).max() <= 0.4


def test_every_cell_of_an_image_has_its_own_distances() -> None:
    labels = discs()
    distances = Omni().encode(labels)["distance"][0]
    for cell in range(1, labels.max() + 1):
        exact = ndimage.distance_transform_edt(labels == cell)
        np.testing.assert_allclose(distances[labels == cell], exact[labels == cell], atol=0.6)
