"""Embeddings against their time budgets: `make bench`."""

import numpy as np
import pytest
import torch
from crowded import crowded_pair
from peers import processor_seconds
from scipy import ndimage

from cellbench.evaluation import match_cells
from cellbench.labels import LabelMap, relabel
from cellbench.representations import Embedding


def crops() -> list[LabelMap]:
    """Sixteen crops of 128 px with 8 to 15 cells."""
    labels, _ = crowded_pair(1000, 500)
    corners = range(0, 800, 200)
    return [
        relabel(labels[row : row + 128, column : column + 128])
        for row in corners
        for column in corners
    ]


def noisy_maps(labels: LabelMap) -> dict[str, np.ndarray]:
    """Maps with errors of 2 px that neighbours share, as networks predict them."""
    maps = Embedding().encode(labels)
    errors = np.random.default_rng(0).normal(0, 1, maps["offset"].shape)
    errors = ndimage.gaussian_filter(errors, (0, 1, 1))
    errors *= 2 / errors.std()
    sigma = np.where(maps["sigma"] > 0, maps["sigma"], 3)
    seed = 0.02 + 0.95 * maps["seed"] * np.exp(-(errors**2).sum(axis=0) / (2 * sigma[:1] ** 2))
    noisy = {"offset": maps["offset"] + errors, "sigma": sigma, "seed": seed}
    return {name: each.astype(np.float32) for name, each in noisy.items()}


@pytest.mark.parametrize(("side", "most"), [(1000, 0.1), (128, 0.003)])
def test_encoding_takes_its_time_at_most(side: int, most: float) -> None:
    labels = relabel(crowded_pair(1000, 500)[0][:side, :side])
    taken = processor_seconds(lambda: Embedding().encode(labels))
    print(f"\nencoding embeddings, {side} × {side}, {labels.max()} cells: {taken * 1e3:.1f} ms")
    assert taken <= most


def test_decoding_takes_its_time_at_most() -> None:
    labels, _ = crowded_pair(1000, 500)
    maps = noisy_maps(labels)
    found = match_cells(labels, Embedding().decode(maps), threshold=0.9)
    assert found.tp >= 0.99 * max(found.true_cells, found.predicted_cells)
    taken = processor_seconds(lambda: Embedding().decode(maps))
    print(f"\ndecoding embeddings, 1000 × 1000, {found.true_cells} cells: {taken * 1e3:.0f} ms")
    assert taken <= 0.3


def test_the_loss_takes_its_time_at_most() -> None:
    torch.set_num_threads(1)
    encoded = [Embedding().encode(labels) for labels in crops()]
    targets = {
        name: torch.from_numpy(np.stack([maps[name] for maps in encoded])) for name in encoded[0]
    }
    generator = torch.Generator().manual_seed(0)
    outputs = {
        name: torch.randn(each.shape, generator=generator).requires_grad_()
        for name, each in targets.items()
    }
    taken = processor_seconds(lambda: Embedding().loss(outputs, targets).backward())
    print(f"\nloss of embeddings, 16 patches of 128 px: {taken * 1e3:.0f} ms")
    assert taken <= 0.3
