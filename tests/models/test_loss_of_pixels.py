"""Pixels that a loss ignores, for all representations."""

import numpy as np
import pytest
import torch
from label_maps import discs
from torch import nn

from cellbench.models.dense import DenseModel
from cellbench.representations import REPRESENTATIONS


class Constant(nn.Module):
    """Predicts its own weights, whatever the image is."""

    def __init__(self, shapes: dict[str, tuple[int, ...]]) -> None:
        super().__init__()
        self.maps = nn.ParameterDict(
            {name: nn.Parameter(torch.randn(shape)) for name, shape in shapes.items()}
        )

    def forward(self, _image: torch.Tensor) -> dict[str, torch.Tensor]:
        return dict(self.maps.items())


@pytest.mark.parametrize("name", sorted(REPRESENTATIONS))
def test_ignored_pixels_have_no_gradient_and_others_have_one(name: str) -> None:
    torch.manual_seed(0)
    representation = REPRESENTATIONS[name]()
    labels = discs((64, 64))
    targets = {
        key: torch.from_numpy(np.array(each))[None]
        for key, each in representation.targets(labels).items()
    }
    network = Constant({key: tuple(each.shape) for key, each in targets.items()})
    model = DenseModel(network, representation)
    batch = {"image": torch.zeros(1, 3, 64, 64), "targets": targets}
    ignored = torch.zeros(1, 64, 64, dtype=torch.bool)
    ignored[:, :, 30:] = True
    replacement = {key: torch.randn(each.shape) for key, each in targets.items()}
    model.loss_of_pixels(batch, ignored, replacement).backward()
    gradients = [each.grad for each in network.parameters()]
    there = [torch.zeros(1) if each is None else each[..., 30:] for each in gradients]
    assert all((each == 0).all() for each in there)
    assert any(each is not None and (each[..., :30] != 0).any() for each in gradients)
    nothing = torch.zeros_like(ignored)
    assert torch.equal(model.loss_of_pixels(batch, nothing, replacement), model.loss(batch))
