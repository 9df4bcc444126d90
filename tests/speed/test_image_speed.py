"""Normalisation against the official steps: `make bench`."""

import numpy as np
import numpy.typing as npt
import pytest
from peers import medians, report
from skimage.exposure import rescale_intensity

from cellbench.images import normalise


def official_normalise(raw: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The steps of the challenge's pre_process_3class.py: a gray image is three channels first."""
    image = np.repeat(raw[..., None], 3, axis=-1) if raw.ndim == 2 else raw
    channels = []
    for channel in np.moveaxis(image, -1, 0):
        low, high = np.percentile(channel[channel > 0], [1, 99])
        scaled = rescale_intensity(channel, in_range=(low, high), out_range="uint8")
        channels.append(scaled.astype(np.uint8))
    return np.stack(channels, axis=-1)


@pytest.mark.parametrize("shape", [(1000, 1000), (2000, 2000, 3)])
def test_normalisation_against_the_official_steps(shape: tuple[int, ...]) -> None:
    raw = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    np.testing.assert_array_equal(normalise(raw), official_normalise(raw))
    ours, theirs = medians(lambda: normalise(raw), lambda: official_normalise(raw))
    what = "normalising " + " × ".join(map(str, shape))
    assert report(what, ours, "the official steps", theirs) >= 10
