"""Outlines against their time budgets, and against celldetection where it is installed: `make bench`."""

import numpy as np
import pytest
from crowded import crowded_pair
from peers import processor_seconds, report
from scipy import ndimage

from cellbench.evaluation import match_cells
from cellbench.labels import LabelMap, relabel
from cellbench.representations import Contour

NO_PEER = "celldetection is not installed; test_contour_against_celldetection.py says how"


def noisy_maps(labels: LabelMap) -> dict[str, np.ndarray]:
    """Maps with errors that neighbours share, and lower scores, as networks predict them."""
    rng = np.random.default_rng(0)
    maps = Contour().encode(labels)
    sizes = {"offset": 1.0, "fourier": 0.4, "refinement": 0.5, "uncertainty": 0.05}
    for name, size in sizes.items():
        errors = ndimage.gaussian_filter(rng.normal(0, 1, maps[name].shape), (0, 1, 1))
        maps[name] += (size * errors / errors.std()).astype(np.float32)
    maps["score"] = ndimage.gaussian_filter(maps["score"], (0, 1, 1))
    return maps


def crowded_crop() -> LabelMap:
    """128 × 128 px with 15 cells."""
    labels: LabelMap = relabel(crowded_pair(1000, 800)[0][:128, :128])
    assert labels.max() == 15
    return labels


@pytest.mark.parametrize("order", [5, 25])
@pytest.mark.parametrize("grid", [1, 2])
def test_encoding_takes_its_time_at_most(order: int, grid: int) -> None:
    labels, contour = crowded_crop(), Contour(order=order, grid=grid)
    taken = processor_seconds(lambda: contour.targets(labels))
    print(f"\nencoding outlines, 128 × 128, order {order}, grid {grid}: {taken * 1e3:.1f} ms")
    assert taken <= 0.005


@pytest.mark.parametrize("grid", [1, 2])
def test_decoding_takes_its_time_at_most(grid: int) -> None:
    labels, _ = crowded_pair(1000, 500)
    maps, contour = noisy_maps(labels), Contour(grid=grid)
    found = match_cells(labels, contour.decode(maps), threshold=0.8)
    assert found.tp >= 0.98 * max(found.true_cells, found.predicted_cells)
    taken = processor_seconds(lambda: contour.decode(maps))
    print(f"\ndecoding outlines, 1000 × 1000, grid {grid}: {taken * 1e3:.0f} ms")
    assert taken <= 0.4


def test_encoding_against_celldetection() -> None:
    peer = pytest.importorskip("celldetection.data.cpn", reason=NO_PEER)
    labels = crowded_crop()

    def encode_theirs() -> None:
        generator = peer.CPNTargetGenerator(64, 5)
        generator.feed(labels.astype(np.int32)[..., None].copy(), border=0)
        assert generator.reduced_labels.any()
        assert len(generator.sampled_contours) == 15

    ours = processor_seconds(lambda: Contour().encode(labels))
    theirs = processor_seconds(encode_theirs)
    assert report("encoding outlines, 128 × 128", ours, "celldetection", theirs) >= 1
