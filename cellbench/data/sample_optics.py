"""The simulated microscopes of the built-in sample: label map to picture in one of four modalities."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from skimage.segmentation import find_boundaries

from cellbench.data.sample_shapes import FloatImage, smooth_field
from cellbench.labels import LabelMap

_HEMATOXYLIN = np.array([0.5626, 0.7201, 0.4062], np.float32)
_EOSIN = np.array([0.2159, 0.8012, 0.5581], np.float32)
"""Optical density in red, green and blue per unit of stain (reference of Macenko et al. 2009)."""


@dataclass(frozen=True)
class Conditions:
    """The conditions under which one picture is taken.

    Attributes:
        light: brightness, 1 is usual.
        photons: photons at full brightness; fewer make more noise.
        unevenness: decrease of the light across the picture, 0 is even.
        blur: standard deviation of the point spread function in pixels.
        contrast: strength of stain, phase or relief, 1 is usual.
        hue: balance of the stains, from 0 (reddish) to 1 (bluish).
    """

    light: float
    photons: float
    unevenness: float
    blur: float
    contrast: float
    hue: float


def fluorescence(rng: np.random.Generator, labels: LabelMap, conditions: Conditions) -> FloatImage:
    """Draw fluorescent nuclei: textured, unequally bright, some out of focus, with haze and noise.

    Args:
        rng: random number generator.
        labels: (H, W) label map of the cells.
        conditions: light, noise and contrast of the picture.

    Returns:
        (H, W) float32 in [0, 1].
    """
    size = labels.shape
    chromatin = 1 + 0.22 * smooth_field(rng, size, 3.0) + 0.12 * smooth_field(rng, size, 1.5)
    levels = _per_cell(rng, labels, 0.55)
    signal = (0.35 + 0.65 * _thickness(labels)) * (labels > 0) * levels * chromatin
    defocused = rng.random(int(labels.max()) + 1)[labels] < 0.2
    signal = np.where(defocused, 0, signal) + _blurred(np.where(defocused, signal, 0), 2.5)
    signal = signal + 0.5 * _specks(rng, size, 12, 1.5)
    haze = 0.25 * _blurred(signal, 18) + 0.03 * (2 + smooth_field(rng, size, 60))
    return _expose(rng, 0.42 * conditions.contrast * signal + haze, conditions)


def brightfield(rng: np.random.Generator, labels: LabelMap, conditions: Conditions) -> FloatImage:
    """Draw a stained section: purple nuclei in pink, fibrous stroma with gaps and red blood cells.

    The stains absorb light by the law of Beer and Lambert, for each colour.

    Args:
        rng: random number generator.
        labels: (H, W) label map of the cells.
        conditions: light, noise and contrast of the picture.

    Returns:
        (H, W, 3) float32 in [0, 1].
    """
    size = labels.shape
    inside = (labels > 0).astype(np.float32)
    edge = find_boundaries(labels, mode="inner") * np.float32(0.25)
    chromatin = 1 + 0.28 * smooth_field(rng, size, 2.2) + 0.15 * smooth_field(rng, size, 1.2)
    nuclei = inside * _per_cell(rng, labels, 0.3) * chromatin * 0.8 + edge
    cytoplasm = 0.18 * _blurred(inside, 6) * (1 + 0.4 * smooth_field(rng, size, 8))
    gaps = _step(smooth_field(rng, size, 35) - 0.9)
    fibres = (
        0.30 * (1 + 0.28 * _fibres(rng, size) + 0.25 * smooth_field(rng, size, 14)) * (1 - gaps)
    )
    red_cells = 0.5 * _step(4 * (_specks(rng, size, 10, 3.5) - 0.4)) * (1 - inside)
    hematoxylin = (0.6 + 0.6 * conditions.hue) * (nuclei + cytoplasm + 0.05 * (1 - gaps))
    eosin = (1.3 - 0.6 * conditions.hue) * (fibres * (1 - 0.5 * inside) + red_cells)
    density = conditions.contrast * (
        np.maximum(hematoxylin, 0)[..., None] * _HEMATOXYLIN
        + np.maximum(eosin, 0)[..., None] * _EOSIN
    )
    lamp = np.array([0.95, 0.93, 0.90 + 0.05 * conditions.hue], np.float32)
    return _expose(rng, lamp * np.exp(-1.5 * density), conditions)


def phase_contrast(
    rng: np.random.Generator, labels: LabelMap, conditions: Conditions
) -> FloatImage:
    """Draw cells by their phase delay: dark and granular in a bright halo; a few are round and bright.

    The halo and the bright middle of large cells come from the phase ring, which removes the low
    frequencies of the delay (Yin et al. 2012).

    Args:
        rng: random number generator.
        labels: (H, W) label map of the cells.
        conditions: light, noise and contrast of the picture.

    Returns:
        (H, W) float32 in [0, 1].
    """
    size = labels.shape
    shining = np.where(rng.random(int(labels.max()) + 1) < 0.08, -1.5, 1)[labels]
    granules = 0.16 * smooth_field(rng, size, 2) + 0.12 * smooth_field(rng, size, 5)
    delay = _thickness(labels) * _per_cell(rng, labels, 0.25) * shining
    delay = delay + (labels > 0) * (0.25 + granules) + 0.5 * _specks(rng, size, 12, 1.2)
    seen = delay - 0.6 * _blurred(delay, 3) - 0.5 * _blurred(delay, rng.uniform(6, 10))
    ground = 0.5 + 0.02 * smooth_field(rng, size, 50) + 0.012 * smooth_field(rng, size, 3)
    return _expose(rng, ground - 0.45 * conditions.contrast * seen, conditions)


def differential_interference(
    rng: np.random.Generator, labels: LabelMap, conditions: Conditions
) -> FloatImage:
    """Draw the slope of the cells' thickness along one direction, as if lit from the side.

    Args:
        rng: random number generator.
        labels: (H, W) label map of the cells.
        conditions: light, noise and contrast of the picture.

    Returns:
        (H, W) float32 in [0, 1].
    """
    size = labels.shape
    organelles = 0.15 * smooth_field(rng, size, 2) + 0.15 * smooth_field(rng, size, 5)
    height = _thickness(labels) * _per_cell(rng, labels, 0.2) + (labels > 0) * organelles
    height = _blurred(height + 0.3 * _specks(rng, size, 15, 1.5), 1)
    direction = rng.uniform(0, 2 * np.pi)
    down, right = np.gradient(height)
    slope = np.sin(direction) * down + np.cos(direction) * right
    ground = 0.5 + 0.03 * smooth_field(rng, size, 70) + 0.008 * smooth_field(rng, size, 2)
    return _expose(rng, ground + 1.5 * conditions.contrast * slope, conditions)


OPTICS: dict[str, Callable[[np.random.Generator, LabelMap, Conditions], FloatImage]] = {
    "fluorescence": fluorescence,
    "brightfield": brightfield,
    "phase-contrast": phase_contrast,
    "DIC": differential_interference,
}
"""The simulated microscope of each modality."""


def _expose(rng: np.random.Generator, scene: FloatImage, conditions: Conditions) -> FloatImage:
    """Add blur, uneven light, shot and read noise, and saturation."""
    rows, columns = np.ogrid[-1 : 1 : scene.shape[0] * 1j, -1 : 1 : scene.shape[1] * 1j]
    down, right = rng.uniform(-0.6, 0.6, 2)
    distance = np.hypot(rows - down, columns - right)
    light = conditions.light * (1 - conditions.unevenness * np.minimum(distance, 2) / 2)
    light = light.reshape(light.shape + (1,) * (scene.ndim - 2))
    photons = np.clip(_blurred(scene, conditions.blur) * light, 0, 1.2) * conditions.photons
    noisy = rng.poisson(photons) / conditions.photons + rng.normal(0, 0.005, scene.shape)
    return np.asarray(np.clip(noisy, 0, 1), np.float32)


def _thickness(labels: LabelMap) -> FloatImage:
    """Return a dome over every cell: 1 over its middle, 0 at its edge and outside."""
    inner = (labels > 0) & ~find_boundaries(labels, mode="inner")
    depth = cv2.distanceTransform(inner.astype(np.uint8), cv2.DIST_L2, 5)
    deepest = np.ones(int(labels.max()) + 1, np.float32)
    np.maximum.at(deepest, labels.ravel(), depth.ravel())
    return np.asarray(np.sqrt(1 - (1 - depth / deepest[labels]) ** 2), np.float32)


def _per_cell(rng: np.random.Generator, labels: LabelMap, spread: float) -> FloatImage:
    """Draw one log-normal level per cell; ``spread`` is the standard deviation of its logarithm."""
    levels = rng.lognormal(0, spread, int(labels.max()) + 1).astype(np.float32)
    return np.asarray(levels[labels])


def _fibres(rng: np.random.Generator, size: tuple[int, int]) -> FloatImage:
    """Draw wavy collagen, mean 0 and standard deviation 1: noise stretched along one bent direction."""
    rows, columns = np.indices(size, np.float32)
    direction, reach = rng.uniform(0, np.pi), sum(size)
    sine, cosine = np.float32(np.sin(direction)), np.float32(np.cos(direction))
    along = (rows * sine + columns * cosine) / 16
    across = (rows * cosine - columns * sine + 6 * smooth_field(rng, size, 30)) / 2.2
    noise = smooth_field(rng, (reach, reach), 1)
    fibres = cv2.remap(
        noise, along % reach, across % reach, cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP
    )
    return np.asarray(fibres, np.float32)


def _specks(
    rng: np.random.Generator, size: tuple[int, int], most: int, radius: float
) -> FloatImage:
    """Scatter up to ``most`` round specks of debris that are not cells, of height 1 or less."""
    points = np.zeros(size, np.float32)
    count = rng.integers(most + 1)
    points[rng.integers(size[0], size=count), rng.integers(size[1], size=count)] = rng.uniform(
        0.3, 1, count
    )
    return _blurred(points, radius) * np.float32(2 * np.pi * radius**2)


def _step(values: FloatImage) -> FloatImage:
    """Rise smoothly from 0 to 1 around 0, over about half a unit."""
    return np.asarray(1 / (1 + np.exp(-8 * values)), np.float32)


def _blurred(image: npt.NDArray[Any], sigma: float) -> FloatImage:
    """Blur rows and columns, not colours, by a Gaussian."""
    return np.asarray(cv2.GaussianBlur(image.astype(np.float32), (0, 0), sigma), np.float32)
