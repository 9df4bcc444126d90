"""Parts of networks against what they stand for, forward and backward on one thread: `make bench`."""

import copy
from collections.abc import Callable

import torch
from monai.networks.nets.basic_unet import UpCat
from peers import medians, report
from torch import nn

from cellbench.networks.encoder import SinglePrecisionOnCPU
from cellbench.networks.encoder_unet import _UpBlock

PATCHES = 8


def one_step(network: nn.Module, *shapes: tuple[int, ...]) -> Callable[[], None]:
    """Forward and backward in bfloat16, channels last, as a training step on a processor does."""
    torch.set_num_threads(1)
    network = network.to(memory_format=torch.channels_last)
    inputs = [torch.rand(PATCHES, *shape) for shape in shapes]
    inputs = [each.to(memory_format=torch.channels_last).requires_grad_() for each in inputs]

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16):
            made = network(*(each.bfloat16() for each in inputs))
        made.float().square().mean().backward()

    return step


def test_a_decoder_block_against_monai() -> None:
    group = ("group", {"num_groups": 2})
    theirs = UpCat(
        2, 64, 16, 32, "relu", group, False, upsample="nontrainable", halves=False
    )  # the block of T2's decoder, with our normalisation
    shapes = (64, 96, 96), (16, 192, 192)
    ours, peer = medians(one_step(_UpBlock(64, 16, 32), *shapes), one_step(theirs, *shapes))
    assert report("decoder block to 8 × 32 × 192 × 192", ours, "MONAI's UpCat", peer) >= 1.5


def test_a_depthwise_convolution_against_half_precision() -> None:
    plain = nn.Conv2d(40, 40, 7, padding=3, groups=40)
    ours, peer = medians(
        one_step(SinglePrecisionOnCPU(copy.deepcopy(plain)), (40, 48, 48)),
        one_step(plain, (40, 48, 48)),
    )
    assert report("depthwise 7 × 7 of 8 × 40 × 48 × 48", ours, "bfloat16", peer) >= 1.5
