"""Several checkpoints as one: their maps are averaged before decoding."""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

from cellbench.errors import CheckpointError
from cellbench.inference.checkpoint import load_model
from cellbench.models.base import InstanceSegmentationModel
from cellbench.representations.base import NumpyMaps

_log = logging.getLogger(__name__)


def load_models(
    checkpoints: Sequence[str | Path], device: str | torch.device | None = None
) -> list[InstanceSegmentationModel]:
    """Load the models of an ensemble; it takes as many times longer as there are checkpoints.

    Cells are decoded as the first checkpoint says.

    Args:
        checkpoints: files that training wrote.
        device: where the models go; the first GPU, else the CPU, unless given.

    Raises:
        CheckpointError: if a file is no checkpoint, or the maps of two mean different things.
        UsageError: if there is no such device.
    """
    models = [load_model(path, device) for path in checkpoints]
    for path, model in zip(checkpoints, models, strict=True):
        _check_same_maps(models[0], model, f"{path}: cannot join {checkpoints[0]}")
        if model.representation.decoding() != models[0].representation.decoding():
            _log.warning(
                "%s: was tuned to decode otherwise than %s, which holds", path, checkpoints[0]
            )
    return models


def mean_maps(parts: Iterable[NumpyMaps]) -> NumpyMaps:
    """Average maps (C, H, W) by name, into the arrays of the first part: a slide's maps fill gigabytes.

    Example:
        >>> mean_maps([{"a": np.zeros((1, 2, 2))}, {"a": np.ones((1, 2, 2))}])["a"].tolist()
        [[[0.5, 0.5], [0.5, 0.5]]]
    """
    remaining = iter(parts)
    total = {name: np.asarray(values) for name, values in next(remaining).items()}
    count = 1
    for part in remaining:
        count += 1
        for name in total:
            total[name] += part[name]
        del part  # before the next is made
    if count > 1:
        for values in total.values():
            values /= count
    return total


def _check_same_maps(
    first: InstanceSegmentationModel, other: InstanceSegmentationModel, what: str
) -> None:
    if type(other) is not type(first):
        names = f"{other.model_name()}, not {first.model_name()}"
        raise CheckpointError(f"{what}: its model is {names}; an ensemble has one model")
    mine, theirs = (each.representation.fixed() for each in (first, other))
    differing = sorted(
        name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name)
    )
    if differing:
        raise CheckpointError(f"{what}: they differ in {', '.join(differing)}; train them alike")
