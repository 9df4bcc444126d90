"""Segmenters of cellbench's own models of dense maps, made from the options in a checkpoint."""

from collections.abc import Mapping
from inspect import Parameter, signature
from typing import Any

from pydantic import TypeAdapter

from cellbench.models.dense_segmenter import DenseSegmenter
from cellbench.models.names import model_name
from cellbench.models.parts import PARTS

_WINDOW_OPTIONS = {"window", "overlap", "channels_last"}
_TRAINING_OPTIONS = {"compiled", "encoder_rate", "learning_rate", "warmup_steps", "weight_decay"}


class OwnSegmenter(DenseSegmenter):
    """One of cellbench's own models of dense maps, ready for the weights of a checkpoint.

    Args:
        name: name of the model, one of [`PARTS`][cellbench.models.parts.PARTS].
        options: all options of the model; those of training are not used.

    Raises:
        ValueError: if an option does not have the type that the model declares.
    """

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        make = PARTS[name]
        own = _typed(signature(make).parameters, options)
        if "pretrained" in own:
            own["pretrained"] = False  # the checkpoint has the weights
        every = signature(DenseSegmenter).parameters
        windows = _typed({each: every[each] for each in _WINDOW_OPTIONS}, options)
        network, representation = make(**own)
        super().__init__(network, representation, **windows)
        self._name = name

    def model_name(self) -> str:
        """Return the name of the model."""
        return self._name


def _typed(declared: Mapping[str, Parameter], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the declared options; a file may hold values of any type."""
    return {
        name: TypeAdapter(each.annotation).validate_python(options[name], strict=True)
        for name, each in declared.items()
    }


def own_segmenter_name(path: str, options: Mapping[str, Any]) -> str | None:
    """Return the name of the model in a checkpoint if it can be loaded as an [`OwnSegmenter`][].

    Its class is needed instead if another version of cellbench wrote the checkpoint and options are
    missing or not known: the class has default values, and refuses what it does not know.

    Args:
        path: class path of the model.
        options: the options in its checkpoint.

    Returns:
        The name; None if the class of the model is needed.
    """
    name = model_name(path)
    if name not in PARTS:
        return None
    needed = signature(PARTS[name]).parameters.keys() | _WINDOW_OPTIONS
    return name if needed <= options.keys() <= needed | _TRAINING_OPTIONS else None
