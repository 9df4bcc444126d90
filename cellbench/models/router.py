"""Models that own several models and let one of them segment each image."""

from abc import abstractmethod
from typing import Any

import torch

from cellbench.labels import LabelMap
from cellbench.models.batches import WholeImage
from cellbench.models.dense import DecodingModel, DenseModel
from cellbench.representations.joint import JointRepresentation


class Router(DecodingModel):
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
