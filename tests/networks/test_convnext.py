"""Changes that make networks with ConvNeXt faster do not change their results."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from cellbench.errors import UsageError
from cellbench.networks.convnext import check_convnext
from cellbench.networks.encoder import SinglePrecisionOnCPU
from cellbench.networks.encoder_unet import EncoderUNet, _UpBlock

# Along one side, what each of a transposed convolution's four weights is made of: those of the three
# that reach the same pixel once it is doubled.
FOUR_OF_THREE = torch.tensor([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]], dtype=torch.float)


def test_a_block_can_do_what_doubling_and_joining_does() -> None:
    deep, skip = torch.rand(2, 5, 6, 7), torch.rand(2, 3, 12, 14)
    whole = nn.Conv2d(5 + 3, 16, 3, padding=1, bias=False)
    block = _UpBlock(5, 3, 16)
    with torch.no_grad():
        of_deep, of_skip = whole.weight.split([5, 3], dim=1)
        block.from_skip.weight.copy_(of_skip)
        block.from_deep.weight.copy_(
            torch.einsum("oikl,yk,xl->ioyx", of_deep, FOUR_OF_THREE, FOUR_OF_THREE)
        )
        expected = whole(torch.cat([functional.interpolate(deep, scale_factor=2.0), skip], dim=1))
        found = block.from_deep(deep) + block.from_skip(skip)
    torch.testing.assert_close(found, expected)


def test_depthwise_convolutions_are_exact_on_processors() -> None:
    network = EncoderUNet({"maps": 1}, "convnext_atto", False, (8, 8, 8, 8))
    depthwise = [each for each in network.modules() if isinstance(each, SinglePrecisionOnCPU)]
    assert len(depthwise) == 2 + 2 + 6 + 2
    value = torch.rand(1, 40, 9, 9)
    with torch.autocast("cpu", torch.bfloat16):
        found = depthwise[0](value)
    np.testing.assert_array_equal(
        found.detach().numpy(), depthwise[0].convolution(value).detach().numpy()
    )


def test_other_encoders_are_no_convnext() -> None:
    check_convnext("convnextv2_atto")
    with pytest.raises(UsageError, match=r"'resnet18': not a ConvNeXt.*`stardist` or `hover`"):
        check_convnext("resnet18")
