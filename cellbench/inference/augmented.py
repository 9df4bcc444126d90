"""Test-time augmentation: the maps of an image in its eight orientations, rotated back and averaged."""

from collections.abc import Iterator
from itertools import product

import torch

from cellbench.inference.ensemble import mean_maps
from cellbench.models.dense_segmenter import DenseSegmenter
from cellbench.representations.base import NumpyMaps

VIEWS = tuple(product((False, True), range(4)))
"""For each orientation, whether the image is flipped, and the number of quarter turns after that."""


def augmented_maps(model: DenseSegmenter, image: torch.Tensor) -> NumpyMaps:
    """Average the maps of an image over its eight orientations; this takes eight times as long.

    Args:
        model: a loaded model.
        image: (3, H, W) in [0, 1].

    Returns:
        (C, H, W) for each map, in the original orientation.
    """
    return mean_maps(_rotated_back(model, image))


def _rotated_back(model: DenseSegmenter, image: torch.Tensor) -> Iterator[NumpyMaps]:
    for flipped, turns in VIEWS:
        view = torch.rot90(image.flip(-1) if flipped else image, turns, (-2, -1))
        yield model.representation.turn_back(model.predict_maps(view), turns, flipped)
