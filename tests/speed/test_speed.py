"""Speed against named peers, measured in one interleaved run: `make bench`.

Ratios are what to trust on a shared machine. Each bound is well below what was measured.
"""

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from label_maps import discs
from skimage.exposure import rescale_intensity
from stardist.matching import matching

from cellbench.evaluation import score_image
from cellbench.images import normalise
from cellbench.labels import LabelMap

ROUNDS = 5
THRESHOLDS = [k / 20 for k in range(10, 20)]


def medians(*calls: Callable[[], object]) -> list[float]:
    """Time the calls in turn, several rounds; give each one's median in seconds."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS):
        for call, taken in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            taken.append(time.perf_counter() - start)
    return [float(np.median(taken)) for taken in times]


def report(what: str, ours: float, peer: str, theirs: float) -> float:
    ratio = theirs / ours
    print(f"\n{what}: {ours * 1e3:.1f} ms, {peer} {theirs * 1e3:.1f} ms, {ratio:.1f} times faster")
    return ratio


def cells(side: int, spacing: int) -> tuple[LabelMap, LabelMap]:
    truth = discs((side, side), radius=spacing // 2 - 2, spacing=spacing).astype(np.int32)
    return truth, np.roll(truth, (2, -1), axis=(0, 1))


@pytest.mark.parametrize(
    ("side", "spacing", "least"), [(512, 50, 4), (1000, 44, 6), (2000, 36, 14)]
)
def test_ten_thresholds_with_frame_and_dice_against_stardist_at_one(
    side: int, spacing: int, least: float
) -> None:
    truth, prediction = cells(side, spacing)
    ours, theirs = medians(
        lambda: score_image(truth, prediction, thresholds=THRESHOLDS),
        lambda: matching(truth, prediction, thresh=0.5),
    )
    what = f"scoring {side} × {side}, {truth.max()} cells"
    assert report(what, ours, "stardist.matching", theirs) >= least


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
