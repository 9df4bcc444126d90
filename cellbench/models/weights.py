"""Starting from the weights of a checkpoint, as far as they fit."""

from collections.abc import Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import nn

from cellbench.errors import CheckpointError
from cellbench.models.shipped import checkpoint_or_shipped
from cellbench.models.weights_file import read_weights_file
from cellbench.models.weights_metadata import is_weights_file

_NAMES_SHOWN = 8


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint file; no code in it can run.

    Args:
        path: a file that training wrote, a weights file, or the name of a ready model.

    Raises:
        CheckpointError: if the file does not exist, is damaged, or is not a checkpoint.
    """
    file = checkpoint_or_shipped(path)
    if not file.is_file():
        raise CheckpointError(
            f"{file}: no such checkpoint; check the path, or train a model (`cellbench fit`)"
        )
    if is_weights_file(file):
        return read_weights_file(file)
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged files raise whatever their bytes lead to
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        if isinstance(error, UnpicklingError):  # its text advises to run code from the file
            reason = "it holds something else than weights and options"
        raise CheckpointError(
            f"{file}: not a readable checkpoint ({reason}); copy it again"
        ) from error
    if not isinstance(content, dict) or not isinstance(content.get("state_dict"), dict):
        raise CheckpointError(
            f"{file}: not a checkpoint of a cellbench model; give a file that `cellbench fit` wrote"
        )
    return content


def load_weights(model: nn.Module, path: str | Path) -> str:
    """Copy the weights of a checkpoint into a model, where their names and shapes fit.

    Args:
        model: any module; weights that the checkpoint does not have keep their values.
        path: a checkpoint; of averaged and plain weights the averaged ones are used.

    Returns:
        One line that says how many weights were loaded, and names those that do not fit.

    Raises:
        CheckpointError: if the file is not a checkpoint, or no weight fits.
    """
    stored = read_checkpoint(path)["state_dict"]
    current = model.state_dict()
    absent = [name for name in current if name not in stored]
    unused = [name for name in stored if name not in current]
    misshapen = [
        name for name in current if name in stored and _shape(stored[name]) != _shape(current[name])
    ]
    fitting = {name: stored[name] for name in current.keys() - {*absent, *misshapen}}
    if not fitting:
        raise CheckpointError(
            f"{path}: none of its {len(stored)} weights fits the model by name and shape; give a "
            "checkpoint of a similar model"
        )
    model.load_state_dict(fitting, strict=False)
    parts = [
        f"{path}: training starts from {len(fitting)} of the model's {len(current)} weights",
        _listed("of another shape", misshapen),
        _listed("not in the file", absent),
        _listed("in the file but not in the model", unused),
    ]
    return "; ".join(part for part in parts if part)


def _shape(value: Any) -> tuple[int, ...] | None:  # noqa: ANN401  (a state may hold anything)
    return tuple(value.shape) if isinstance(value, torch.Tensor) else None


def _listed(reason: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return f"{len(names)} {reason}: {', '.join(names[:_NAMES_SHOWN])}{more}"
