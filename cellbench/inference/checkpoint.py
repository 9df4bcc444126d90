"""Loading a model from its checkpoint."""

from collections.abc import Callable
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any

import torch

from cellbench.errors import CheckpointError, UsageError
from cellbench.models.checkpoint_keys import MODEL_KEY
from cellbench.models.class_paths import import_model
from cellbench.models.names import OWN_MODELS, class_path
from cellbench.models.own_segmenter import OwnSegmenter, own_segmenter_name
from cellbench.models.registry import is_registered, resolve_class_path
from cellbench.models.segmenter import Segmenter
from cellbench.models.weights import read_checkpoint

ModelClass = type[Segmenter] | str
"""The class of a model, its class path, or its registered name."""

_KEYS = {MODEL_KEY, "hyper_parameters", "state_dict"}


def load_model(
    path: str | Path,
    device: str | torch.device | None = None,
    *,
    model_class: ModelClass | None = None,
) -> Segmenter:
    """Load a trained model from its checkpoint; no code in the file can run.

    The checkpoint stores the class path of the model. The class must belong to cellbench or to an
    installed package that registers it (entry-point group ``cellbench.models``), or be given as
    ``model_class``; the module of any other class is not imported.

    One of cellbench's own models of dense maps becomes an
    [`OwnSegmenter`][cellbench.models.own_segmenter.OwnSegmenter], which needs no Lightning and
    cannot be trained. Any other model, and any for which ``model_class`` is given, becomes an
    instance of its class.

    Args:
        path: a checkpoint file that training wrote, a weights file, or the name of a ready model such as
            ``generalist``.
        device: device of the model; by default the first GPU, or the CPU where there is none.
        model_class: class of the model, or its class path or registered name; needed where the class
            is not registered.

    Returns:
        The model, with averaged weights if training averaged them, ready to segment.

    Raises:
        CheckpointError: if the file does not exist, is damaged, is not a checkpoint of a cellbench
            model, or is one of a class that may not be imported or is not ``model_class``.
        UsageError: if the device does not exist or ``model_class`` cannot be imported.
    """
    content = read_checkpoint(path)
    stored = stored_class(Path(path), content)
    options = _model_options(content)
    name = own_segmenter_name(stored, options) if model_class is None else None
    make: Callable[[], Segmenter]
    if name is None:
        make = partial(_untrained, _find_class(Path(path), stored, model_class), options)
    else:
        make = partial(OwnSegmenter, name, options)
    return move_to_device(_restore(Path(path), stored, make, content), device)


def move_to_device(model: Segmenter, device: str | torch.device | None = None) -> Segmenter:
    """Move a model to a device, ready to segment.

    Args:
        model: a model on any device.
        device: the device; by default the first GPU, or the CPU where there is none.

    Raises:
        UsageError: if the device does not exist.
    """
    try:
        return model.eval().to(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UsageError(f"device {device!r}: not available on this machine ({reason})") from error


def stored_class(path: Path, content: dict[str, Any]) -> str:
    """Return the class path that a checkpoint stores; nothing is imported.

    Older checkpoints store the name of a file instead, which is unique among cellbench's own models
    only. Those that the command line wrote have the class path among the hyper-parameters.

    Args:
        path: the file, for error messages.
        content: what it holds, see [`read_checkpoint`][cellbench.models.weights.read_checkpoint].

    Raises:
        CheckpointError: if it is not a checkpoint of a cellbench model, or does not say of which.
    """
    options = content.get("hyper_parameters")
    is_named = isinstance(options, dict) and all(isinstance(name, str) for name in options)
    if not is_named or not content.keys() >= _KEYS:
        raise CheckpointError(
            f"{path}: not a checkpoint of a cellbench model; give a file that `cellbench fit` wrote"
        )
    stored = str(content[MODEL_KEY])
    if "." in stored:
        return stored
    known = content["hyper_parameters"].get("_class_path") or OWN_MODELS.get(stored)
    if not known:
        raise CheckpointError(
            f"{path}: was written by an earlier version and does not say where its model {stored!r} "
            "is defined; train the model again"
        )
    return str(known)


def _find_class(path: Path, stored: str, model_class: ModelClass | None) -> type[Segmenter]:
    """Import the class of a checkpoint if that is allowed."""
    if model_class is None:
        if not is_registered(stored):
            raise CheckpointError(
                f"{path}: its model {stored} is not registered, so its code is not imported; if you "
                f"trust it, add --model-class {stored} (in Python: model_class=), or install the "
                "package that registers it"
            )
        return import_model(stored)
    chosen = (
        import_model(resolve_class_path(model_class))
        if isinstance(model_class, str)
        else model_class
    )
    if stored not in (class_path(chosen), model_class):
        raise CheckpointError(
            f"{path}: is a checkpoint of {stored}, not of {class_path(chosen)}; give the right model "
            "class, or leave the option out (a class that was moved must stay importable by its old path)"
        )
    return chosen


def _model_options(content: dict[str, Any]) -> dict[str, Any]:
    """Return the options that a model was made with, except for the file that training started from."""
    # LightningCLI adds entries of its own, which start with an underscore.
    stored = content["hyper_parameters"].items()
    return {k: v for k, v in stored if not k.startswith("_") and k != "weights"}


def _untrained(model_class: type[Segmenter], options: dict[str, Any]) -> Segmenter:
    """Make a model without pretrained weights, because the checkpoint has its own."""
    if "pretrained" in signature(model_class).parameters:
        options = options | {"pretrained": False}
    return model_class(**options)


def _restore(
    path: Path, name: str, make: Callable[[], Segmenter], content: dict[str, Any]
) -> Segmenter:
    """Make a model and restore what its checkpoint stores."""
    try:
        model = make()
        model.load_state_dict(content["state_dict"])
        model.on_load_checkpoint(content)
    except Exception as error:  # odd options can cause an error of any type, also without a message
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise CheckpointError(
            f"{path}: does not fit the present version of {name} ({reason}); train the model again"
        ) from error
    for weight, values in model.state_dict().items():
        if not values.isfinite().all():
            raise CheckpointError(
                f"{path}: the weight {weight} has values that are not finite; train the model again"
            )
    return model
