"""What label maps depend on besides the image: checkpoints, options, device and software."""

import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import nn

import cellbench
from cellbench.evaluation.seals import checksum_of
from cellbench.networks.precision import half_precision


def run_settings(
    models: Sequence[nn.Module], checksums: Sequence[str], options: Mapping[str, object]
) -> dict[str, object]:
    """Return everything that label maps and their times depend on besides the image, as JSON can hold it.

    Args:
        models: the loaded models of an ensemble.
        checksums: SHA-256 of their checkpoints, which also hold the options of decoding.
        options: value of each option by name.
    """
    device = next(models[0].parameters()).device
    place = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return {
        **options,
        "checkpoints": list(checksums),
        "model class": [f"{type(each).__module__}.{type(each).__qualname__}" for each in models],
        "device": [place, str(half_precision(device.type))],
        "version of cellbench": cellbench.__version__,
        "version of PyTorch": torch.__version__,
        "code of cellbench or of the model": _code_checksum(models),
    }


def file_checksum(path: str | Path) -> str:
    """Return the SHA-256 of the regular file that a path or link leads to.

    Args:
        path: the file.

    Returns:
        64 hexadecimal digits; an empty text if there is no such file or it cannot be read.
    """
    try:
        return checksum_of(Path(os.path.realpath(path)))
    except OSError:
        return ""


def _code_checksum(models: Sequence[nn.Module]) -> str:
    """Return a text that changes with the code of cellbench and the modules of the models' classes."""
    names = {type(part).__module__ for model in models for part in model.modules()}
    files = [getattr(sys.modules.get(name), "__file__", None) for name in names]
    code = {*Path(cellbench.__file__).parent.rglob("*.py"), *map(Path, filter(None, files))}
    checksums = sorted(map(file_checksum, code))
    return hashlib.sha256("".join(checksums).encode()).hexdigest()
