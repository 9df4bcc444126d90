"""The losses of outlines, against the formulas of PyTorch and torchvision."""

import numpy as np
import pytest
import torch
from label_maps import discs, touching
from torch.nn import functional
from torchvision.ops import generalized_box_iou_loss

from cellbench.representations import Contour
from cellbench.representations.contour_cells import basis
from cellbench.representations.contour_loss import (
    Pixels,
    box_deviation_loss,
    box_overlaps,
    boxes,
    coefficient_loss,
    contour_loss,
    refinement_loss,
    sampled,
)

Tensors = dict[str, torch.Tensor]


def true_and_raw(contour: Contour, error: float) -> tuple[Tensors, Tensors]:
    """Targets, and raw outputs that activate to nearly these."""
    encoded = [contour.encode(labels) for labels in (discs(), touching())]
    targets = {name: torch.from_numpy(np.stack([e[name] for e in encoded])) for name in encoded[0]}
    torch.manual_seed(0)
    harmonics = torch.arange(1, contour.order + 1).repeat_interleave(4)[:, None, None]
    circle = torch.zeros(contour.channels["fourier"], 1, 1)
    circle[[0, 3]] = 10
    raw = {
        "score": 8 * targets["score"] - 4,
        "offset": targets["offset"],
        "fourier": (targets["fourier"] - circle) * harmonics**2,
        "refinement": (targets["refinement"] / 3.01).atanh(),
        "uncertainty": torch.full_like(targets["uncertainty"], -3.0),
    }
    return targets, {
        name: (each + error * torch.randn(each.shape)).requires_grad_()
        for name, each in raw.items()
    }


def random_pixels(count: int = 50, order: int = 3) -> Pixels:
    torch.manual_seed(1)
    return Pixels(
        torch.randn(count),
        5 * torch.randn(count, 2),
        4 * torch.randn(count, 4 * order),
        torch.rand(count, 4),
    )


def test_every_output_is_drawn_to_the_truth() -> None:
    contour = Contour(order=3)
    targets, raw = true_and_raw(contour, error=0.5)
    loss = contour.loss(raw, targets)
    loss.backward()
    for name, each in raw.items():
        assert each.grad is not None
        assert each.grad.isfinite().all()
        assert each.grad.any(), name
    close = contour.loss(true_and_raw(contour, error=0)[1], targets)
    assert close.item() < 0.2 * loss.item()


def test_central_pixels_only_count_for_outlines_and_undecided_ones_not_at_all() -> None:
    contour = Contour(order=3)
    targets, raw = true_and_raw(contour, error=0.5)
    contour.loss(raw, targets).backward()
    for name in ("offset", "fourier", "uncertainty"):
        counts = raw[name].grad.abs().sum(dim=1) > 0  # type: ignore[union-attr]
        assert (counts == (targets["score"][:, 0] == 1)).all(), name
    counts = raw["score"].grad != 0  # type: ignore[assignment]
    assert (counts == (targets["score"] != 0.5)).all()


def test_without_cells_only_the_background_counts() -> None:
    contour = Contour(order=2)
    targets = {
        name: torch.from_numpy(each[None])
        for name, each in contour.encode(np.zeros((16, 16), int)).items()
    }
    raw = {name: torch.full(each.shape, 3.0, requires_grad=True) for name, each in targets.items()}
    loss = contour.loss(raw, targets)
    loss.backward()
    assert loss.item() == pytest.approx(2 * np.log1p(np.exp(3)))
    assert not any(each.grad.any() for name, each in raw.items() if name != "score")  # type: ignore[union-attr]


def test_a_part_of_the_central_pixels_stands_for_all() -> None:
    contour = Contour(order=3, samples=16)
    targets, raw = true_and_raw(contour, error=0.3)
    waves = torch.from_numpy(basis(3, 16))
    maps = contour.activate(raw)
    whole, part = (
        contour_loss(raw["score"], maps, targets, waves, most).item() for most in (10**6, 300)
    )
    assert part == pytest.approx(whole, abs=0.5)
    assert part != whole


def test_outlines_are_sampled_as_when_they_are_decoded() -> None:
    pixels = random_pixels()
    points = sampled(pixels, torch.from_numpy(basis(3, 10)))
    angles = 2 * np.pi / 10 * np.arange(10)
    coefficients = pixels.fourier.numpy().reshape(-1, 3, 2, 2)
    for axis in range(2):
        expected = pixels.offset.numpy()[:, axis, None] + sum(
            coefficients[:, k, axis, :1] * np.cos((k + 1) * angles)
            + coefficients[:, k, axis, 1:] * np.sin((k + 1) * angles)
            for k in range(3)
        )
        np.testing.assert_allclose(points[:, axis].numpy(), expected, atol=1e-4)
    rows, columns = points[0].numpy()
    corners = rows.min(), rows.max(), columns.min(), columns.max()
    np.testing.assert_array_equal(boxes(points)[0], corners)


def test_overlaps_are_those_of_torchvision() -> None:
    first, second = (
        boxes(sampled(random_pixels(order=order), torch.from_numpy(basis(order, 32))))
        for order in (2, 3)
    )
    _, generalised = box_overlaps(first, second)
    theirs = generalized_box_iou_loss(first[:, [0, 2, 1, 3]], second[:, [0, 2, 1, 3]])
    np.testing.assert_allclose(1 - generalised, theirs, atol=1e-3)


def test_sides_have_the_likelihood_of_normal_errors() -> None:
    error, uncertainty, overlap = 3 * torch.randn(30, 4), torch.rand(30, 4), torch.rand(30)
    variance = (7 * uncertainty) ** 2 + 0.01
    likelihood = functional.gaussian_nll_loss(
        error, torch.zeros_like(error), variance, reduction="none"
    )
    ours = box_deviation_loss(uncertainty, error, overlap)
    assert ours.item() == pytest.approx(
        (overlap * likelihood.sum(dim=1)).sum().item() / overlap.sum().item(), rel=1e-5
    )


def test_the_best_uncertainty_is_the_size_of_the_error() -> None:
    logits = torch.zeros(1, 4, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        box_deviation_loss(logits.sigmoid(), torch.full((1, 4), 2.0), torch.ones(1)).backward()
        optimizer.step()
    assert (7 * logits.sigmoid()).tolist()[0] == pytest.approx([2] * 4, abs=0.02)


def test_low_harmonics_count_most() -> None:
    error = torch.zeros(1, 12)
    for harmonic, weight in enumerate([5, 2, 1]):
        one = error.clone()
        one[0, 4 * harmonic] = 6
        assert coefficient_loss(one).item() == pytest.approx(weight * 6 / 12)


def test_refinement_counts_near_outlines() -> None:
    truth = torch.zeros(1, 2, 3, 3)
    truth[0, :, 1, 1] = torch.tensor([1.0, -2.0])
    assert refinement_loss(torch.ones_like(truth), truth).item() == pytest.approx(1.5)
