"""Perturb one image: which function belongs to which kind, and which images it is for."""

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from cellbench.data.perturb.blur import blur_motion, defocus
from cellbench.data.perturb.colours import shift_stains, swap_channels
from cellbench.data.perturb.light import (
    apply_gamma,
    invert,
    make_light_uneven,
    reduce_contrast,
    saturate,
)
from cellbench.data.perturb.noise import add_gaussian_noise, add_poisson_noise
from cellbench.data.perturb.pixels import Floats, Picture, as_picture, as_stored, finite, in_8_bits
from cellbench.data.perturb.resolution import compress_jpeg, lower_resolution
from cellbench.data.perturb.severities import GEOMETRIC, PARTIAL, Kind
from cellbench.data.rescale import rescaled_shape, resize_image

Pixels = npt.NDArray[Any]

_FIXED: dict[str, Callable[[Picture, float], Floats]] = {
    "defocus": defocus,
    "contrast": reduce_contrast,
    "gamma": apply_gamma,
    "inversion": lambda picture, _: invert(picture),
    "jpeg": compress_jpeg,
    "low-resolution": lower_resolution,
    "saturation": saturate,
}
_RANDOM: dict[str, Callable[[Picture, float, np.random.Generator], Floats]] = {
    "gaussian-noise": add_gaussian_noise,
    "poisson-noise": add_poisson_noise,
    "motion-blur": blur_motion,
    "uneven-light": make_light_uneven,
    "channel-swap": lambda picture, _, rng: swap_channels(picture, rng),
    "stain-shift": shift_stains,
}


def image_rng(seed: int, kind: str, stem: str) -> np.random.Generator:
    """Return the random numbers of one image, which no other image and no order of images changes.

    All severities of a kind share them, so that for example the direction of motion stays the same.

    Args:
        seed: the seed of the whole dataset, at least 0.
        kind: name of the kind.
        stem: stem of the image.
    """
    digest = hashlib.sha256(f"{kind}/{stem}".encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "little")])


def is_for(kind: str, pixels: Pixels, alpha: int | None, modality: str) -> bool:
    """Return whether a kind of perturbation exists for an image.

    Swapped channels need two channels that differ. Shifted stains need red, green and blue that differ,
    of an image whose modality is brightfield, or unknown while half of its pixels are bright.

    Args:
        kind: name of the kind.
        pixels: (H, W, C) pixels of the image.
        alpha: place of the alpha channel; None if there is none.
        modality: modality of the image; empty if unknown.
    """
    if kind not in PARTIAL:
        return True
    colours = _colours(in_8_bits(pixels), alpha)
    if kind == "channel-swap" or colours.shape[2] != 3:
        return kind == "channel-swap" and colours.shape[2] > 1
    if modality:
        return modality == "brightfield"
    picture = as_picture(colours)
    return bool(np.median(picture.values) > (picture.black + picture.white) / 2)


def perturb_pixels(
    pixels: Pixels, kind: Kind, severity: int, rng: np.random.Generator, alpha: int | None = None
) -> Pixels:
    """Perturb the pixels of an image.

    Gray images that are stored in several equal channels stay gray. An alpha channel is not changed,
    except that its size follows.

    Args:
        pixels: (H, W, C) as in the file: integers, floats or booleans; booleans become 0 and 255.
        kind: what is done; [`is_for`][] says whether it exists for the image.
        severity: how strongly, from 1 on.
        rng: draws what is random.
        alpha: place of the alpha channel; None if there is none.

    Returns:
        (H, W, C) of the same type, or uint8 instead of booleans; of another height and width for enlarging
        and shrinking.

    Raises:
        UsageError: if the kind has no such severity.
        ImageError: if the values or the size cannot be perturbed.
    """
    strength = kind.strength(severity)
    pixels = in_8_bits(pixels)
    if kind.name in GEOMETRIC:
        return resize_image(finite(pixels), rescaled_shape(pixels.shape, strength))
    colours = _colours(pixels, alpha)
    picture = as_picture(colours)
    if kind.name in _RANDOM:
        values = _RANDOM[kind.name](picture, strength, rng)
    else:
        values = _FIXED[kind.name](picture, strength)
    result = pixels.copy()
    result[..., _places(pixels, alpha)] = as_stored(values, colours)
    return result


def _places(pixels: Pixels, alpha: int | None) -> list[int]:
    return [place for place in range(pixels.shape[2]) if place != alpha]


def _colours(pixels: Pixels, alpha: int | None) -> Pixels:
    """Return the channels without alpha, (H, W, C); one if all are equal."""
    colours = pixels[..., _places(pixels, alpha)]
    if colours.shape[2] > 1 and (colours == colours[..., :1]).all():
        return colours[..., :1]
    return colours
