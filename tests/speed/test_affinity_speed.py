"""Affinities against their time budgets, and the mutex watershed against two peers: `make bench`."""

import numpy as np
import numpy.typing as npt
import pytest
from crowded import crowded_pair
from peers import processor_seconds, report
from scipy import ndimage

from cellbench.evaluation import match_cells
from cellbench.labels import LabelMap, relabel
from cellbench.representations import Affinity

NOT_INSTALLED = "{} is not installed; test_affinity_against_others.py says how"
OFFSETS = Affinity().offsets()
DIRECT = 2
PAPER = Affinity(smallest_weight=0, repulsion=1, stride=1)


def noisy_maps(labels: LabelMap, blur: float = 1.0) -> dict[str, npt.NDArray[np.float32]]:
    """Maps with unsharp outlines and errors that neighbours share, as networks predict them."""
    rng = np.random.default_rng(0)
    maps = Affinity().encode(labels)
    logits = ndimage.gaussian_filter(8.0 * maps["affinities"] - 4, (0, blur, blur))
    errors = ndimage.gaussian_filter(rng.normal(0, 1, logits.shape), (0, blur, blur))
    affinities = 1 / (1 + np.exp(-logits - 0.5 * errors / errors.std()))
    foreground = 0.1 + 0.8 * maps["foreground"]
    return {
        "foreground": foreground.astype(np.float32),
        "affinities": affinities.astype(np.float32),
    }


@pytest.mark.parametrize(("side", "most"), [(1000, 0.1), (128, 0.002)])
def test_encoding_takes_its_time_at_most(side: int, most: float) -> None:
    labels = relabel(crowded_pair(1000, 500)[0][:side, :side])
    taken = processor_seconds(lambda: Affinity().encode(labels))
    print(f"\nencoding affinities, {side} × {side}, {labels.max()} cells: {taken * 1e3:.1f} ms")
    assert taken <= most


@pytest.mark.parametrize("affinity", [PAPER, Affinity()])
def test_decoding_takes_its_time_at_most(affinity: Affinity) -> None:
    labels, _ = crowded_pair(1000, 500)
    maps = noisy_maps(labels)
    found = match_cells(labels, affinity.decode(maps), threshold=0.8)
    assert found.tp >= 0.99 * found.true_cells
    assert found.tp >= 0.95 * found.predicted_cells
    taken = processor_seconds(lambda: affinity.decode(maps))
    print(
        f"\ndecoding affinities, 1000 × 1000, {found.true_cells} cells, {affinity.decoding()}: "
        f"{taken * 1e3:.0f} ms"
    )
    assert taken <= 0.5


def paper(affinities: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return how strongly direct edges attract, and the others repel."""
    weights = affinities.astype(np.float64)
    weights[DIRECT:] = 1 - weights[DIRECT:]
    return weights


def test_decoding_against_bioimage_cpp() -> None:
    theirs = pytest.importorskip(
        "bioimage_cpp.segmentation", reason=NOT_INSTALLED.format("bioimage-cpp")
    )
    maps = noisy_maps(crowded_pair(1000, 500)[0])
    weights, inside = paper(maps["affinities"]), maps["foreground"][0] >= 0.5
    ours = processor_seconds(lambda: PAPER.decode(maps), 3)
    peer = processor_seconds(
        lambda: theirs.mutex_watershed(weights, OFFSETS.tolist(), DIRECT, mask=inside), 2
    )
    assert report("mutex watershed, 1000 × 1000", ours, "bioimage-cpp", peer) >= 2


def test_decoding_against_mwatershed() -> None:
    mwatershed = pytest.importorskip("mwatershed", reason=NOT_INSTALLED.format("mwatershed"))
    maps = noisy_maps(crowded_pair(1000, 500)[0])
    weights = paper(maps["affinities"]) * (maps["foreground"][0] >= 0.5)
    weights[DIRECT:] *= -1
    ours = processor_seconds(lambda: PAPER.decode(maps), 3)
    peer = processor_seconds(lambda: mwatershed.agglom(weights, OFFSETS.tolist()), 2)
    assert report("mutex watershed, 1000 × 1000", ours, "mwatershed", peer) >= 2
