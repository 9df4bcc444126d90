"""Models that own several models and let one of them segment each image."""

from abc import abstractmethod
from typing import Any

import torch

from cellbench.labels import LabelMap
from cellbench.models.base import InstanceSegmentationModel
from cellbench.models.batches import Targets, WholeImage
from cellbench.models.dense import DECODING_KEY, DenseModel, stored_decoding
from cellbench.representations.joint import JointRepresentation


class Router(InstanceSegmentationModel):
    """A model that sends each image to one of several dense models, its streams.

    A subclass implements :meth:`stream`, :meth:`choose` and :meth:`loss`, and sets ``representation``.

    Attributes:
        representation: the representations of all streams, side by side and in their order.
    """

    representation: JointRepresentation

    @abstractmethod
    def stream(self, index: int) -> DenseModel:
        """Return one of the models.

        Args:
            index: its number, from 0.
        """

    @abstractmethod
    def choose(self, image: torch.Tensor) -> int:
        """Return the number of the stream that segments an image.

        Args:
            image: (3, H, W) in [0, 1].
        """

    def segment(self, image: torch.Tensor) -> LabelMap:
        """Segment an image with the stream that is chosen for it.

        Args:
            image: (3, H, W) in [0, 1].
        """
        return self.stream(self.choose(image)).segment(image)

    def segment_tiled(self, image: torch.Tensor) -> LabelMap:
        """Segment an image of any size; one stream is chosen for all tiles.

        Args:
            image: (3, H, W) in [0, 1].
        """
        return self.stream(self.choose(image)).segment_tiled(image)

    def validation_step(self, batch: WholeImage, batch_idx: int) -> dict[str, Any]:
        """Segment and score one image of the tune split; the chosen ``stream`` is returned too."""
        chosen = self.choose(batch["image"])
        prediction = self.stream(chosen).segment_tiled(batch["image"])
        return {**self._score(batch, prediction, "val"), "stream": chosen}

    def targets(self, labels: LabelMap) -> Targets:
        """Return the maps of every representation.

        Args:
            labels: (H, W) label map.
        """
        return self.representation.targets(labels)

    def target_encoder(self) -> Any:  # noqa: ANN401  (the base class has the type)
        """Return the function that makes training targets; it does not hold the networks."""
        return self.representation.targets

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Store the model's class path and the options of decoding of each stream."""
        super().on_save_checkpoint(checkpoint)
        checkpoint[DECODING_KEY] = self.representation.decoding()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore the options of decoding of each stream."""
        super().on_load_checkpoint(checkpoint)
        self.representation.set_decoding(stored_decoding(checkpoint))
