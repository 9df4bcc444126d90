"""A checkpoint back to a model."""

from inspect import signature
from pathlib import Path

import torch

from cellbench.errors import CheckpointError, UsageError
from cellbench.models import model_class
from cellbench.models.base import MODEL_KEY, InstanceSegmentationModel

_KEYS = {MODEL_KEY, "hyper_parameters", "state_dict"}


def load_model(
    checkpoint: str | Path, device: str | torch.device | None = None
) -> InstanceSegmentationModel:
    """Load a trained model; the checkpoint alone is enough, and can run no code.

    Args:
        checkpoint: a file that training wrote.
        device: where the model goes; the first GPU, else the CPU, unless given.

    Returns:
        The model with averaged weights where training averaged them, ready to segment.

    Raises:
        CheckpointError: if the file is absent, damaged, or no checkpoint of a cellbench model.
        UsageError: if there is no such device.
    """
    path = Path(checkpoint)
    if not path.is_file():
        raise CheckpointError(f"{path}: no such checkpoint; `make train` writes one")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged files raise whatever their bytes lead to
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CheckpointError(
            f"{path}: not a readable checkpoint ({reason}); copy it again"
        ) from error
    if not isinstance(content, dict) or not content.keys() >= _KEYS:
        raise CheckpointError(f"{path}: not a checkpoint of a cellbench model; give one from runs/")
    made = model_class(content[MODEL_KEY])
    # LightningCLI adds entries of its own, which start with an underscore.
    options = {k: v for k, v in content["hyper_parameters"].items() if not k.startswith("_")}
    if "pretrained" in signature(made).parameters:
        options["pretrained"] = False
    try:
        model = made(**options)
        model.load_state_dict(content["state_dict"])
        model.on_load_checkpoint(content)
    except (RuntimeError, TypeError, ValueError, LookupError, AttributeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise CheckpointError(
            f"{path}: was written by another version ({reason}); train again"
        ) from error
    try:
        return model.eval().to(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UsageError(f"device {device!r}: cannot be used here ({reason})") from error
