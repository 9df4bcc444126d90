"""Pixels while they are perturbed: as floats, with the levels that strengths refer to, and back."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from cellbench.errors import ImageError

Floats = npt.NDArray[np.floating[Any]]

_PERCENTILES = (1, 99)
_LARGEST_EXACT = 2**53  # the largest integer up to which float64 has all integers


@dataclass(frozen=True)
class Picture:
    """The colours of an image as floats, in the units of its file.

    Attributes:
        values: (H, W, C), finite.
        black: the level of no light: 0 in 8-bit images, otherwise the smallest value.
        white: the level of full light: 255 in 8-bit images, otherwise the largest value.
    """

    values: Floats
    black: float
    white: float

    @cached_property
    def levels(self) -> tuple[Floats, Floats]:
        """The 1st and 99th percentile of each channel, (C,); minimum and maximum where they are equal.

        The challenge's normalisation stretches about this range to 8 bits. A strength that refers to it
        therefore means the same in images of 8 and 16 bits, dark and bright.
        """
        flat = self.values.reshape(-1, self.values.shape[2])
        low, high = np.percentile(flat, _PERCENTILES, axis=0)
        single = low >= high
        low = np.where(single, flat.min(axis=0), low).astype(flat.dtype)
        high = np.where(single, flat.max(axis=0), high).astype(flat.dtype)
        return low, high

    @property
    def range(self) -> Floats:
        """(C,), the upper level minus the lower one; 0 in a channel of one value."""
        low, high = self.levels
        return high - low


def as_picture(pixels: npt.NDArray[Any]) -> Picture:
    """Convert pixels to floats; values that are not finite become 0, as when a model reads them.

    Args:
        pixels: (H, W, C) integers or floats.

    Raises:
        ImageError: if the pixels are complex, or an integer is beyond ±2⁵³.
    """
    if pixels.dtype.kind not in "uif":
        raise ImageError(
            f"pixels of type {pixels.dtype} cannot be perturbed; save them as integers or floats"
        )
    if pixels.dtype.kind in "ui" and max(int(pixels.max()), -int(pixels.min())) > _LARGEST_EXACT:
        raise ImageError(
            "pixel values beyond ±2⁵³ cannot be perturbed; save the image with smaller ones"
        )
    values = finite(pixels.astype(np.result_type(pixels.dtype, np.float32)))
    if pixels.dtype == np.uint8:
        return Picture(values, 0.0, 255.0)
    return Picture(values, float(values.min()), float(values.max()))


def in_8_bits(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a black and white image as 0 and 255, and any other as it is.

    Two values have no room for noise or blur: rounded to them, most perturbations change nothing.

    Args:
        pixels: (H, W, C).
    """
    return np.where(pixels, np.uint8(255), np.uint8(0)) if pixels.dtype.kind == "b" else pixels


def finite(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return pixels with 0 for values that are not finite, as when a model reads them.

    Args:
        pixels: (H, W, C) of any type.
    """
    if pixels.dtype.kind != "f" or np.isfinite(pixels).all():
        return pixels
    return np.where(np.isfinite(pixels), pixels, pixels.dtype.type(0))


def as_stored(values: Floats, original: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Convert floats back to the type of the file.

    Integers are rounded and clipped to what their type can hold. Where no value was negative, the new
    ones are clipped at 0: such an image holds amounts of light.

    Args:
        values: (H, W, C).
        original: the pixels before the perturbation.

    Returns:
        (H, W, C) of the type of ``original``.
    """
    dtype = original.dtype
    if not (original < 0).any():
        values = np.maximum(values, 0)
    if dtype.kind == "f":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    largest = min(limits.max, _LARGEST_EXACT)
    return np.clip(np.rint(values), max(limits.min, -largest), largest).astype(dtype)
