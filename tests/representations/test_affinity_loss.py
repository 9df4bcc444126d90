"""The loss of affinities: which edges count, and how much."""

import numpy as np
import pytest
import torch
from label_maps import touching

from cellbench.labels import LabelMap
from cellbench.representations import Affinity
from cellbench.representations.affinity_loss import (
    cells_at_ends,
    different_dice,
    edge_weights,
)

Tensors = dict[str, torch.Tensor]
LARGEST_WEIGHT = 4


def label_map() -> LabelMap:
    labels = touching((64, 48), cells=6)
    labels[labels % 5 == 0] = 0
    return labels


def maps_and_truth() -> tuple[Tensors, Tensors]:
    """Raw outputs with errors, and targets, for a batch of two."""
    generator = torch.Generator().manual_seed(0)
    encoded = Affinity().encode(label_map())
    targets = {
        name: torch.from_numpy(np.stack([each, each[..., ::-1]])) for name, each in encoded.items()
    }
    outputs = {
        name: 3 * torch.randn(each.shape, generator=generator) for name, each in targets.items()
    }
    return outputs, targets


def test_edges_count_where_an_end_is_in_a_cell_and_both_are_in_the_map() -> None:
    labels = label_map()
    ends = cells_at_ends(torch.from_numpy(labels > 0).float()[None, None], Affinity().offsets())
    for channel, (down, right) in enumerate(Affinity().offsets().tolist()):
        for row, column in ((0, 0), (20, 20), (63, 47), (40, 5), (30, 30), (2, 45)):
            far_row, far = row + down, column + right
            known = 0 <= far_row < 64 and 0 <= far < 48
            expected = (labels[row, column] > 0) + 0 + (labels[far_row, far] > 0) if known else 0
            assert ends[0, channel, row, column] == expected


def test_the_loss_is_that_of_its_definition() -> None:
    outputs, targets = maps_and_truth()
    offsets = Affinity().offsets()
    foreground = targets["foreground"].double().numpy()
    probability = 1 / (1 + np.exp(-outputs["foreground"].double().numpy()))
    right = np.where(foreground == 1, probability, 1 - probability)
    expected = -np.log(right).mean()
    for truth, found in ((foreground, probability), (1 - foreground, 1 - probability)):
        expected += 1 - (2 * (truth * found).sum() + 1e-3) / (truth.sum() + found.sum() + 1e-3)
    ends = cells_at_ends(targets["foreground"].float(), offsets).numpy()
    same = targets["affinities"].double().numpy()
    affinity = 1 / (1 + np.exp(-outputs["affinities"].double().numpy()))
    weights = edge_weights(torch.from_numpy(ends), targets["affinities"]).numpy()
    cross_entropy = -np.log(np.where(same == 1, affinity, 1 - affinity))
    expected += (weights * cross_entropy).sum() / (weights.sum() + 1)
    for channel in range(len(offsets)):
        true = ((ends > 0) * (1 - same))[:, channel]
        found = ((ends > 0) * (1 - affinity))[:, channel]
        both = 2 * (true * found).sum() + 1
        expected += (1 - both / ((true**2).sum() + (found**2).sum() + 1)) / len(offsets)
    assert Affinity().loss(outputs, targets).item() == pytest.approx(expected, rel=1e-5)


def test_rare_edges_inside_the_foreground_count_more() -> None:
    _, targets = maps_and_truth()
    same = targets["affinities"].float()
    ends = cells_at_ends(targets["foreground"].float(), Affinity().offsets())
    weights = edge_weights(ends, same)
    assert not weights[ends == 0].any()
    assert (weights[ends == 1] == 1).all()
    for channel in range(12):
        one_cell = (ends[:, channel] == 2) & (same[:, channel] == 1)
        two_cells = (ends[:, channel] == 2) & (same[:, channel] == 0)
        ratio = (one_cell.sum() + 1) / (two_cells.sum() + 1)
        expected = ratio.clamp(1, LARGEST_WEIGHT), (1 / ratio).clamp(1, LARGEST_WEIGHT)
        for edges, weight in zip((two_cells, one_cell), expected, strict=True):
            torch.testing.assert_close(weights[:, channel][edges], weight.expand(int(edges.sum())))
    assert weights[:, 0].max() == LARGEST_WEIGHT  # direct neighbours of different cells
    assert weights[:, -1][same[:, -1] == 1].min() > 1  # distant pixels of one cell


def test_affinities_of_the_background_and_outside_do_not_count() -> None:
    outputs, targets = maps_and_truth()
    before = Affinity().loss(outputs, targets).item()
    unknown = cells_at_ends(targets["foreground"].float(), Affinity().offsets()) == 0
    assert unknown.any()
    outputs["affinities"] = torch.where(unknown, 50.0, outputs["affinities"])
    assert Affinity().loss(outputs, targets).item() == pytest.approx(before, rel=1e-6)


def test_the_truth_itself_has_no_loss() -> None:
    _, targets = maps_and_truth()
    outputs = {name: (each * 2.0 - 1) * 50 for name, each in targets.items()}
    assert Affinity().loss(outputs, targets).item() == pytest.approx(0, abs=1e-5)
    wrong = outputs | {"affinities": -outputs["affinities"]}
    assert Affinity().loss(wrong, targets).item() > 30


def test_patches_without_cells_have_a_loss_of_the_foreground_only() -> None:
    empty = {
        name: torch.zeros(2, channels, 20, 16) for name, channels in Affinity().channels.items()
    }
    outputs = {name: each.clone().requires_grad_() for name, each in empty.items()}
    loss = Affinity().loss(outputs, empty)
    loss.backward()
    assert np.isfinite(loss.item())
    gradients = {name: each.grad for name, each in outputs.items()}
    assert gradients["affinities"] is not None
    assert not gradients["affinities"].any()
    assert gradients["foreground"] is not None
    assert gradients["foreground"].all()


def test_dice_looks_at_edges_between_cells_only() -> None:
    truth = torch.ones(1, 1, 10, 10)
    truth[..., 5] = 0
    known = torch.ones_like(truth)
    assert different_dice(truth * 100 - 50, truth, known).item() == pytest.approx(0, abs=1e-6)
    none_found = different_dice(torch.full_like(truth, 50.0), truth, known).item()
    assert none_found == pytest.approx(1 - 1 / 11, abs=1e-6)


def test_half_precision_gives_nearly_the_same_loss() -> None:
    outputs, targets = maps_and_truth()
    loss = Affinity().loss({name: each.bfloat16() for name, each in outputs.items()}, targets)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(Affinity().loss(outputs, targets).item(), rel=0.01)


def test_activated_maps_have_the_range_of_encoded_ones() -> None:
    outputs, _ = maps_and_truth()
    maps = Affinity().activate({name: each.bfloat16() for name, each in outputs.items()})
    assert maps.keys() == outputs.keys()
    for each in maps.values():
        assert each.dtype == torch.float32
        assert 0 <= each.min() < 0.01 < 0.99 < each.max() <= 1
