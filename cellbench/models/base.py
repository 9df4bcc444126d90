"""What every model shares: steps, optimiser, validation by the evaluator's own F1."""

from collections.abc import Callable
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt
import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.utilities import rank_zero_warn
from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig
from torch import nn

from cellbench.errors import UsageError
from cellbench.inference.tiles import segment_in_tiles
from cellbench.labels import LabelMap
from cellbench.networks.grid import between_grid
from cellbench.networks.windows import predict_in_windows
from cellbench.representations import Representation
from cellbench.representations.base import NumpyMaps
from cellbench.training.metric import CellF1
from cellbench.training.schedule import learning_rate_factor, training_progress

MODEL_KEY = "cellbench_model"
"""Where a checkpoint keeps the name of its model."""
DECODING_KEY = "cellbench_decoding"
"""Where a checkpoint keeps the options of decoding that `cellbench tune` fits."""


class Batch(TypedDict):
    """Training patches: ``image`` (B, 3, H, W) in [0, 1], ``targets`` (B, C, h, w) for each map.

    Targets lie on the representation's grid: h is ⌈H / grid⌉.
    """

    image: torch.Tensor
    targets: dict[str, torch.Tensor]


class WholeImage(TypedDict):
    """One image of any size: ``image`` (3, H, W) in [0, 1], ``labels`` (H, W), its stem and modality."""

    image: torch.Tensor
    labels: torch.Tensor
    stem: str
    modality: str


