"""Models that predict dense maps: one network and one representation each."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from cellbench.errors import UsageError
from cellbench.labels import LabelMap
from cellbench.models.base import InstanceSegmentationModel
from cellbench.models.batches import Batch, Targets
from cellbench.models.checkpoint_keys import DECODING_KEY
from cellbench.models.dense_segmenter import DenseSegmenter
from cellbench.models.segmenter import DecodingSegmenter
from cellbench.representations import Representation

Tensors = Mapping[str, torch.Tensor]


class DecodingModel(DecodingSegmenter, InstanceSegmentationModel):
    """A model that learns the maps of a representation; its checkpoints keep the options of decoding."""

    def targets(self, labels: LabelMap) -> Targets:
        """Return the maps of a label map where the network predicts them.

        Args:
            labels: (H, W) label map.

        Returns:
            (C, ⌈H / grid⌉, ⌈W / grid⌉) for each map.
        """
        return self.representation.targets(labels)

    def target_encoder(self) -> Callable[[LabelMap], Targets]:
        """Return the function that makes training targets; it does not hold the network."""
        changed = type(self).targets is not DecodingModel.targets
        return self.targets if changed else self.representation.targets

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Store the model's class path and its options of decoding."""
        super().on_save_checkpoint(checkpoint)
        checkpoint[DECODING_KEY] = self.representation.decoding()


class DenseModel(DenseSegmenter, DecodingModel):
    """A network that predicts the dense maps of a representation.

    Args:
        network: (B, 3, H, W) to one raw output for each map of the representation.
        representation: label map to maps and back, with the loss.
        window: side in pixels of the windows in which whole images are segmented.
        overlap: share of a window that its neighbour covers too, in [0, 1).
        channels_last: store the network's arrays pixel by pixel; faster for ConvNeXt, slower for
            U-Net.
        compiled: compile the network for training (torch.compile); the start takes a minute longer,
            each step is faster.
        **training: options of every model, see
            [`InstanceSegmentationModel`][cellbench.models.base.InstanceSegmentationModel].

    Raises:
        UsageError: if a number is out of its range, or ``encoder_rate`` is set and the network has no
            encoder.
    """

    criterion: Callable[[Tensors, Tensors], torch.Tensor]

    def __init__(
        self,
        network: nn.Module,
        representation: Representation,
        window: int = 256,
        overlap: float = 0.25,
        channels_last: bool = False,
        compiled: bool = False,
        **training: Any,
    ) -> None:
        super().__init__(network, representation, window, overlap, channels_last, **training)
        self.compiled = compiled
        self._compiled_network: Callable[[torch.Tensor], dict[str, torch.Tensor]] | None = None
        if self.encoder_rate != 1 and not hasattr(network, "encoder"):
            raise UsageError(
                f"encoder_rate {self.encoder_rate}: the network of {self.model_name()} has no "
                "encoder; leave the option out"
            )
        self.configure_losses()

    def configure_losses(self) -> None:
        """Set ``criterion``: raw outputs and targets, each by name of the map, to the loss.

        The default is the loss of the representation. The constructor calls this when the network and
        the representation are there.
        """
        self.criterion = self.representation.loss

    def setup(self, stage: str) -> None:
        """Compile for training; whole images have windows of other shapes, and gain nothing."""
        if stage == "fit" and self.compiled:
            # The bound method, not the module: the names of the weights stay as they are.
            self._compiled_network = torch.compile(self.network.forward)

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return the loss of a batch of patches, without the pixels that are ignored in it.

        Args:
            batch: patches and their maps.
        """
        if (ignored := batch.get("ignored")) is not None:
            return self.loss_of_pixels(batch, ignored)
        return self.criterion(self._training_outputs(batch), batch["targets"])

    def loss_of_pixels(
        self, batch: Batch, ignored: torch.Tensor, replacement: Tensors | None = None
    ) -> torch.Tensor:
        """Return the loss of a batch of which some pixels are ignored.

        There, the outputs are replaced, so that the loss has no gradient. A loss that is divided by a sum
        over all pixels, such as Dice, changes little if the replacement agrees with the targets.

        Args:
            batch: patches and their maps.
            ignored: (B, H, W) True where a pixel is ignored.
            replacement: raw outputs for these pixels, (B, C, h, w) for each map; by default those of the
                model itself.
        """
        found = self._training_outputs(batch)
        replacement = found if replacement is None else replacement
        grid = self.representation.grid
        there = ignored[:, None, ::grid, ::grid]
        outputs = {
            name: torch.where(there, replacement[name].detach().to(each.dtype), each)
            for name, each in found.items()
        }
        return self.criterion(outputs, batch["targets"])

    def _training_outputs(self, batch: Batch) -> dict[str, torch.Tensor]:
        network = self._compiled_network or self.network
        outputs: dict[str, torch.Tensor] = network(
            batch["image"].contiguous(memory_format=self.memory_format)
        )
        return outputs

    def encoder_parameters(self) -> list[nn.Parameter]:
        """Return the parameters of ``network.encoder``; empty where the network has none."""
        encoder = getattr(self.network, "encoder", None)
        return [] if encoder is None else list(encoder.parameters())
