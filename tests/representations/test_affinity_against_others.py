"""The mutex watershed against other implementations.

They are in no extra of cellbench. Install them without their dependencies, which cellbench has:
``pip install --no-deps mwatershed==0.5.4 bioimage-cpp==0.10.0``.
"""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pytest
from real_images import REAL
from scipy import ndimage

from cellbench.evaluation import match_cells
from cellbench.labels import LabelMap, read_labels
from cellbench.representations import Affinity
from cellbench.representations.affinity_kernels import number_cells
from cellbench.representations.mutex_watershed import mutex_watershed

NOT_INSTALLED = "{} is not installed; the top of this file says how"
OFFSETS = Affinity().offsets()
DIRECT = 2
LEVELS = 65_535
Maps = npt.NDArray[np.float64]
Inside = npt.NDArray[np.bool_]


def our_cells(affinities: Maps, inside: Inside) -> LabelMap:
    parents = mutex_watershed(affinities.astype(np.float32), inside, OFFSETS, DIRECT, 0.0, 1.0, 1)
    labels: LabelMap = number_cells(parents, inside, 1.0)
    return labels


def cells_of_mwatershed(affinities: Maps, inside: Inside) -> LabelMap:
    """Repelling edges are negative there. It has no mask, so edges to the background get weight 0.

    Pixels without an edge are 0 there; here each is a cluster.
    """
    mwatershed = pytest.importorskip("mwatershed", reason=NOT_INSTALLED.format("mwatershed"))
    weights = affinities.copy()
    weights[DIRECT:] -= 1
    for channel, (down, right) in enumerate(OFFSETS.tolist()):
        there = np.pad(inside, 30)[30 + down :, 30 + right :][: len(inside), : inside.shape[1]]
        weights[channel][~(inside & there)] = 0
    labels = mwatershed.agglom(weights, OFFSETS.tolist()).astype(np.int64)
    labels = np.where(
        labels == 0, labels.max() + 1 + np.arange(labels.size).reshape(inside.shape), labels
    )
    return np.where(inside, labels, 0)


def cells_of_bioimage_cpp(affinities: Maps, inside: Inside) -> LabelMap:
    """There, the values of repelling edges are how strongly they repel."""
    theirs = pytest.importorskip(
        "bioimage_cpp.segmentation", reason=NOT_INSTALLED.format("bioimage-cpp")
    )
    weights = affinities.copy()
    weights[DIRECT:] = 1 - weights[DIRECT:]
    labels = theirs.mutex_watershed(weights, OFFSETS.tolist(), DIRECT, mask=inside)
    return labels.astype(np.int64)


Others = Callable[[Maps, Inside], LabelMap]
OTHERS = pytest.mark.parametrize("others", [cells_of_mwatershed, cells_of_bioimage_cpp])


def same_partition(one: LabelMap, other: LabelMap) -> bool:
    pairs = np.unique(np.stack([one.ravel(), other.ravel()]), axis=1).shape[1]
    return pairs == len(np.unique(one)) == len(np.unique(other))


def without_ties(affinities: Maps) -> Maps:
    """Replace the weights of all edges by different ones in the same order."""
    weights = affinities.copy()
    weights[DIRECT:] = 1 - weights[DIRECT:]
    order = np.argsort(weights.ravel(), kind="stable")
    weights.flat[order] = np.arange(1, weights.size + 1) / LEVELS
    weights[DIRECT:] = 1 - weights[DIRECT:]
    return weights


@OTHERS
@pytest.mark.parametrize("seed", range(8))
def test_random_weights_give_the_same_clusters(others: Others, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = rng.integers(28, 73, 2)
    affinities = without_ties(rng.random((len(OFFSETS), *shape)))
    inside = rng.random(shape) < rng.choice([0.7, 0.95, 1.1])
    assert same_partition(our_cells(affinities, inside), others(affinities, inside))


def real_maps(height: int, width: int, noise: float) -> Iterator[tuple[Maps, Inside]]:
    """Affinities of crowded parts of real label maps, unsharp and with errors."""
    rng = np.random.default_rng(0)
    for path in sorted(REAL.glob("tune/labels/*"))[::6]:
        labels = read_labels(path)[:height, :width]
        if len(np.unique(labels)) < 4 or labels.shape != (height, width):
            continue
        logits = ndimage.gaussian_filter(
            8.0 * Affinity().encode(labels)["affinities"] - 4, (0, 1, 1)
        )
        errors = ndimage.gaussian_filter(rng.normal(0, 1, logits.shape), (0, 1, 1))
        yield 1 / (1 + np.exp(-logits - noise * errors / errors.std())), labels > 0


@OTHERS
@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real label maps in {REAL}")
@pytest.mark.parametrize("noise", [0.5, 1.5, 3])
def test_noisy_real_maps_give_the_same_clusters(others: Others, noise: float) -> None:
    compared = 0
    for affinities, inside in real_maps(80, 68, noise):
        clear = without_ties(affinities)
        assert same_partition(our_cells(clear, inside), others(clear, inside))
        compared += 1
    assert compared >= 5


@OTHERS
@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real label maps in {REAL}")
def test_equal_weights_and_their_rounding_hardly_matter(others: Others) -> None:
    counts = np.zeros(3)
    for affinities, inside in real_maps(250, 250, 1):
        theirs, ours = others(affinities, inside), our_cells(affinities, inside)
        found = match_cells(theirs.astype(np.int32), ours, threshold=0.9)
        counts += found.tp, found.true_cells, found.predicted_cells
    agreement = 2 * counts[0] / counts[1:].sum()
    print(f"\n{agreement:.4f} of {counts[1]:.0f} clusters agree")
    assert agreement >= 0.99