class InstanceSegmentationModel(LightningModule):
    """A network and a representation, trained and validated in one way for all models.

    Args:
        network: (B, 3, H, W) to one raw output for each map of the representation.
        representation: label map to maps and back, with the loss.
        learning_rate: peak learning rate of AdamW.
        weight_decay: weight decay of AdamW.
        warmup_steps: steps over which the learning rate rises to its peak.
        window: side in pixels of the windows in which whole images are segmented.
        overlap: share of a window that its neighbour covers too.
        encoder_rate: factor on the learning rate of the network's encoder; pretrained ones want 0.1.
        channels_last: keep the network's arrays pixel by pixel: faster for ConvNeXt, slower for U-Net.
        compiled: compile the network for training (torch.compile): a minute at the start, then faster.

    Raises:
        UsageError: if ``encoder_rate`` is given and the network has no encoder.
    """

    def __init__(
        self,
        network: nn.Module,
        representation: Representation,
        learning_rate: float = 6e-4,
        weight_decay: float = 0.01,
        warmup_steps: int = 50,
        window: int = 256,
        overlap: float = 0.25,
        encoder_rate: float = 1.0,
        channels_last: bool = False,
        compiled: bool = False,
    ) -> None:
        super().__init__()
        if encoder_rate != 1 and not hasattr(network, "encoder"):
            raise UsageError(
                f"encoder_rate {encoder_rate}: this network has no encoder; leave it out"
            )
        self.save_hyperparameters(ignore=["network", "representation"])
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.network = network.to(memory_format=self.memory_format)
        self.representation = representation
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.warmup_steps = warmup_steps
        self.window = window
        self.overlap = overlap
        self.encoder_rate = encoder_rate
        self.compiled = compiled
        self._compiled_network: Callable[[torch.Tensor], dict[str, torch.Tensor]] | None = None
        self.val_f1 = CellF1()
        self.test_f1 = CellF1()
        self._predicted_cells = 0

    @classmethod
    def model_name(cls) -> str:
        """Give the name under which the model is registered: that of its file."""
        return cls.__module__.rsplit(".", 1)[-1]

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Predict activated maps (B, C, H, W) of images (B, 3, H, W)."""
        outputs = self.network(image.contiguous(memory_format=self.memory_format))
        maps = self.representation.activate(outputs)
        return between_grid(maps, self.representation.grid, image.shape[-2:])

    def predict_maps(self, image: torch.Tensor) -> NumpyMaps:
        """Predict the maps of one image of any size, activated.

        Args:
            image: (3, H, W) in [0, 1]; it may lie in main memory while the network is on a GPU.

        Returns:
            (C, H, W) float32 for each map.
        """
        maps = predict_in_windows(
            self, image, window=self.window, overlap=self.overlap, device=self.device
        )
        return {name: each.cpu().numpy() for name, each in maps.items()}

    def choose(self, image: torch.Tensor) -> int:
        """Give the number of the stream that suits an image (3, H, W); most models have but one."""
        return 0

    def stream(self, index: int) -> "InstanceSegmentationModel":
        """Give a stream, which predicts maps and decodes them: the model itself where it has but one."""
        return self

    def segment(self, image: torch.Tensor) -> LabelMap:
        """Segment one image (3, H, W) into a label map (H, W); a large one in tiles."""
        chosen = self.stream(self.choose(image))

        def segment(tile: torch.Tensor) -> LabelMap:
            return chosen.representation.decode(chosen.predict_maps(tile.permute(2, 0, 1)))

        return segment_in_tiles(segment, image.permute(1, 2, 0))

    def image_targets(
        self, image: npt.NDArray[np.uint8], labels: LabelMap
    ) -> dict[str, npt.NDArray[Any]]:
        """Give what the model learns of an image as a whole, beside its maps; most learn nothing.

        Args:
            image: (H, W, 3), normalised.
            labels: (H, W) its label map.
        """
        return {}

    def setup(self, stage: str) -> None:
        """Compile for training; whole images have windows of other shapes, and gain nothing."""
        if stage == "fit" and self.compiled:
            # The bound method, not the module: the names of the weights stay as they are.
            self._compiled_network = torch.compile(self.network.forward)

    def training_step(self, batch: Batch, batch_idx: int) -> torch.Tensor:
        """Give the loss of a batch of patches, and log it."""
        loss = self.loss(batch)
        self.log("train/loss", loss, prog_bar=True, batch_size=len(batch["image"]))
        return loss

    def loss(self, batch: Batch) -> torch.Tensor:
        """Give the loss of a batch of patches."""
        network = self._compiled_network or self.network
        outputs = network(batch["image"].contiguous(memory_format=self.memory_format))
        return self.representation.loss(outputs, batch["targets"])

    def validation_step(self, batch: WholeImage, batch_idx: int) -> dict[str, Any]:
        """Segment and score one image of the tune split."""
        return self._score(batch, "val", self.val_f1)

    def test_step(self, batch: WholeImage, batch_idx: int) -> dict[str, Any]:
        """Segment and score one image of the test split."""
        return self._score(batch, "test", self.test_f1)

    def predict_step(self, batch: WholeImage, batch_idx: int) -> LabelMap:
        """Segment one image."""
        return self.segment(batch["image"])

    def _score(self, batch: WholeImage, stage: str, metric: CellF1) -> dict[str, Any]:
        """Give the predicted ``labels``, their ``f1``, and the number of the ``stream`` they are by."""
        chosen = self.choose(batch["image"])
        prediction = self.stream(chosen).segment(batch["image"])
        f1 = metric(prediction, batch["labels"].cpu().numpy())
        self._predicted_cells += int(np.max(prediction, initial=0))
        self.log(f"{stage}/f1", metric, prog_bar=True, on_epoch=True, batch_size=1)
        return {"labels": prediction, "f1": f1, "stream": chosen}

    def on_validation_epoch_end(self) -> None:
        """Warn where training has collapsed to empty predictions."""
        if self._predicted_cells == 0 and not self.trainer.sanity_checking:
            rank_zero_warn(
                "no cell was predicted on any tune image: normal in the first epochs, else try a lower "
                "model.learning_rate and check the labels with `cellbench data describe`"
            )
        self._predicted_cells = 0

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Give AdamW with warm-up and cosine, stepped after every batch."""
        optimizer = torch.optim.AdamW(
            self._parameter_groups(), lr=self.learning_rate, weight_decay=self.weight_decay
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self._learning_rate_factor)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def _parameter_groups(self) -> list[dict[str, Any]]:
        """Give all parameters, the encoder's apart where they learn at a rate of their own."""
        if self.encoder_rate == 1:
            return [{"params": list(self.parameters())}]
        encoder = list(self.network.encoder.parameters())  # type: ignore[union-attr]
        known = {id(each) for each in encoder}
        rest = [each for each in self.parameters() if id(each) not in known]
        return [{"params": rest}, {"params": encoder, "lr": self.learning_rate * self.encoder_rate}]

    def _learning_rate_factor(self, step: int) -> float:
        return learning_rate_factor(step, self.warmup_steps, training_progress(self.trainer))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Name the model and how it decodes, so that the checkpoint alone is enough to segment."""
        checkpoint[MODEL_KEY] = self.model_name()
        checkpoint[DECODING_KEY] = self.representation.decoding()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Decode as the checkpoint says; one from before such options keeps the model's own."""
        self.representation.set_decoding(checkpoint.get(DECODING_KEY, {}))
