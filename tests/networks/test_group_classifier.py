"""Thumbnails that a classifier sees."""

import numpy as np
import pytest
import torch

from cellbench.networks.group_classifier import rotated, thumbnail


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("shape", [(1, 1), (17, 5000), (300, 200)])
def test_thumbnails_show_the_whole(dtype: type, shape: tuple[int, int]) -> None:
    image = np.full((*shape, 3), (10, 20, 30), np.uint8)
    shown = image if dtype is np.uint8 else image / np.float32(255)
    small = thumbnail(shown, 64)
    assert small.dtype == np.uint8
    assert (small == np.array([10, 20, 30])[:, None, None]).all()


def test_a_batch_of_eight_shows_all_positions() -> None:
    small = torch.arange(3 * 4 * 4).reshape(1, 3, 4, 4).expand(8, 3, 4, 4)
    for start in (0, 5):
        assert len({tuple(each.flatten().tolist()) for each in rotated(small, start)}) == 8
