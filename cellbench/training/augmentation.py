"""Augmentation: flips and turns for image and labels, microscopy's own variations for the image."""

from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from cellbench.labels import LabelMap

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

_LUMA = np.array([0.2989, 0.587, 0.1141])  # torchvision's, with a sum of 1: white stays white
_BLUR_SIDE = 7
_NOISE = 0.05


@dataclass(frozen=True)
class Augmentation:
    """Vary training patches at random.

    However many changes of tone are drawn, one table of 256 values makes them all; likewise one matrix
    all changes of colour. Those change stained tissue only, a gray image has no colour to change.

    Args:
        strength: factor on the probability of every change of intensity; 0 leaves flips and turns.
    """

    strength: float = 1.0

    def __call__(
        self, image: Bytes, labels: LabelMap, rng: np.random.Generator
    ) -> tuple[Floats, LabelMap]:
        """Take an image (H, W, 3) and its labels (H, W); all that is random comes from ``rng``.

        Returns:
            The image, (3, H, W) in [0, 1], and the labels where its cells are now.
        """
        position = rng.random(3) < 0.5
        image, labels = moved(image, *position), moved(labels, *position)
        varied = cv2.LUT(image, self._draw_tone(image, rng))
        if not _is_gray(image):
            varied = cv2.transform(varied, self._draw_colour(rng))
        if self._happens(0.1, rng):
            varied = cv2.GaussianBlur(varied, (_BLUR_SIDE, _BLUR_SIDE), rng.uniform(0.5, 2))
        planes = np.divide(varied.transpose(2, 0, 1), 255, dtype=np.float32, order="C")
        if self._happens(0.1, rng):
            levels = rng.integers(0, 256, planes.shape, np.uint8)
            np.clip(planes + np.take(_noise_levels(), levels), 0, 1, out=planes)
        return planes, labels

    def _happens(self, probability: float, rng: np.random.Generator) -> bool:
        return rng.random() < probability * self.strength

    def _draw_tone(self, image: Bytes, rng: np.random.Generator) -> Bytes:
        gamma = 2 ** rng.uniform(-1, 1) if self._happens(0.2, rng) else 1
        brightness, contrast = rng.uniform(0.7, 1.3, 2) if self._happens(0.15, rng) else (1, 1)
        return tone_table(image, gamma, brightness, contrast, self._happens(0.05, rng))

    def _draw_colour(self, rng: np.random.Generator) -> Floats:
        saturation, hue = 1.0, 0.0
        if self._happens(0.4, rng):
            saturation, hue = rng.uniform(0.5, 1.5), rng.uniform(-0.1, 0.1)
        order = rng.permutation(3) if self._happens(0.2, rng) else np.arange(3)
        return colour_matrix(saturation, hue, order, self._happens(0.1, rng))


def moved(
    array: npt.NDArray[Any], transposed: bool, upside_down: bool, mirrored: bool
) -> npt.NDArray[Any]:
    """Put an array (H, W, …) into one of the eight positions that flips and quarter turns reach."""
    if transposed:
        array = cv2.transpose(array)
    if upside_down:
        array = cv2.flip(array, 0)
    if mirrored:
        array = cv2.flip(array, 1)
    return array


def tone_table(
    image: Bytes,
    gamma: float = 1,
    brightness: float = 1,
    contrast: float = 1,
    inverted: bool = False,
) -> Bytes:
    """Tabulate what becomes of each intensity, 0 … 255.

    Args:
        image: (H, W, 3); contrast is stretched about its mean luminance, as torchvision does.
        gamma: power of the intensities; below 1, faint cells become bright.
        brightness: factor on the intensities.
        contrast: factor on the differences from the mean.
        inverted: whether dark and bright are swapped at last.

    Returns:
        (256,) intensities.

    Example:
        >>> tone_table(np.zeros((8, 8, 3), np.uint8), gamma=2, inverted=True)[[0, 255]].tolist()
        [255, 0]
    """
    table = np.clip((np.arange(256) / 255) ** gamma * brightness, 0, 1)
    if contrast != 1:
        mean = _LUMA @ cv2.mean(cv2.LUT(image, _levels(table)))[:3] / 255
        table = np.clip(mean + contrast * (table - mean), 0, 1)
    return _levels(1 - table if inverted else table)


def _levels(values: npt.NDArray[np.float64]) -> Bytes:
    return np.rint(255 * values).astype(np.uint8)


def colour_matrix(
    saturation: float = 1,
    hue: float = 0,
    order: npt.NDArray[np.integer[Any]] | tuple[int, int, int] = (0, 1, 2),
    gray: bool = False,
) -> Floats:
    """Give the matrix that changes an image's colours; gray stays as it is.

    Args:
        saturation: factor on the differences from gray.
        hue: turn about the axis of grays, in full turns: red becomes green by a third.
        order: which channel becomes red, green, blue, after that.
        gray: whether all colour is taken away at last.

    Returns:
        (3, 3), for columns of red, green, blue.

    Example:
        >>> colour_matrix(hue=1 / 3).round(6).tolist()
        [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    turn, _ = cv2.Rodrigues(np.full(3, 2 * np.pi * hue / np.sqrt(3)))
    matrix = (turn @ _saturating(saturation))[list(order)]
    return (_saturating(0) @ matrix if gray else matrix).astype(np.float32)


def _saturating(saturation: float) -> npt.NDArray[np.float64]:
    matrix: npt.NDArray[np.float64] = saturation * np.eye(3) + (1 - saturation) * _LUMA
    return matrix


@cache
def _noise_levels() -> Floats:
    """Tabulate the middles of 256 equally frequent parts of the normal distribution.

    To draw among them is several times faster than to draw normal numbers.
    """
    noise = NormalDist(sigma=_NOISE)
    return np.array([noise.inv_cdf((level + 0.5) / 256) for level in range(256)], np.float32)


def _is_gray(image: Bytes) -> bool:
    red, green, blue = (image[..., channel] for channel in range(3))
    return bool((red == green).all() and (green == blue).all())
