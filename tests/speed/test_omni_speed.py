"""Omnipose's maps against their time budgets, and against flows to the centre: `make bench`."""

import numpy as np
import pytest
from crowded import crowded_pair
from peers import processor_seconds, report
from scipy import ndimage
from test_flow_speed import noisy_maps as noisy_flows

from cellbench.evaluation import match_cells
from cellbench.labels import LabelMap, relabel
from cellbench.representations import Flow, Omni


def noisy_maps(labels: LabelMap) -> dict[str, np.ndarray]:
    """Maps with shorter flows and errors that neighbours share, as networks predict them."""
    rng = np.random.default_rng(0)
    maps = Omni().encode(labels)
    errors = ndimage.gaussian_filter(rng.normal(0, 1, maps["flows"].shape), (0, 1, 1))
    flows = 0.9 * maps["flows"] + 0.8 * errors / errors.std()
    boundary = 0.1 + 0.8 * maps["boundary"]
    return maps | {"flows": flows.astype(np.float32), "boundary": boundary.astype(np.float32)}


@pytest.mark.parametrize(("side", "cells", "most"), [(1000, 500, 0.1), (128, 16, 0.005)])
def test_encoding_takes_its_time_at_most(side: int, cells: int, most: float) -> None:
    labels = relabel(crowded_pair(side, cells)[0])
    taken = processor_seconds(lambda: Omni().encode(labels))
    print(f"\nencoding omni, {side} × {side}, {labels.max()} cells: {taken * 1e3:.2f} ms")
    assert taken <= most


def test_decoding_takes_its_time_at_most() -> None:
    labels, _ = crowded_pair(1000, 500)
    maps = noisy_maps(labels)
    found = match_cells(labels, Omni().decode(maps), threshold=0.8)
    assert found.tp >= 0.99 * max(found.true_cells, found.predicted_cells)
    taken = processor_seconds(lambda: Omni().decode(maps))
    print(f"\ndecoding omni, 1000 × 1000, {found.true_cells} cells: {taken * 1e3:.0f} ms")
    assert taken <= 0.4


def test_encoding_and_decoding_against_flows_to_the_centre() -> None:
    labels, _ = crowded_pair(1000, 500)
    ours = processor_seconds(lambda: Omni().encode(labels))
    theirs = processor_seconds(lambda: Flow().encode(labels))
    assert report("encoding omni, 1000 × 1000", ours, "Flow", theirs) >= 1
    maps, flows = noisy_maps(labels), noisy_flows(labels)
    ours = processor_seconds(lambda: Omni().decode(maps))
    theirs = processor_seconds(lambda: Flow().decode(flows))
    assert report("decoding omni, 1000 × 1000", ours, "Flow", theirs) >= 0.7
