"""The loss of flows, and the maps that a network's outputs become."""

import numpy as np
import pytest
import torch
from label_maps import touching

from cellbench.representations import Flow


def maps_and_truth() -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Raw outputs with errors, and targets, for two patches."""
    generator = torch.Generator().manual_seed(0)
    encoded = [Flow().encode(touching((64, 64), cells=8, seed=seed)) for seed in (0, 1)]
    targets = {
        name: torch.stack([torch.from_numpy(maps[name]) for maps in encoded])
        for name in ("foreground", "flows")
    }
    targets["foreground"][:, :, :20] = 0
    outputs = {
        name: 3 * torch.randn(each.shape, generator=generator) for name, each in targets.items()
    }
    return outputs, targets


def test_the_loss_is_that_of_cellpose() -> None:
    outputs, targets = maps_and_truth()
    probability = 1 / (1 + np.exp(-outputs["foreground"].double().numpy()))
    truth = targets["foreground"].numpy()
    cross_entropy = -np.log(np.where(truth == 1, probability, 1 - probability)).mean()
    error = (outputs["flows"].double() - targets["flows"]).numpy()
    expected = cross_entropy + 0.5 * (error**2).mean()
    assert Flow().loss(outputs, targets).item() == pytest.approx(expected, rel=1e-5)


def test_the_truth_itself_has_no_loss() -> None:
    _, targets = maps_and_truth()
    outputs = {"foreground": (targets["foreground"] * 2.0 - 1) * 50, "flows": targets["flows"]}
    assert Flow().loss(outputs, targets).item() == pytest.approx(0, abs=1e-5)


def test_half_precision_gives_nearly_the_same_loss() -> None:
    outputs, targets = maps_and_truth()
    loss = Flow().loss({name: each.bfloat16() for name, each in outputs.items()}, targets)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(Flow().loss(outputs, targets).item(), rel=0.01)


def test_activated_maps_have_the_range_of_encoded_ones() -> None:
    outputs, _ = maps_and_truth()
    maps = Flow().activate({name: each.bfloat16() for name, each in outputs.items()})
    assert maps["foreground"].dtype == maps["flows"].dtype == torch.float32
    assert 0 <= maps["foreground"].min() < 0.01 < 0.99 < maps["foreground"].max() <= 1
    torch.testing.assert_close(maps["flows"], outputs["flows"].bfloat16().float())
