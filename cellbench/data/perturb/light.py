"""Light: contrast, gamma, uneven illumination, inversion and saturated pixels."""

import numpy as np

from cellbench.data.perturb.pixels import Floats, Picture


def reduce_contrast(picture: Picture, strength: float) -> Floats:
    """Move all values of a channel towards their mean.

    Args:
        picture: the image.
        strength: factor on the difference from the mean.

    Returns:
        (H, W, C).
    """
    mean = picture.values.mean(axis=(0, 1), dtype=np.float64).astype(picture.values.dtype)
    reduced: Floats = mean + strength * (picture.values - mean)
    return reduced


def apply_gamma(picture: Picture, strength: float) -> Floats:
    """Raise the intensity to a power, which darkens dim parts more than bright ones.

    The intensity is 0 at the lower level of the channel (1st percentile) and 1 at the upper one (99th);
    values outside do not change.

    Args:
        picture: the image.
        strength: the exponent.

    Returns:
        (H, W, C).
    """
    low, high = picture.levels
    span = np.where(high > low, high - low, 1)
    intensity = np.clip((picture.values - low) / span, 0, 1)
    return picture.values + (intensity**strength - intensity) * (high - low)


def make_light_uneven(picture: Picture, strength: float, rng: np.random.Generator) -> Floats:
    """Reduce the light with the squared distance from a place in the image.

    At that place nothing changes. At the corner farthest from it, the share ``strength`` of the light is
    lost. Light is counted from the lower level of each channel (1st percentile).

    Args:
        picture: the image.
        strength: share of the light that is lost at the darkest place.
        rng: draws the brightest place.

    Returns:
        (H, W, C).
    """
    low, _ = picture.levels
    lost = strength * _fall_off(picture.values.shape[:2], rng)[..., None]
    light = np.maximum(picture.values - low, 0)
    uneven: Floats = picture.values - lost.astype(light.dtype) * light
    return uneven


def _fall_off(shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Return the squared distance from a random pixel, (H, W), divided by its largest value."""
    squares = [(np.arange(side) - rng.integers(side)) ** 2 for side in shape]
    distances = np.add.outer(*squares).astype(np.float64)
    shares: Floats = distances / max(distances.max(), 1.0)
    return shares


def invert(picture: Picture) -> Floats:
    """Make bright dark and dark bright: each channel is mirrored between its minimum and maximum.

    Args:
        picture: the image.

    Returns:
        (H, W, C).
    """
    values = picture.values
    inverted: Floats = values.min(axis=(0, 1)) + values.max(axis=(0, 1)) - values
    return inverted


def saturate(picture: Picture, strength: float) -> Floats:
    """Cut off the brightest pixels of each channel, as an exposure that is too long does.

    Args:
        picture: the image.
        strength: share of the pixels that share the largest value afterwards; more if several pixels
            had the value at which is cut off.

    Returns:
        (H, W, C).
    """
    level = np.quantile(picture.values, 1 - strength, axis=(0, 1), method="lower")
    return np.minimum(picture.values, level)
