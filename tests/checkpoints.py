"""Small untrained models and their checkpoints."""

from pathlib import Path
from typing import Any

import torch

from cellbench.models.base import InstanceSegmentationModel
from cellbench.models.unet import UNetBoundary


def small_unet(seed: int = 0, **options: Any) -> UNetBoundary:
    """Make a U-Net of two levels with the weights of a seed."""
    torch.manual_seed(seed)
    model = UNetBoundary(channels=(4, 8), residual_units=1, window=64, **options)
    return model.eval()


def save_checkpoint(model: InstanceSegmentationModel, path: Path) -> Path:
    """Write what training would write, as far as loading needs it."""
    content: dict[str, Any] = {
        "state_dict": model.state_dict(),
        "hyper_parameters": dict(model.hparams),
    }
    model.on_save_checkpoint(content)
    torch.save(content, path)
    return path
