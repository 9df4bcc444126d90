"""What a subclass can change: losses, measures, targets, parameter groups, what a checkpoint keeps."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoints import save_checkpoint
from datasets import make_dataset
from pytorch_lightning import Trainer
from torchmetrics import Metric

from cellbench.inference import load_model
from cellbench.labels import LabelMap
from cellbench.models import InstanceSegmentationModel
from cellbench.models.batches import HasImageTargets
from cellbench.models.multi_stream import MultiStream
from cellbench.models.unet import UNetBoundary
from cellbench.training.datamodule import CellDataModule
from cellbench.training.metric import CellF1


class Count(Metric):
    """Mean number of predicted cells."""

    def __init__(self) -> None:
        super().__init__()
        self.add_state("cells", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("images", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, prediction: LabelMap, truth: LabelMap) -> None:
        assert prediction.shape == truth.shape
        self.cells += int(prediction.max())
        self.images += 1

    def compute(self) -> torch.Tensor:
        return self.cells / self.images


class Changed(UNetBoundary):
    """Changes all that it can; its criterion has a weight to learn and a buffer to save."""

    def configure_losses(self) -> None:
        self.criterion = Criterion()

    def configure_metrics(self) -> None:
        super().configure_metrics()
        self.val_metrics["cells"] = Count()

    def targets(self, labels: LabelMap) -> dict[str, Any]:
        return {"classes": np.zeros((3, *labels.shape), np.uint8)}

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.parameters()), "lr": 0.5}]


class Criterion(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(()))
        self.register_buffer("weights", torch.ones(3))

    def forward(
        self, outputs: dict[str, torch.Tensor], targets: dict[str, torch.Tensor]
    ) -> torch.Tensor:
        assert not targets["classes"].any()
        return self.factor * outputs["classes"].square().mean()


def test_losses_measures_targets_and_groups_can_be_changed(tmp_path: Path) -> None:
    model = Changed(channels=(4, 8), residual_units=1, window=64)
    assert {"criterion.factor", "criterion.weights"} <= model.state_dict().keys()
    data = CellDataModule(
        str(make_dataset(tmp_path / "data", images=1)),
        crop_size=64,
        batch_size=2,
        patches_per_epoch=2,
        num_workers=0,
        cache=str(tmp_path / "cache"),
    )
    trainer = Trainer(
        max_epochs=1,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        default_root_dir=tmp_path,
    )
    trainer.fit(model, data)
    assert model.criterion.factor != 1  # type: ignore[attr-defined]
    assert trainer.optimizers[0].param_groups[0]["initial_lr"] == 0.5
    assert trainer.callback_metrics.keys() >= {"train/loss", "val/f1", "val/cells"}


def test_targets_are_made_without_the_network_unless_a_subclass_makes_them() -> None:
    model = UNetBoundary(channels=(4, 8))
    assert model.target_encoder() == model.representation.targets
    changed = Changed(channels=(4, 8))
    assert changed.target_encoder() == changed.targets


class Calibrated(UNetBoundary):
    """Keeps a number of its own in its checkpoints."""

    scale = 1.0

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_save_checkpoint(checkpoint)
        checkpoint["scale"] = self.scale

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_load_checkpoint(checkpoint)
        assert checkpoint["state_dict"].keys() == self.state_dict().keys()
        self.scale = checkpoint["scale"]


def test_loading_for_inference_calls_the_hook_of_the_model(tmp_path: Path) -> None:
    model = Calibrated(channels=(4, 8))
    model.scale, model.diameters = 2.5, (5.0, 10.0, 20.0)
    model.representation.set_decoding({"threshold": 0.3})
    path = save_checkpoint(model, tmp_path / "last.ckpt")
    loaded = load_model(path, "cpu", model_class=Calibrated)
    assert isinstance(loaded, Calibrated)
    assert loaded.scale == 2.5
    assert loaded.diameters == (5.0, 10.0, 20.0)
    assert loaded.representation.decoding()["threshold"] == 0.3


def test_measures_are_the_evaluators_own() -> None:
    model = UNetBoundary(channels=(4, 8))
    for metrics in (model.val_metrics, model.test_metrics):
        assert [type(each) for each in metrics.values()] == [CellF1]


def test_only_multi_stream_learns_whole_images() -> None:
    assert issubclass(MultiStream, HasImageTargets)
    assert not issubclass(UNetBoundary, HasImageTargets)


def test_the_base_class_is_abstract() -> None:
    with pytest.raises(TypeError, match="abstract"):
        InstanceSegmentationModel()  # type: ignore[abstract]
