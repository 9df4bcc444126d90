"""Segmenters of cellbench's own models, made from the options in a checkpoint, without Lightning."""

from collections.abc import Mapping
from inspect import signature
from typing import Any

from cellbench.models.dense_segmenter import DenseSegmenter
from cellbench.models.names import OWN_MODELS
from cellbench.models.parts import PARTS

TRAINING_OPTIONS = frozenset(
    {"compiled", "encoder_rate", "learning_rate", "warmup_steps", "weight_decay", "weights"}
)
"""Options of a dense model that only matter in training."""

_WINDOW_OPTIONS = {"window", "overlap", "channels_last"}


class OwnSegmenter(DenseSegmenter):
    """One of cellbench's own models of dense maps, ready to get trained weights.

    Args:
        name: name of the model, one of :data:`~cellbench.models.parts.PARTS`.
        options: all its options, of the model itself and of windows; others are not used.
    """

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        make = PARTS[name]
        own = {each: options[each] for each in signature(make).parameters}
        if "pretrained" in own:
            own["pretrained"] = False  # the checkpoint has the weights
        windows = {each: options[each] for each in _WINDOW_OPTIONS}
        network, representation = make(**own)
        super().__init__(network, representation, **windows)
        self._name = name

    def model_name(self) -> str:
        """Return the name of the model."""
        return self._name


def own_segmenter_name(path: str, options: Mapping[str, Any]) -> str | None:
    """Return the name of the model if :class:`OwnSegmenter` can take its place for segmenting.

    It cannot for other models, nor where options are missing, because an earlier version wrote the
    checkpoint, or are not known.

    Args:
        path: class path of the model.
        options: the options in its checkpoint.

    Returns:
        The name; None if the class of the model is needed.
    """
    name = next((name for name, own in OWN_MODELS.items() if own == path), None)
    if name not in PARTS:
        return None
    needed = signature(PARTS[name]).parameters.keys() | _WINDOW_OPTIONS
    return name if needed <= options.keys() <= needed | TRAINING_OPTIONS else None
