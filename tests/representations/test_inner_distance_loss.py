"""The loss of InnerDistance against the paper's formula, step by step."""

import numpy as np
import pytest
import torch
from label_maps import touching

from cellbench.representations import InnerDistance
from cellbench.representations.inner_distance_kernels import BACKGROUND, BORDER

Maps = dict[str, torch.Tensor]


def maps_and_truth() -> tuple[Maps, Maps]:
    """Raw outputs with errors, and targets, for two patches."""
    generator = torch.Generator().manual_seed(0)
    encoded = [InnerDistance().encode(touching((64, 64), 8, seed)) for seed in (0, 1)]
    targets = {
        name: torch.stack([torch.from_numpy(maps[name]) for maps in encoded])
        for name in InnerDistance.channels
    }
    targets["pixelwise"][0, :, :20] = 0
    targets["pixelwise"][0, BACKGROUND, :20] = 1
    outputs = {name: torch.randn(each.shape, generator=generator) for name, each in targets.items()}
    return outputs, targets


def test_the_loss_is_that_of_the_paper() -> None:
    outputs, targets = maps_and_truth()
    squared = (outputs["inner"].double() - targets["inner"]).numpy() ** 2
    logits = outputs["pixelwise"].double().numpy()
    logarithms = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    classes = targets["pixelwise"].numpy().argmax(axis=1)
    errors = -np.take_along_axis(logarithms, classes[:, None], axis=1)[:, 0]
    # Each class has the weight: all pixels / (number of classes × its pixels).
    weights = classes.size / (3 * np.bincount(classes.ravel()))
    expected = squared.mean() + 0.01 * (weights[classes] * errors).mean()
    assert InnerDistance().loss(outputs, targets).item() == pytest.approx(expected, rel=1e-5)


def test_the_truth_itself_has_no_loss() -> None:
    _, targets = maps_and_truth()
    outputs = {"inner": targets["inner"], "pixelwise": (targets["pixelwise"] * 2.0 - 1) * 50}
    assert InnerDistance().loss(outputs, targets).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("channel", [BORDER, BACKGROUND])
def test_patches_without_all_classes_have_a_finite_loss(channel: int) -> None:
    empty = {"inner": torch.zeros(1, 1, 8, 8), "pixelwise": torch.zeros(1, 3, 8, 8)}
    empty["pixelwise"][:, channel] = 1
    outputs = {name: torch.zeros_like(each, requires_grad=True) for name, each in empty.items()}
    loss = InnerDistance().loss(outputs, empty)
    assert loss.item() == pytest.approx(0.01 * np.log(3))
    loss.backward()
    assert all(each.grad is not None and each.grad.isfinite().all() for each in outputs.values())


def test_the_weight_of_the_classes_is_an_option() -> None:
    outputs, targets = maps_and_truth()
    losses = [InnerDistance(class_weight=weight).loss(outputs, targets) for weight in (0, 1, 2)]
    assert losses[2] - losses[1] == pytest.approx(losses[1] - losses[0])
    assert losses[0] == pytest.approx((outputs["inner"] - targets["inner"]).square().mean())


def test_half_precision_gives_nearly_the_same_loss() -> None:
    outputs, targets = maps_and_truth()
    halved = {name: each.bfloat16() for name, each in outputs.items()}
    with torch.autocast("cpu", torch.bfloat16):
        loss = InnerDistance().loss(halved, targets)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(InnerDistance().loss(outputs, targets).item(), rel=0.01)


def test_activated_maps_have_the_range_of_encoded_ones() -> None:
    outputs, _ = maps_and_truth()
    maps = InnerDistance().activate({name: 9 * each.bfloat16() for name, each in outputs.items()})
    assert maps["inner"].dtype == maps["pixelwise"].dtype == torch.float32
    assert (maps["inner"].min(), maps["inner"].max()) == (0, 1)
    torch.testing.assert_close(maps["pixelwise"].sum(dim=1), torch.ones(2, 64, 64))
