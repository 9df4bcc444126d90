"""Inner distances against their time budgets, and their maxima against scikit-image: `make bench`."""

import numpy as np
import pytest
from crowded import crowded_pair
from peers import processor_seconds, report
from scipy import ndimage
from skimage.morphology import h_maxima as reconstructed_maxima

from cellbench.evaluation import match_cells
from cellbench.labels import LabelMap, relabel
from cellbench.representations import InnerDistance
from cellbench.representations.h_maxima import h_maxima

NOISE = 0.02


def noisy_maps(labels: LabelMap) -> dict[str, np.ndarray]:
    """Blurred maps with errors that neighbours share, as networks predict them."""
    rng = np.random.default_rng(0)
    maps = InnerDistance().encode(labels)
    errors = ndimage.gaussian_filter(rng.normal(size=maps["inner"].shape), (0, 1, 1))
    inner = ndimage.gaussian_filter(maps["inner"], (0, 1, 1)) + NOISE * errors / errors.std()
    classes = 0.8 * ndimage.gaussian_filter(maps["pixelwise"].astype(np.float32), (0, 1, 1))
    classes += 0.2 / 3 + NOISE * rng.normal(size=classes.shape)
    return {"inner": inner.astype(np.float32), "pixelwise": classes.astype(np.float32)}


@pytest.mark.parametrize(("side", "most"), [(1000, 0.05), (128, 0.005)])
def test_encoding_takes_its_time_at_most(side: int, most: float) -> None:
    labels = relabel(crowded_pair(1000, 500)[0][:side, :side])
    taken = processor_seconds(lambda: InnerDistance().encode(labels))
    print(f"\nencoding, {side} × {side}, {labels.max()} cells: {taken * 1e3:.2f} ms")
    assert taken <= most


def test_decoding_takes_its_time_at_most() -> None:
    labels, _ = crowded_pair(1000, 500)
    maps = noisy_maps(labels)
    found = match_cells(labels, InnerDistance().decode(maps), threshold=0.8)
    assert found.tp >= 0.99 * max(found.true_cells, found.predicted_cells)
    taken = processor_seconds(lambda: InnerDistance().decode(maps))
    print(f"\ndecoding, 1000 × 1000, {found.true_cells} cells: {taken * 1e3:.0f} ms")
    assert taken <= 0.4


def test_maxima_against_scikit_image() -> None:
    labels, _ = crowded_pair(1000, 500)
    inner = np.clip(noisy_maps(labels)["inner"][0], 0, 1) * (labels > 0)
    heights, least = np.rint(inner * 65535).astype(np.uint16), round(0.075 * 65535)
    np.testing.assert_array_equal(
        h_maxima(heights, least) > 0, reconstructed_maxima(heights, least)
    )
    ours = processor_seconds(lambda: h_maxima(heights, least))
    theirs = processor_seconds(lambda: reconstructed_maxima(heights, least), rounds=3)
    assert report("maxima, 1000 × 1000", ours, "scikit-image", theirs) >= 3
