"""Datamodules that have a model and a trainer, as in training."""

from types import SimpleNamespace
from typing import Any

from checkpoints import small_unet

from cellbench.models.base import InstanceSegmentationModel
from cellbench.training.datamodule import CellDataModule


def attached_data(model: InstanceSegmentationModel | None = None, **options: Any) -> CellDataModule:
    """Make a datamodule that is attached to a model and to a trainer that has done no step.

    The model is a small U-Net by default. Patches are small and are prepared by this process.
    """
    small = {"crop_size": 64, "num_workers": 0}
    data = CellDataModule(**small | options)
    data.trainer = SimpleNamespace(
        world_size=1, global_rank=0, global_step=0, lightning_module=model or small_unet()
    )
    return data
