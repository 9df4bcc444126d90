"""Ensembles: the maps of several models are averaged before they are decoded."""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

from cellbench.errors import CheckpointError, UsageError
from cellbench.inference.checkpoint import ModelClass, load_model
from cellbench.models.dense_segmenter import DenseSegmenter, RoutingSegmenter
from cellbench.models.segmenter import Segmenter
from cellbench.representations.base import NumpyMaps

_log = logging.getLogger(__name__)


def load_models(
    checkpoints: Sequence[str | Path],
    device: str | torch.device | None = None,
    *,
    model_class: ModelClass | None = None,
) -> list[Segmenter]:
    """Load the models of an ensemble; each further checkpoint adds the time of the first.

    The options of decoding are those of the first checkpoint.

    Args:
        checkpoints: checkpoint files that training wrote.
        device: device of the models; by default the first GPU, or the CPU where there is none.
        model_class: as in [`load_model`][cellbench.inference.checkpoint.load_model].

    Raises:
        CheckpointError: if a file is not a checkpoint, or two models do not predict the same maps.
        UsageError: if the device does not exist, or models without dense maps are to be averaged.
    """
    models = [load_model(path, device, model_class=model_class) for path in checkpoints]
    if len(models) == 1:
        return models
    first, *_ = (with_dense_maps(model) for model in models)
    for path, model in zip(checkpoints[1:], models[1:], strict=True):
        other = with_dense_maps(model)
        _check_same_maps(first, other, f"{path}: cannot be averaged with {checkpoints[0]}")
        if other.representation.decoding() != first.representation.decoding():
            _log.warning(
                "%s: its options of decoding differ from those of %s, which are used",
                path,
                checkpoints[0],
            )
    return models


def with_dense_maps(model: Segmenter) -> DenseSegmenter | RoutingSegmenter:
    """Return a model that predicts dense maps unchanged, and refuse any other.

    Args:
        model: a loaded model.

    Raises:
        UsageError: if the model does not predict dense maps, or does more than to decode them.
    """
    if isinstance(model, DenseSegmenter | RoutingSegmenter) and not why_not_dense(model):
        return model
    raise UsageError(
        f"{model.model_name()}: {why_not_dense(model)}, so its predictions cannot be averaged; "
        "use one checkpoint, without --tta"
    )


def why_not_dense(model: Segmenter) -> str:
    """Return why the label maps of a model are not what its dense maps decode to; empty if they are.

    Args:
        model: any model.
    """
    if not isinstance(model, DenseSegmenter | RoutingSegmenter):
        return "does not predict dense maps"
    for part in model.modules():
        default = RoutingSegmenter if isinstance(part, RoutingSegmenter) else DenseSegmenter
        if isinstance(part, default):
            for name in ("segment", "segment_tiled"):
                if getattr(type(part), name) is not getattr(default, name):
                    return (
                        f"segments with a method {name} of its own, not with its dense maps alone"
                    )
    return ""


def routed(
    models: Sequence[DenseSegmenter | RoutingSegmenter], image: torch.Tensor
) -> list[DenseSegmenter]:
    """Return the models that predict the maps of an image; the first router chooses for all.

    Args:
        models: the models of an ensemble, which are all of one class.
        image: (3, H, W) in [0, 1].
    """
    first = models[0]
    index = first.choose(image) if isinstance(first, RoutingSegmenter) else 0
    return [each.stream(index) if isinstance(each, RoutingSegmenter) else each for each in models]


def mean_maps(parts: Iterable[NumpyMaps]) -> NumpyMaps:
    """Average maps by name. The arrays of the first part are overwritten, to save memory.

    Args:
        parts: (C, H, W) for each map, for each part.

    Examples:
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
        del part  # frees its memory before the next one is predicted
    if count > 1:
        for values in total.values():
            values /= count
    return total


def _check_same_maps(
    first: DenseSegmenter | RoutingSegmenter, other: DenseSegmenter | RoutingSegmenter, problem: str
) -> None:
    if other.model_name() != first.model_name():
        names = f"{other.model_name()}, not {first.model_name()}"
        raise CheckpointError(f"{problem}: its model is {names}; all must be the same model")
    options, others = (each.representation.fixed() for each in (first, other))
    differing = sorted(
        name for name in options.keys() | others.keys() if options.get(name) != others.get(name)
    )
    if differing:
        raise CheckpointError(
            f"{problem}: they differ in {', '.join(differing)}; train them with the same options"
        )
