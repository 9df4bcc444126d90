"""What every model shares: training steps, optimiser, validation by the evaluator's own F1, saving."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.utilities import rank_zero_info, rank_zero_warn
from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig
from torch import nn
from torch.utils.data import default_collate
from torchmetrics import Metric

from cellbench.errors import UsageError
from cellbench.labels import LabelMap
from cellbench.models.batches import AddsLoss, Batch, HasCellDiameters, Targets, WholeImage
from cellbench.models.checkpoint_keys import DIAMETERS_KEY, LICENCE_KEY, MODEL_KEY
from cellbench.models.names import class_path, model_name
from cellbench.models.segmenter import Segmenter
from cellbench.models.weights import load_weights, read_checkpoint
from cellbench.training.metric import CellF1
from cellbench.training.ranges import check_at_least
from cellbench.training.schedule import learning_rate_factor, training_progress


class InstanceSegmentationModel(LightningModule, Segmenter):
    """Anything that can be trained to segment an image into a label map.

    A subclass implements [`segment`][cellbench.models.segmenter.Segmenter.segment], [`loss`][] and
    [`targets`][], and [`collate`][] where the targets of different patches differ in shape. Most
    models predict dense maps: derive those from [`DenseModel`][cellbench.models.dense.DenseModel].
    To change a part of training, override [`configure_metrics`][], [`parameter_groups`][] or
    [`configure_optimizers`][]. Parameters of the constructor of a subclass are its options on the
    command line; they are saved with each checkpoint, so they must be numbers, texts, or lists or
    dictionaries of these.

    Args:
        learning_rate: highest learning rate of the AdamW optimiser.
        weight_decay: weight decay of AdamW.
        warmup_steps: number of optimiser steps in which the learning rate rises to its highest value.
        encoder_rate: factor on the learning rate of the encoder; 0.1 suits a pretrained encoder.
        weights: checkpoint file whose weights training starts from. Weights whose name or shape does
            not fit are reported and keep their initial values. To continue an interrupted run, use
            ``--ckpt_path`` instead.
    """

    val_metrics: nn.ModuleDict
    test_metrics: nn.ModuleDict

    def __init__(
        self,
        learning_rate: float = 6e-4,
        weight_decay: float = 0.01,
        warmup_steps: int = 50,
        encoder_rate: float = 1.0,
        weights: str | None = None,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(ignore=["network", "representation"])
        check_at_least(0, "model", learning_rate=learning_rate, weight_decay=weight_decay)
        check_at_least(0, "model", warmup_steps=warmup_steps, encoder_rate=encoder_rate)
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.warmup_steps = warmup_steps
        self.encoder_rate = encoder_rate
        self.weights = weights
        self._predicted_cells = 0
        self.configure_metrics()

    @classmethod
    def model_name(cls) -> str:
        """Return the name of one of cellbench's own models, or the class path of another."""
        return model_name(class_path(cls))

    @abstractmethod
    def loss(self, batch: Batch) -> torch.Tensor:
        """Return the loss of a batch of training patches.

        Args:
            batch: patches and their targets, as [`collate`][] returns them.
        """

    @abstractmethod
    def targets(self, labels: LabelMap) -> Targets:
        """Return what the model learns from the label map of one patch.

        Args:
            labels: (H, W) label map.

        Returns:
            Arrays by name.
        """

    def target_encoder(self) -> Callable[[LabelMap], Targets]:
        """Return the function that makes training targets; it is sent to other processes.

        It does what [`targets`][] does. Where the targets do not depend on the network, return a
        function that does not hold it.
        """
        return self.targets

    @staticmethod
    def collate(samples: Sequence[dict[str, Any]]) -> Any:  # noqa: ANN401  (a model may return other types)
        """Join training patches to a batch.

        Args:
            samples: for each patch its ``image`` (3, H, W) and ``targets``, all as tensors.

        Returns:
            A [`Batch`][cellbench.models.batches.Batch].
        """
        return default_collate(list(samples))

    def configure_metrics(self) -> None:
        """Make the measures that validation and test log, as ``val/<name>`` and ``test/<name>``.

        A measure is updated with ``prediction`` and ``truth``, both (H, W) label maps. One must be
        called ``f1``: checkpoints are chosen by it.
        """
        self.val_metrics = nn.ModuleDict({"f1": CellF1()})
        self.test_metrics = nn.ModuleDict({"f1": CellF1()})

    def on_fit_start(self) -> None:
        """Start training from the weights of another checkpoint, unless this is a resumed run.

        The model also learns from the datamodule how large the cells are, for `segment --diameter`.
        """
        data = getattr(self.trainer, "datamodule", None)
        if isinstance(data, HasCellDiameters):
            self.diameters = data.cell_diameters()
        if self.weights is not None and self.trainer.ckpt_path is None:
            rank_zero_info(load_weights(self, self.weights))
            stored = read_checkpoint(self.weights).get(LICENCE_KEY, "")
            self.weights_licence = " and ".join(sorted({self.weights_licence, stored} - {""}))

    def training_step(self, batch: Batch, batch_idx: int) -> torch.Tensor:
        """Return the loss of a batch of patches, and log it; callbacks may add to it."""
        loss = self.loss(batch)
        self.log("train/loss", loss, prog_bar=True, batch_size=len(batch["image"]))
        for callback in self.trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, AddsLoss):
                added = callback.added_loss(self, batch)
                loss = loss if added is None else loss + added
        return loss

    def validation_step(self, batch: WholeImage, batch_idx: int) -> dict[str, Any]:
        """Segment and score one image of the tune split."""
        return self._score(batch, self.segment_tiled(batch["image"]), "val")

    def test_step(self, batch: WholeImage, batch_idx: int) -> dict[str, Any]:
        """Segment and score one image of the test split."""
        return self._score(batch, self.segment_tiled(batch["image"]), "test")

    def predict_step(self, batch: WholeImage, batch_idx: int) -> LabelMap:
        """Segment one image."""
        return self.segment_tiled(batch["image"])

    def _score(self, batch: WholeImage, prediction: LabelMap, stage: str) -> dict[str, Any]:
        """Return the predicted ``labels`` and the value of each measure, and log the measures."""
        metrics = self.val_metrics if stage == "val" else self.test_metrics
        truth = batch["labels"].cpu().numpy()
        self._predicted_cells += int(np.max(prediction, initial=0))
        outputs: dict[str, Any] = {"labels": prediction}
        for name, metric in metrics.items():
            assert isinstance(metric, Metric)
            outputs[name] = metric(prediction=prediction, truth=truth)
            shown = name == "f1"
            self.log(f"{stage}/{name}", metric, prog_bar=shown, on_epoch=True, batch_size=1)
        return outputs

    def on_validation_epoch_end(self) -> None:
        """Warn where training has collapsed to empty predictions."""
        if self._predicted_cells == 0 and not self.trainer.sanity_checking:
            rank_zero_warn(
                "no cell was predicted on any tune image; this is normal in the first epochs. If it "
                "stays so, lower model.learning_rate and check the labels with `cellbench data describe`"
            )
        self._predicted_cells = 0

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Return AdamW with warm-up and cosine decay, stepped after every batch."""
        optimizer = torch.optim.AdamW(
            self.parameter_groups(), lr=self.learning_rate, weight_decay=self.weight_decay
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self._learning_rate_factor)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def encoder_parameters(self) -> list[nn.Parameter]:
        """Return the parameters that ``encoder_rate`` applies to; empty where there is no encoder."""
        return []

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return all parameters, in a second group those of the encoder where their rate differs.

        Raises:
            UsageError: if ``encoder_rate`` is set and the model has no encoder.
        """
        if self.encoder_rate == 1:
            return [{"params": list(self.parameters())}]
        encoder = self.encoder_parameters()
        if not encoder:
            raise UsageError(
                f"encoder_rate {self.encoder_rate}: {self.model_name()} has no encoder; leave the "
                "option out"
            )
        known = {id(each) for each in encoder}
        rest = [each for each in self.parameters() if id(each) not in known]
        return [{"params": rest}, {"params": encoder, "lr": self.learning_rate * self.encoder_rate}]

    def _learning_rate_factor(self, step: int) -> float:
        return learning_rate_factor(step, self.warmup_steps, training_progress(self.trainer))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Store the class path of the model, so that the checkpoint alone is enough to segment.

        The licence of its pretrained weights and the diameters of its cells are stored too.
        """
        checkpoint[MODEL_KEY] = class_path(type(self))
        checkpoint[LICENCE_KEY] = self.weights_licence
        if self.diameters is not None:
            checkpoint[DIAMETERS_KEY] = list(self.diameters)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore what [`on_save_checkpoint`][] stored."""
        Segmenter.on_load_checkpoint(self, checkpoint)  # not Lightning's, which does nothing
