"""Cell and neighbour distances against their time budgets: `make bench`."""

import numpy as np
import pytest
from crowded import crowded_pair
from peers import processor_seconds, report
from scipy import ndimage
from slow_distances import slow_maps

from cellbench.evaluation import match_cells
from cellbench.labels import LabelMap, relabel
from cellbench.representations import CellDistance


def noisy_maps(labels: LabelMap, noise: float = 0.03) -> dict[str, np.ndarray]:
    """Lower maps with errors that neighbours share, as networks predict them."""
    rng = np.random.default_rng(0)
    maps = {}
    for name, each in CellDistance().encode(labels).items():
        errors = ndimage.gaussian_filter(rng.normal(0, 1, each.shape), (0, 1, 1))
        maps[name] = (0.9 * each + noise * errors / errors.std()).astype(np.float32)
    return maps


@pytest.mark.parametrize(("side", "most"), [(1000, 0.25), (128, 0.005)])
def test_encoding_takes_its_time_at_most(side: int, most: float) -> None:
    labels = relabel(crowded_pair(1000, 500 if side > 128 else 750)[0][:side, :side])
    taken = processor_seconds(lambda: CellDistance().encode(labels))
    print(f"\nencoding distances, {side} × {side}, {labels.max()} cells: {taken * 1e3:.1f} ms")
    assert taken <= most


def test_encoding_time_grows_with_the_pixels_not_with_the_cells() -> None:
    """Cells in two far pieces, whose bounding boxes cover the whole map."""
    ids = np.arange(1, 1001).reshape(10, 100)
    rows = np.kron(ids, np.ones((4, 10), int))
    labels = np.vstack([rows, np.zeros((920, 1000), int), rows[::-1]])
    taken = processor_seconds(lambda: CellDistance().encode(labels))
    print(f"\nencoding distances of 1000 cells in two pieces: {taken * 1e3:.1f} ms")
    assert taken <= 0.25


def test_decoding_takes_its_time_at_most() -> None:
    labels, _ = crowded_pair(1000, 500)
    maps = noisy_maps(labels)
    found = match_cells(labels, CellDistance().decode(maps), threshold=0.5)
    assert found.tp >= 0.97 * max(found.true_cells, found.predicted_cells)
    taken = processor_seconds(lambda: CellDistance().decode(maps))
    print(f"\ndecoding distances, 1000 × 1000, {found.true_cells} cells: {taken * 1e3:.0f} ms")
    assert taken <= 0.4


def test_encoding_against_the_same_steps_one_cell_at_a_time() -> None:
    labels = relabel(crowded_pair(1000, 500)[0][:300, :300])
    ours = processor_seconds(lambda: CellDistance().encode(labels))
    theirs = processor_seconds(lambda: slow_maps(labels), rounds=1)
    assert report("encoding distances, 300 × 300", ours, "SciPy, cell by cell", theirs) >= 30
