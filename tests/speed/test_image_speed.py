"""Normalisation against the official steps: `make bench`."""

import numpy as np
import numpy.typing as npt
from peers import medians, report
from skimage.exposure import rescale_intensity

from cellbench.images import normalise


def official_normalise(raw: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The steps of the challenge's pre_process_3class.py, channel by channel."""
    channels = []
    for channel in np.moveaxis(raw, -1, 0):
        low, high = np.percentile(channel[channel > 0], [1, 99])
        scaled = rescale_intensity(channel, in_range=(low, high), out_range="uint8")
        channels.append(scaled.astype(np.uint8))
    return np.stack(channels, axis=-1)


def test_normalisation_against_the_official_steps() -> None:
    raw = np.random.default_rng(0).integers(0, 256, (2000, 2000, 3), dtype=np.uint8)
    np.testing.assert_array_equal(normalise(raw), official_normalise(raw))
    ours, theirs = medians(lambda: normalise(raw), lambda: official_normalise(raw))
    assert report("normalising 2000 × 2000 × 3", ours, "the official steps", theirs) >= 4
