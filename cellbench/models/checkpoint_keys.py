"""What a checkpoint keeps besides weights and options, and under which keys."""

from collections.abc import Mapping
from typing import Any

MODEL_KEY = "cellbench_model"
"""Where a checkpoint keeps the class path of its model."""

LICENCE_KEY = "cellbench_weights_licence"
"""Where a checkpoint keeps the licence of the pretrained weights that training started from."""

DIAMETERS_KEY = "cellbench_diameters"
"""Where a checkpoint keeps the diameters of the cells that the model was trained with, in pixels."""

TUNED_DIAMETERS_KEY = "cellbench_tuned_diameters"
"""Where a checkpoint without these keeps the diameters of the cells that it was tuned with, in pixels."""

DECODING_KEY = "cellbench_decoding"
"""Where a checkpoint keeps the options of decoding that `cellbench tune` fits."""

_RENAMED = {"looks": "ray_samples"}
"""Options of decoding that older checkpoints keep under another name."""


def stored_decoding(checkpoint: Mapping[str, Any]) -> dict[str, float]:
    """Return the options of decoding that a checkpoint keeps, under their present names.

    Args:
        checkpoint: the content of a checkpoint file.

    Examples:
        >>> stored_decoding({DECODING_KEY: {"0.looks": 2}})
        {'0.ray_samples': 2}
    """
    options: dict[str, float] = {}
    for name, value in checkpoint.get(DECODING_KEY, {}).items():
        part, dot, option = name.rpartition(".")
        options[part + dot + _RENAMED.get(option, option)] = value
    return options
