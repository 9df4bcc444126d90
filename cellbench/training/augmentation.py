"""Augmentation: flips and turns of image and labels, changes of intensity and colour of the image."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from cellbench.labels import LabelMap
from cellbench.training.ranges import check_at_least

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

_LUMA = np.array([0.2989, 0.587, 0.1141])  # torchvision's, with a sum of 1: white stays white
_BLUR_SIDE = 7
_NOISE = 0.05


class PatchAugmentation(ABC):
    """A random change of training patches; subclasses can be named in ``data.augmentation``.

    It runs in worker processes, so it must be possible to pickle it.
    """

    @abstractmethod
    def __call__(
        self, image: Bytes, labels: LabelMap, rng: np.random.Generator
    ) -> tuple[Floats, LabelMap]:
        """Change one patch; every random choice must come from ``rng``.

        Args:
            image: (H, W, 3) the patch.
            labels: (H, W) its label map.
            rng: random generator of this patch.

        Returns:
            The image, (3, H, W) in [0, 1], and the label map that fits it.
        """


@dataclass(frozen=True)
class Augmentation(PatchAugmentation):
    """Flips, quarter turns, and the changes of intensity and colour that occur in microscopy.

    All changes of intensity of a patch are applied as one table of 256 values, all changes of colour
    as one matrix. Colours change only in stained tissue, because a gray image has no colour.

    Args:
        strength: factor on the probability of every change of intensity; 0 leaves flips and turns.
    """

    strength: float = 1.0

    def __call__(
        self, image: Bytes, labels: LabelMap, rng: np.random.Generator
    ) -> tuple[Floats, LabelMap]:
        """Change one patch, see [`PatchAugmentation`][]."""
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
    """Put an array into one of the eight positions that flips and quarter turns reach.

    Args:
        array: (H, W, …) an image or a label map.
        transposed: whether rows and columns are exchanged, first of all.
        upside_down: whether the rows are reversed.
        mirrored: whether the columns are reversed.

    Returns:
        The array in its new position, (H, W, …) or (W, H, …).
    """
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
    """Return the new value of each intensity from 0 to 255.

    Args:
        image: (H, W, 3); contrast is stretched about its mean luminance, as torchvision does.
        gamma: power of the intensities; below 1, faint cells become bright.
        brightness: factor on the intensities.
        contrast: factor on the differences from the mean.
        inverted: whether dark and bright are exchanged, last of all.

    Returns:
        (256,) intensities.

    Examples:
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
    """Return the matrix that changes an image's colours; gray stays gray.

    Args:
        saturation: factor on the differences from gray.
        hue: rotation about the gray axis in full turns; a third turns red into green.
        order: the channels that become red, green and blue, after the rotation.
        gray: whether all colour is removed, last of all.

    Returns:
        (3, 3) matrix that is multiplied with columns of red, green and blue.

    Examples:
        >>> colour_matrix(hue=1 / 3).round(6).tolist()
        [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    turn, _ = cv2.Rodrigues(np.full(3, 2 * np.pi * hue / np.sqrt(3)))
    matrix = (turn @ _saturation_matrix(saturation))[list(order)]
    return (_saturation_matrix(0) @ matrix if gray else matrix).astype(np.float32)


def _saturation_matrix(saturation: float) -> npt.NDArray[np.float64]:
    matrix: npt.NDArray[np.float64] = saturation * np.eye(3) + (1 - saturation) * _LUMA
    return matrix


@cache
def _noise_levels() -> Floats:
    """Return the medians of 256 equally probable parts of the normal distribution.

    Drawing one of them is several times faster than drawing normally distributed numbers.
    """
    noise = NormalDist(sigma=_NOISE)
    return np.array([noise.inv_cdf((level + 0.5) / 256) for level in range(256)], np.float32)


def _is_gray(image: Bytes) -> bool:
    red, green, blue = (image[..., channel] for channel in range(3))
    return bool((red == green).all() and (green == blue).all())


def as_augmentation(value: float | PatchAugmentation) -> PatchAugmentation:
    """Return an augmentation as it is, and for a number the default one with that strength.

    Args:
        value: an augmentation, or a factor on the probability of every change of intensity.

    Raises:
        UsageError: if the number is below 0 or not finite.
    """
    if isinstance(value, PatchAugmentation):
        return value
    check_at_least(0, "data", augmentation=value)
    return Augmentation(float(value))
