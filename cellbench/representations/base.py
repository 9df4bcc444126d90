"""What every representation does."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from cellbench.errors import UsageError
from cellbench.labels import LabelMap

if TYPE_CHECKING:
    import torch

NumpyMaps = Mapping[str, npt.NDArray[Any]]


class Representation(ABC):
    """A label map as named dense maps that a network can learn.

    Attributes:
        channels: channels of each map, by name, in the order in which a network gives them.
        grid: a network gives the maps at pixels with row and column divisible by it; between them
            they are interpolated.
        TUNED: options of decoding that `cellbench tune` fits, each an attribute of that name, with
            the values that it tries.
    """

    TUNED: ClassVar[Mapping[str, Sequence[float]]] = {}

    channels: Mapping[str, int]
    grid: int = 1

    @abstractmethod
    def encode(self, labels: LabelMap) -> dict[str, npt.NDArray[Any]]:
        """Turn a label map (H, W) into maps (C, H, W)."""

    def targets(self, labels: LabelMap) -> dict[str, npt.NDArray[Any]]:
        """Give the encoded maps where the network gives its own: (C, ⌈H / grid⌉, ⌈W / grid⌉)."""
        return {
            name: each[:, :: self.grid, :: self.grid] for name, each in self.encode(labels).items()
        }

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
        """Give the loss of raw outputs against :meth:`targets`, both (B, C, h, w) for each map."""

    def fixed(self) -> dict[str, Any]:
        """Give the options that shape the maps: all that `cellbench tune` does not fit."""
        return {
            name: value
            for name, value in vars(self).items()
            if not name.startswith("_") and name not in self.TUNED
        }

    def decoding(self) -> dict[str, float]:
        """Give the present values of the options in ``TUNED``."""
        return {name: getattr(self, name) for name in self.TUNED}

    def set_decoding(self, options: Mapping[str, float]) -> None:
        """Set options in ``TUNED``.

        Raises:
            UsageError: if an option is not among them, or not a number.
        """
        for name, value in options.items():
            if name not in self.TUNED or not isinstance(value, int | float):
                raise UsageError(
                    f"{name}={value!r}: {type(self).__name__} decodes by no such option"
                )
            setattr(self, name, value)

    def turn_back(
        self, maps: NumpyMaps, quarter_turns: int, flipped: bool
    ) -> dict[str, npt.NDArray[Any]]:
        """Turn the maps of a turned image back, so that they are those of the image as it was.

        The image was flipped left to right first, where it was flipped, and then turned by
        ``rot90(image, quarter_turns, (-2, -1))``. A representation whose channels are directions puts
        those right too.

        Args:
            maps: (C, H, W) for each map.
            quarter_turns: how often the image was turned.
            flipped: whether it was flipped before that.
        """
        turned = {
            name: np.rot90(each, -quarter_turns, axes=(-2, -1)) for name, each in maps.items()
        }
        return {name: each[..., ::-1] if flipped else each for name, each in turned.items()}
