"""Flows against their time budgets, and against Cellpose where it is installed: `make bench`."""

import numpy as np
import pytest
from crowded import crowded_pair
from peers import processor_seconds, report
from scipy import ndimage

from cellbench.evaluation import match_cells
from cellbench.labels import LabelMap, relabel
from cellbench.representations import Flow

NO_CELLPOSE = "Cellpose is not installed; test_flow_against_cellpose.py says how"


def noisy_maps(labels: LabelMap, blur: float = 1.0) -> dict[str, np.ndarray]:
    """Maps with shorter flows and errors that neighbours share, as networks predict them."""
    rng = np.random.default_rng(0)
    maps = Flow().encode(labels)
    errors = ndimage.gaussian_filter(rng.normal(0, 1, maps["flows"].shape), (0, blur, blur))
    flows = 0.9 * maps["flows"] + errors / errors.std()
    foreground = 0.1 + 0.8 * maps["foreground"]
    return {"foreground": foreground.astype(np.float32), "flows": flows.astype(np.float32)}


@pytest.mark.parametrize(("side", "most"), [(1000, 0.25), (128, 0.003)])
def test_encoding_takes_its_time_at_most(side: int, most: float) -> None:
    labels = relabel(crowded_pair(1000, 500)[0][:side, :side])
    taken = processor_seconds(lambda: Flow().encode(labels))
    print(f"\nencoding flows, {side} × {side}, {labels.max()} cells: {taken * 1e3:.1f} ms")
    assert taken <= most


def test_decoding_takes_its_time_at_most() -> None:
    labels, _ = crowded_pair(1000, 500)
    maps = noisy_maps(labels)
    found = match_cells(labels, Flow().decode(maps), threshold=0.9)
    assert found.tp >= 0.99 * max(found.true_cells, found.predicted_cells)
    taken = processor_seconds(lambda: Flow().decode(maps))
    print(f"\ndecoding flows, 1000 × 1000, {found.true_cells} cells: {taken * 1e3:.0f} ms")
    assert taken <= 0.6


def test_encoding_against_cellpose() -> None:
    dynamics = pytest.importorskip("cellpose.dynamics", reason=NO_CELLPOSE)
    labels, _ = crowded_pair(1000, 500)
    ours = processor_seconds(lambda: Flow().encode(labels))
    theirs = processor_seconds(lambda: dynamics.masks_to_flows(labels), rounds=3)
    assert report("encoding flows, 1000 × 1000", ours, "Cellpose", theirs) >= 40


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
def test_decoding_against_cellpose() -> None:
    dynamics = pytest.importorskip("cellpose.dynamics", reason=NO_CELLPOSE)
    maps = noisy_maps(crowded_pair(1000, 500)[0])
    logits = np.log(maps["foreground"][0] / (1 - maps["foreground"][0]))
    ours = processor_seconds(lambda: Flow().decode(maps))
    theirs = processor_seconds(
        lambda: dynamics.resize_and_compute_masks(maps["flows"], logits), rounds=3
    )
    assert report("decoding flows, 1000 × 1000", ours, "Cellpose", theirs) >= 10
