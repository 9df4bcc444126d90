"""The last step of a training: the decoding options with the best F1 on the tune split."""

from functools import partial
from pathlib import Path

import torch
from pytorch_lightning import LightningDataModule
from pytorch_lightning.utilities import rank_zero_info

from cellbench.inference.tuning import (
    describe_tuning,
    tune_checkpoint,
    why_not_tunable,
)
from cellbench.models.base import InstanceSegmentationModel
from cellbench.progress import progress_bar
from cellbench.training.dataset_folders import DatasetFolders


def tune_after_training(
    checkpoint: Path,
    model: InstanceSegmentationModel,
    data: LightningDataModule | None,
    device: torch.device,
) -> None:
    """Tune the decoding of a checkpoint, or say why that is not possible.

    Args:
        checkpoint: the checkpoint, in which the best options are stored.
        model: the trained model.
        data: the datamodule that it was trained with.
        device: device of the network.
    """
    if reason := why_not_tunable(model):
        rank_zero_info(reason)
    elif isinstance(data, DatasetFolders):
        items = data.items("tune")
        images = f"{len(items)} tune image{'s' * (len(items) != 1)}"
        rank_zero_info(f"{checkpoint}: tuning the decoding on {images}")
        streams = tune_checkpoint(
            checkpoint, items, device, partial(progress_bar, leave=False), model_class=type(model)
        )
        rank_zero_info("\n".join(describe_tuning(checkpoint, streams)))
    else:
        rank_zero_info(
            f"{checkpoint}: decoding is not tuned, because {type(data).__name__} does not list images "
            "(items, dataset_names); `cellbench tune` can do it for a dataset folder"
        )
