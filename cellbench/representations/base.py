"""What every representation does."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from cellbench.labels import LabelMap

if TYPE_CHECKING:
    import torch

NumpyMaps = Mapping[str, npt.NDArray[Any]]


class Representation(ABC):
    """A label map as named dense maps that a network can learn.

    Attributes:
        channels: channels of each map, by name, in the order in which a network gives them.
    """

    channels: Mapping[str, int]

    @abstractmethod
    def encode(self, labels: LabelMap) -> dict[str, npt.NDArray[Any]]:
        """Turn a label map (H, W) into training targets, (C, H, W) for each map."""

    @abstractmethod
    def activate(self, outputs: "Mapping[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
        """Turn the network's raw outputs into maps of the range that :meth:`encode` gives."""

    @abstractmethod
    def decode(self, maps: NumpyMaps) -> LabelMap:
        """Turn maps (C, H, W), encoded or predicted and activated, into a label map (H, W)."""

    @abstractmethod
    def loss(
        self, outputs: "Mapping[str, torch.Tensor]", targets: "Mapping[str, torch.Tensor]"
    ) -> "torch.Tensor":
        """Give the loss of raw outputs against targets, both (B, C, H, W) for each map."""
