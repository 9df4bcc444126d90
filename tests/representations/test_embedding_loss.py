"""The loss of embeddings against a plain loop over cells, and against the Lovász loss of another package.

The other package is not needed by cellbench and is in no extra. Install it without its dependencies:
``pip install --no-deps segmentation-models-pytorch==0.6.0``.
"""

import numpy as np
import pytest
import torch
from label_maps import discs, touching

from cellbench.labels import LabelMap
from cellbench.representations import Embedding, embedding_loss
from cellbench.representations.embedding import TYPICAL_SIGMA
from cellbench.representations.embedding_loss import (
    find_cells,
    lovasz_hinge,
    pairs_around,
)

Tensors = dict[str, torch.Tensor]


def label_maps() -> list[LabelMap]:
    """Crowded, separate, no cells, one cell, and cells in pieces."""
    pieces = np.zeros((64, 72), int)
    pieces[3:9, 5:9] = pieces[40:60, 50:70] = 9
    pieces[30, 30] = 4
    return [
        touching((64, 72), cells=9),
        discs((64, 72)),
        np.zeros((64, 72), int),
        np.ones((64, 72), int),
        pieces,
    ]


def encoded(maps: list[LabelMap], sigmas: int = 2) -> Tensors:
    """Encoded maps as a batch."""
    each = [Embedding(sigmas=sigmas).encode(labels) for labels in maps]
    return {name: torch.from_numpy(np.stack([maps[name] for maps in each])) for name in each[0]}


def predicted(targets: Tensors) -> Tensors:
    """Raw outputs with errors, which need gradients."""
    generator = torch.Generator().manual_seed(0)
    noise = {
        name: torch.randn(each.shape, generator=generator, dtype=torch.float64)
        for name, each in targets.items()
    }
    outputs = {
        "offset": 0.7 * targets["offset"].double() + 0.5 * noise["offset"],
        "sigma": 0.2 * noise["sigma"] - 0.5,
        "seed": noise["seed"] + 4 * targets["seed"] - 2,
    }
    return {name: each.float().requires_grad_() for name, each in outputs.items()}


