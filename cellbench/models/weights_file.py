"""Weights files: a trained model in half precision, as safetensors, with all that segmenting needs.

A checkpoint of training also contains averaged weights and the state of the optimiser, and is eight times
as large. A weights file can be used wherever a checkpoint is loaded, but training cannot continue from it.
Its metadata has one entry, ``cellbench``: JSON with what a checkpoint contains besides the weights, and
with what the model is ([`ModelAbout`][cellbench.models.about.ModelAbout]). Neither can contain code.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from cellbench.errors import CheckpointError
from cellbench.files import written_whole
from cellbench.models.about import ModelAbout
from cellbench.models.weights_metadata import make_metadata, read_metadata, unreadable

_STATE = "state_dict"


def write_weights_file(path: str | Path, checkpoint: Mapping[str, Any], about: ModelAbout) -> None:
    """Write the model of a checkpoint as a weights file.

    Weights with two or more dimensions are stored in half precision (float16). Biases and normalisations,
    a few percent of all numbers, keep their precision.

    Args:
        path: the file to write, with the extension ``.safetensors``.
        checkpoint: content of a checkpoint or of another weights file.
        about: what the model is.

    Raises:
        CheckpointError: if half precision cannot hold a weight, or an option cannot be stored.
        WriteError: if the file cannot be written.
    """
    from safetensors.torch import save

    metadata = make_metadata(path, checkpoint, about)
    weights = {name: _halved(name, value, path) for name, value in checkpoint[_STATE].items()}
    with written_whole(path) as temporary:
        temporary.write_bytes(save(weights, metadata))


def _halved(name: str, value: torch.Tensor, path: str | Path) -> torch.Tensor:
    if not value.is_floating_point() or value.dim() < 2:
        return value.contiguous().clone()  # weights that share memory cannot be stored
    half = value.to(torch.float16, copy=True, memory_format=torch.contiguous_format)
    if not half.isfinite().all():
        raise CheckpointError(
            f"{path}: the weight {name} has values that half precision cannot hold; train the model again"
        )
    return half


def read_weights_file(path: str | Path) -> dict[str, Any]:
    """Read a weights file; no code in it can run.

    Args:
        path: a file that `cellbench export --to weights` wrote.

    Returns:
        What a checkpoint contains; all weights are in single precision.

    Raises:
        CheckpointError: if the file cannot be read or is not a weights file of cellbench.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    content = read_metadata(path)
    try:
        weights = load_file(path)
    except (SafetensorError, OSError) as error:
        raise unreadable(path, error) from error
    return content | {_STATE: {name: _single(value) for name, value in weights.items()}}


def _single(value: torch.Tensor) -> torch.Tensor:
    return value.float() if value.dtype == torch.float16 else value
