"""Test-time augmentation: an image in eight positions, its maps turned back and averaged."""

from collections.abc import Iterator
from itertools import product

import torch

from cellbench.inference.ensemble import mean_maps
from cellbench.models.base import InstanceSegmentationModel
from cellbench.representations.base import NumpyMaps

VIEWS = tuple(product((False, True), range(4)))
"""Flipped or not, and the number of quarter turns after that."""


def augmented_maps(model: InstanceSegmentationModel, image: torch.Tensor) -> NumpyMaps:
    """Average the maps of an image in its eight positions; it takes eight times as long.

    Args:
        model: a loaded model.
        image: (3, H, W) in [0, 1].

    Returns:
        (C, H, W) for each map, those of the image as it is.
    """
    return mean_maps(_turned_back(model, image))


def _turned_back(model: InstanceSegmentationModel, image: torch.Tensor) -> Iterator[NumpyMaps]:
    for flipped, turns in VIEWS:
        view = torch.rot90(image.flip(-1) if flipped else image, turns, (-2, -1))
        yield model.representation.turn_back(model.predict_maps(view), turns, flipped)
