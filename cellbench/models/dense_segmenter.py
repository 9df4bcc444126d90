"""Segmenters that predict dense maps and decode them, and those that choose one of several such."""

from abc import abstractmethod
from typing import Any

import torch
from torch import nn

from cellbench.errors import UsageError
from cellbench.labels import LabelMap
from cellbench.models.segmenter import DecodingSegmenter
from cellbench.networks.grid import between_grid
from cellbench.networks.windows import predict_in_windows
from cellbench.representations import Representation
from cellbench.representations.base import NumpyMaps
from cellbench.representations.joint import JointRepresentation
from cellbench.training.ranges import check_at_least


class DenseSegmenter(DecodingSegmenter):
    """A network that predicts the dense maps of a representation, window by window.

    Args:
        network: (B, 3, H, W) to one raw output for each map of the representation.
        representation: label map to maps and back.
        window: side in pixels of the windows in which whole images are segmented.
        overlap: share of a window that its neighbour covers too, in [0, 1).
        channels_last: store the network's arrays pixel by pixel; faster for ConvNeXt, slower for
            U-Net.
        **others: options of the other base class of a subclass; none for a segmenter alone.

    Raises:
        UsageError: if a number is out of its range.
    """

    def __init__(
        self,
        network: nn.Module,
        representation: Representation,
        window: int,
        overlap: float,
        channels_last: bool,
        **others: Any,
    ) -> None:
        super().__init__(**others)
        check_at_least(1, "model", window=window)
        if not 0 <= overlap < 1:
            raise UsageError(f"model.overlap {overlap}: must be at least 0 and below 1")
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.network = network.to(memory_format=self.memory_format)
        self.weights_licence = getattr(network, "weights_licence", "")
        self.representation = representation
        self.window = window
        self.overlap = overlap

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Predict activated maps (B, C, H, W) of images (B, 3, H, W)."""
        return self.activated(self.predict_raw(image), image)

    def predict_raw(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Predict the raw outputs of images, on the representation's grid.

        Args:
            image: (B, 3, H, W) in [0, 1].

        Returns:
            (B, C, h, w) for each map; h is ⌈H / grid⌉.
        """
        outputs: dict[str, torch.Tensor] = self.network(
            image.contiguous(memory_format=self.memory_format)
        )
        return outputs

    def activated(
        self, outputs: dict[str, torch.Tensor], image: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Turn raw outputs into activated maps at every pixel.

        Args:
            outputs: (B, C, h, w) for each map.
            image: (B, 3, H, W), what they were predicted from.

        Returns:
            (B, C, H, W) for each map.
        """
        maps = self.representation.activate(outputs)
        return between_grid(maps, self.representation.grid, image.shape[-2:])

    def predict_maps(self, image: torch.Tensor) -> NumpyMaps:
        """Predict the activated maps of one image of any size.

        Args:
            image: (3, H, W) in [0, 1]; it may be in main memory while the network is on a GPU.

        Returns:
            (C, H, W) float32 for each map.
        """
        maps = predict_in_windows(
            self, image, window=self.window, overlap=self.overlap, device=self.device
        )
        return {name: each.cpu().numpy() for name, each in maps.items()}

    def segment(self, image: torch.Tensor) -> LabelMap:
        """Predict the maps of an image and decode them.

        Args:
            image: (3, H, W) in [0, 1].

        Returns:
            (H, W) label map.
        """
        return self.representation.decode(self.predict_maps(image))


class RoutingSegmenter(DecodingSegmenter):
    """A segmenter that sends each image to one of several dense segmenters, its streams.

    Attributes:
        representation: the representations of all streams, side by side and in their order.
    """

    representation: JointRepresentation

    @abstractmethod
    def stream(self, index: int) -> DenseSegmenter:
        """Return one of the segmenters.

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