def plain_lovasz(membership: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
    """The Lovász hinge of one cell over all pixels of an image, from its definition."""
    errors = torch.relu(1 - (2 * membership - 1) * (2 * inside.float() - 1))
    errors, order = errors.sort(descending=True, stable=True)
    true = inside[order].float()
    jaccard = 1 - (true.sum() - true.cumsum(0)) / (true.sum() + (1 - true).cumsum(0))
    return (errors * torch.diff(jaccard, prepend=torch.zeros(1))).sum()


def plain_loss(outputs: Tensors, maps: list[LabelMap], targets: Tensors) -> torch.Tensor:
    """The loss of EmbedSeg as the paper describes it, image by image and cell by cell."""
    total = torch.zeros(())
    for image, labels in enumerate(maps):
        rows, columns = (torch.from_numpy(each) for each in np.indices(labels.shape))
        places = torch.stack([rows, columns]).float()
        ends = places + outputs["offset"][image]
        seed = outputs["seed"][image, 0].sigmoid()
        background = torch.from_numpy(labels == 0)
        hinge, uneven, seeds = torch.zeros(()), torch.zeros(()), seed[background].square().sum()
        ids = [each for each in np.unique(labels) if each]
        for cell in ids:
            inside = torch.from_numpy(labels == cell)
            centre = (places + targets["offset"][image])[:, inside][:, 0]
            spread = outputs["sigma"][image][:, inside]
            mean = spread.mean(1)
            uneven = uneven + (spread - mean.detach()[:, None]).square().mean()
            widths = TYPICAL_SIGMA * mean.exp()
            gaps = (ends - centre[:, None, None]) / widths[:, None, None]
            membership = torch.exp(-0.5 * gaps.square().sum(0))
            hinge = hinge + plain_lovasz(membership.flatten(), inside.flatten())
            errors = seed[inside] - membership[inside].detach()
            seeds = seeds + 10 * errors.square().sum()
        total = total + (hinge + 0.4 * uneven) / max(1, len(ids)) + seeds / labels.size
    return total / len(maps)


@pytest.mark.parametrize("sigmas", [1, 2])
@pytest.mark.parametrize("whole_image", [False, True])
def test_value_and_gradients_are_those_of_a_loop_over_cells(
    sigmas: int, whole_image: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if whole_image:  # the loop leaves out nothing either
        monkeypatch.setattr(embedding_loss, "NEGLIGIBLE", -1)
        monkeypatch.setattr(embedding_loss, "_LEAST_MARGIN", 100)
    targets = encoded(label_maps(), sigmas)
    ours, plain = predicted(targets), predicted(targets)
    loss = Embedding(sigmas=sigmas).loss(ours, targets)
    expected = plain_loss(plain, label_maps(), targets)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5 if whole_image else 1e-4)
    loss.backward()
    expected.backward()
    for name, each in ours.items():
        own, other = each.grad, plain[name].grad
        assert own is not None
        assert other is not None
        assert (own - other).norm() <= (1e-4 if whole_image else 0.03) * other.norm(), name


def test_the_hinge_is_that_of_another_package() -> None:
    losses = pytest.importorskip(
        "segmentation_models_pytorch.losses",
        reason="segmentation-models-pytorch is not installed; the top of this file says how",
    )
    targets = encoded([touching((40, 40), cells=3)])
    cells = find_cells(targets["offset"], targets["seed"])
    pairs = pairs_around(cells, 40, 40)
    members = torch.rand(len(pairs.pixels), generator=torch.Generator().manual_seed(1))
    ours = lovasz_hinge(members, pairs, cells)
    for cell in range(3):
        own = pairs.cells == cell
        logits = 2 * members[own] - 1
        theirs = losses.LovaszLoss("binary")(logits[None, None], pairs.inside[own][None].float())
        assert ours[cell].item() == pytest.approx(theirs.item(), rel=1e-5)


def test_every_cell_of_encoded_maps_is_found() -> None:
    rng = np.random.default_rng(0)
    maps = [*label_maps(), rng.integers(0, 20, (64, 72)), rng.integers(0, 9999, (64, 72))]
    targets = encoded(maps)
    cells = find_cells(targets["offset"], targets["seed"])
    assert len(cells.sizes) == sum(len(np.unique(labels[labels > 0])) for labels in maps)
    pixels = 64 * 72
    for image, labels in enumerate(maps):
        ids = cells.ids[image * pixels : (image + 1) * pixels].numpy()
        found = np.unique(np.stack([labels.ravel(), ids]), axis=1)
        assert [len(np.unique(each)) for each in found] == [found.shape[1]] * 2
        assert cells.shares[cells.images == image].sum().item() * len(maps) == pytest.approx(
            float(labels.any()), abs=1e-5
        )


def test_the_truth_itself_has_no_loss() -> None:
    targets = encoded([discs(), touching(cells=9)])
    outputs = {
        "offset": targets["offset"] + 1000 * (targets["seed"] == 0),
        "sigma": torch.full_like(targets["sigma"], -2),
        "seed": 100 * targets["seed"] - 50,
    }
    assert Embedding().loss(outputs, targets).item() == pytest.approx(0, abs=1e-6)


def test_a_batch_without_cells_learns_that_there_are_none() -> None:
    targets = encoded([np.zeros((16, 20), int)])
    outputs = {name: torch.zeros_like(each, requires_grad=True) for name, each in targets.items()}
    loss = Embedding().loss(outputs, targets)
    loss.backward()
    assert loss.item() == pytest.approx(0.25)
    assert outputs["seed"].grad is not None
    assert (outputs["seed"].grad > 0).all()


@pytest.mark.parametrize("value", [-1e4, 1e4])
def test_extreme_outputs_have_a_finite_loss(value: float) -> None:
    targets = encoded(label_maps())
    outputs = {name: torch.full_like(each, value) for name, each in targets.items()}
    for each in outputs.values():
        each.requires_grad_()
    loss = Embedding().loss({**outputs, "offset": targets["offset"]}, targets)
    loss = loss + Embedding().loss(outputs, targets)
    loss.backward()
    assert loss.isfinite()
    assert all(each.grad is not None and each.grad.isfinite().all() for each in outputs.values())


def test_half_precision_gives_nearly_the_same_loss() -> None:
    targets = encoded(label_maps())
    outputs = {name: each.detach() for name, each in predicted(targets).items()}
    loss = Embedding().loss({name: each.bfloat16() for name, each in outputs.items()}, targets)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(Embedding().loss(outputs, targets).item(), rel=0.01)
    assert all(each.dtype == torch.float32 for each in Embedding().activate(outputs).values())
