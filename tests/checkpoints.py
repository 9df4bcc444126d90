"""Small untrained models and their checkpoints."""

from pathlib import Path
from typing import Any

import torch
import yaml
from training_runs import CONF, CONFIGS

from cellbench.models import InstanceSegmentationModel, model_class
from cellbench.models.unet import UNetBoundary


def small_unet(seed: int = 0, **options: Any) -> UNetBoundary:
    """Make a U-Net of two levels with the weights of a seed."""
    torch.manual_seed(seed)
    model = UNetBoundary(channels=(4, 8), residual_units=1, window=64, **options)
    return model.eval()


def tiny_model(name: str) -> InstanceSegmentationModel:
    """Make an untrained model with the options of its configs, as the tests of training do."""
    options: dict[str, Any] = {}
    for path in (CONFIGS / f"model/{name}.yaml", CONF / "tiny.yaml", CONF / f"{name}.yaml"):
        if path.is_file():
            options |= yaml.safe_load(path.read_text())["model"].get("init_args", {})
    torch.manual_seed(0)
    return model_class(name)(**options).eval()


def save_checkpoint(model: InstanceSegmentationModel, path: Path) -> Path:
    """Write what training would write, as far as loading needs it."""
    content: dict[str, Any] = {
        "state_dict": model.state_dict(),
        "hyper_parameters": dict(model.hparams),
    }
    model.on_save_checkpoint(content)
    torch.save(content, path)
    return path
