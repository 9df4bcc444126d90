"""Colours: channels in another order, and stains of another strength."""

import numpy as np
import numpy.typing as npt

from cellbench.data.perturb.pixels import Floats, Picture

_DARKEST = 1e-3  # share of the light that black pixels transmit, so that it has a logarithm


def swap_channels(picture: Picture, rng: np.random.Generator) -> Floats:
    """Put the channels into another order.

    Args:
        picture: the image, of at least two channels.
        rng: draws the order, which is never the one of before.

    Returns:
        (H, W, C).
    """
    order = before = np.arange(picture.values.shape[2])
    while np.array_equal(order, before):
        order = rng.permutation(before)
    return picture.values[..., order]


def shift_stains(picture: Picture, strength: float, rng: np.random.Generator) -> Floats:
    """Change the amounts of haematoxylin, eosin and a third stain (DAB), each up or down.

    The optical density of a pixel is the logarithm of the light that is lost. It is the sum of the
    stains, whose colours Ruifrok and Johnston (2001) measured; scikit-image has them. Tellez et al. (2018)
    augment training images in the same way, but draw each change from an interval, add an offset, and
    lose negative amounts. Here the size of the change is the severity, only its sign is drawn.

    Args:
        picture: a brightfield image in red, green and blue.
        strength: share by which the amount of each stain grows or falls.
        rng: draws whether it grows or falls.

    Returns:
        (H, W, 3).
    """
    change = 1 + strength * rng.choice([-1.0, 1.0], size=3)
    light = picture.white - picture.black or 1.0
    transmitted = np.clip((picture.values - picture.black) / light, _DARKEST, 1)
    densities = -np.log(transmitted) @ stain_matrix(change)
    shifted: Floats = np.exp(-densities).astype(picture.values.dtype)
    return picture.black + light * shifted


def stain_matrix(change: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the matrix that changes optical densities as amounts of stains change.

    Args:
        change: (3,), factor on the amount of haematoxylin, eosin and DAB.

    Returns:
        (3, 3), to be multiplied from the right with densities of red, green and blue.
    """
    from skimage.color import hed_from_rgb, rgb_from_hed

    matrix: npt.NDArray[np.float64] = hed_from_rgb @ np.diag(np.asarray(change)) @ rgb_from_hed
    return matrix
