"""Noise: of the camera (Gaussian) and of the light itself (Poisson)."""

import numpy as np

from cellbench.data.perturb.pixels import Floats, Picture


def add_gaussian_noise(picture: Picture, strength: float, rng: np.random.Generator) -> Floats:
    """Add independent noise to every pixel and channel.

    Args:
        picture: the image.
        strength: standard deviation as a share of the range of the channel (1st to 99th percentile).
        rng: draws the noise.

    Returns:
        (H, W, C).
    """
    values = picture.values
    noise = rng.standard_normal(values.shape, dtype=np.float32)
    return values + noise * (strength * picture.range)


def add_poisson_noise(picture: Picture, strength: float, rng: np.random.Generator) -> Floats:
    """Replace the expected number of photons in every pixel by a number that is drawn.

    The light of a pixel is counted from the lower level of its channel (1st percentile), so that neither
    the offset of a camera nor the number of bits matters. The variance at a level x is
    ``range * (x - low) / strength``; pixels at or below the lower level are not changed.

    Args:
        picture: the image.
        strength: expected number of photons of a pixel at the upper level (99th percentile).
        rng: draws the photons.

    Returns:
        (H, W, C).
    """
    low, _ = picture.levels
    unit = picture.range / strength  # the value of one photon
    light = np.maximum(picture.values - low, 0)
    expected = np.divide(light, unit, out=np.zeros_like(light), where=unit > 0)
    noise = rng.poisson(expected).astype(light.dtype) - expected
    noisy: Floats = picture.values + noise * unit
    return noisy
