"""The loss of Omnipose's maps, and the maps that a network's outputs become."""

import numpy as np
import pytest
import torch
from label_maps import touching

from cellbench.representations import Omni
from cellbench.representations.omni_loss import distance_loss, divergence, outline_weights


def maps_and_truth() -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Raw outputs with errors, and targets, for two patches."""
    generator = torch.Generator().manual_seed(0)
    encoded = [Omni().encode(touching((64, 64), cells=8, seed=seed)) for seed in (0, 1)]
    targets = {
        name: torch.stack([torch.from_numpy(maps[name]) for maps in encoded])
        for name in Omni().channels
    }
    outputs = {
        name: 3 * torch.randn(each.shape, generator=generator) for name, each in targets.items()
    }
    return outputs, targets


def test_the_loss_is_the_sum_of_its_parts() -> None:
    outputs, targets = maps_and_truth()
    out = {name: each.double().numpy() for name, each in outputs.items()}
    truth = {name: each.double().numpy() for name, each in targets.items()}
    weights = outline_weights(targets["boundary"].double()).numpy()
    relative = (out["distance"] - truth["distance"]) / np.maximum(truth["distance"], 1)
    error = out["flows"] - truth["flows"]
    lengths = [np.hypot(each[:, :1], each[:, 1:]) for each in (out["flows"], truth["flows"])]
    down, across = np.gradient(error[:, 0], axis=1), np.gradient(error[:, 1], axis=2)
    spread = (down + across)[:, 1:-1, 1:-1]
    outline = truth["boundary"]
    probability = 1 / (1 + np.exp(-out["boundary"]))
    cross_entropy = -np.log(np.where(outline == 1, probability, 1 - probability)).mean()
    expected = (
        (weights * relative**2).mean()
        + 0.5 * (weights * error**2).mean()
        + 0.1 * (weights * (lengths[0] - lengths[1]) ** 2).mean()
        + 0.1 * (spread**2).mean()
        + cross_entropy
    )
    assert Omni().loss(outputs, targets).item() == pytest.approx(expected, rel=1e-5)


def test_the_truth_itself_has_no_loss() -> None:
    _, targets = maps_and_truth()
    outputs = targets | {"boundary": (targets["boundary"] * 2.0 - 1) * 50}
    assert Omni().loss(outputs, targets).item() == pytest.approx(0, abs=1e-5)


def test_weights_are_largest_between_cells() -> None:
    outline = torch.zeros(1, 1, 20, 40)
    outline[..., 10] = outline[..., 29:31] = 1  # a free outline, and one between two cells
    weights = outline_weights(outline)[0, 0, 10]
    assert weights[0] == weights[20] == 1
    assert weights[10].item() == pytest.approx(2)
    assert weights[29].item() == pytest.approx(3)


def test_errors_in_large_cells_count_relative_to_the_distance() -> None:
    true = torch.tensor([-1.0, 1.0, 10.0]).reshape(3, 1, 1, 1)
    for index, expected in enumerate([4, 4, 0.04]):
        loss = distance_loss(true[index] + 2, true[index], torch.ones(1, 1, 1))
        assert loss.item() == pytest.approx(expected)


def test_divergence_of_a_linear_field() -> None:
    rows, columns = torch.meshgrid(torch.arange(8.0), torch.arange(9.0), indexing="ij")
    vectors = torch.stack([2 * rows + columns, 3 * columns - rows])[None]
    torch.testing.assert_close(divergence(vectors), torch.full((1, 6, 7), 5.0))


def test_gradients_are_finite_where_flows_are_zero() -> None:
    _, targets = maps_and_truth()
    outputs = {name: torch.zeros(each.shape) for name, each in targets.items()}
    for each in outputs.values():
        each.requires_grad_(True)
    Omni().loss(outputs, targets).backward()
    assert all(bool(each.grad.isfinite().all()) for each in outputs.values())


def test_half_precision_gives_nearly_the_same_loss() -> None:
    outputs, targets = maps_and_truth()
    loss = Omni().loss({name: each.bfloat16() for name, each in outputs.items()}, targets)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(Omni().loss(outputs, targets).item(), rel=0.01)


def test_activated_maps_have_the_range_of_encoded_ones() -> None:
    outputs, _ = maps_and_truth()
    maps = Omni().activate({name: each.bfloat16() for name, each in outputs.items()})
    assert {each.dtype for each in maps.values()} == {torch.float32}
    assert 0 <= maps["boundary"].min() < 0.01 < 0.99 < maps["boundary"].max() <= 1
    for name in ("distance", "flows"):
        torch.testing.assert_close(maps[name], outputs[name].bfloat16().float())
