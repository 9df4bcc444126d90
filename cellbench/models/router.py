"""Models that own several models and let one of them segment each image."""

from abc import abstractmethod
from typing import Any

from cellbench.models.batches import WholeImage
from cellbench.models.dense import DecodingModel, DenseModel
from cellbench.models.dense_segmenter import RoutingSegmenter


class Router(RoutingSegmenter, DecodingModel):
    """A model that sends each image to one of several dense models, its streams.

    A subclass implements [`stream`][],
    [`choose`][cellbench.models.dense_segmenter.RoutingSegmenter.choose] and
    [`loss`][cellbench.models.base.InstanceSegmentationModel.loss], and sets ``representation``.
    """

    @abstractmethod
    def stream(self, index: int) -> DenseModel:
        """Return one of the models.

        Args:
            index: its number, from 0.
        """

    def validation_step(self, batch: WholeImage, batch_idx: int) -> dict[str, Any]:
        """Segment and score one image of the tune split; the chosen ``stream`` is returned too."""
        chosen = self.choose(batch["image"])
        prediction = self.stream(chosen).segment_tiled(batch["image"])
        return {**self._score(batch, prediction, "val"), "stream": chosen}
