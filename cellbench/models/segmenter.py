"""What every model does after training: normalise and segment an image of any size."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from cellbench.images import normalise
from cellbench.inference.tiles import segment_in_tiles
from cellbench.labels import LabelMap
from cellbench.models.checkpoint_keys import (
    DIAMETERS_KEY,
    LICENCE_KEY,
    TUNED_DIAMETERS_KEY,
    stored_decoding,
)
from cellbench.representations import Representation


class Segmenter(nn.Module, ABC):
    """Anything that segments an image into a label map; [`segment`][] says how.

    Attributes:
        weights_licence: licence of the pretrained weights that training started from; empty where it
            started from random weights.
        diameters: lower quartile, median and upper quartile over the training images of the median
            diameter of their cells, in pixels; where training did not store them, over the images that
            the model was tuned with. None where they are not known.
    """

    weights_licence: str = ""
    diameters: tuple[float, float, float] | None = None

    @abstractmethod
    def model_name(self) -> str:
        """Return the name of one of cellbench's own models, or the class path of another."""

    @abstractmethod
    def segment(self, image: torch.Tensor) -> LabelMap:
        """Segment one image; a whole slide is cut into tiles before.

        Args:
            image: (3, H, W) in [0, 1]; it may be in main memory while the model is on a GPU. Sides
                are at most 5512 px.

        Returns:
            (H, W) label map.
        """

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return next(self.parameters()).device

    def normalise(self, raw: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        """Turn the pixels of an image file into what the model sees, in training and afterwards.

        The default is the challenge's normalisation, [`cellbench.images.normalise`][]. A model with
        another one overrides this method. It belongs to the model, and not to the data, so that a
        checkpoint can never be used with another normalisation than it was trained with. The result
        must depend on ``raw`` and the model's options alone, because training keeps decoded images on
        disk.

        Args:
            raw: (H, W, C) pixels, as [`cellbench.images.read_raw`][] returns them.

        Returns:
            (H, W, 3) pixels; the network gets them divided by 255.
        """
        return normalise(raw)

    def segment_tiled(self, image: torch.Tensor) -> LabelMap:
        """Segment one image of any size, a large one tile by tile.

        Args:
            image: (3, H, W) in [0, 1].

        Returns:
            (H, W) label map, ids 1 … N.
        """

        def segment(tile: torch.Tensor) -> LabelMap:
            return self.segment(tile.permute(2, 0, 1))

        return segment_in_tiles(segment, image.permute(1, 2, 0))

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take over what a checkpoint stores besides weights and options.

        These are the licence of the pretrained weights and the diameters of the cells in training.

        Args:
            checkpoint: the content of a checkpoint file.

        Raises:
            ValueError: if the licence is not a text, or no cells have these diameters.
        """
        self.weights_licence = checkpoint.get(LICENCE_KEY, self.weights_licence)
        if not isinstance(self.weights_licence, str):
            raise ValueError(f"the licence of the pretrained weights is {self.weights_licence!r}")
        if stored := checkpoint.get(DIAMETERS_KEY) or checkpoint.get(TUNED_DIAMETERS_KEY):
            lower, median, upper = (float(each) for each in stored)
            if not 0 < lower <= median <= upper < float("inf"):
                raise ValueError(f"diameters of cells are {lower}, {median} and {upper} pixels")
            self.diameters = (lower, median, upper)


class DecodingSegmenter(Segmenter):
    """A segmenter that decodes the maps of a representation.

    Attributes:
        representation: label map to maps and back, with the loss; a subclass sets it.
    """

    representation: Representation

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take over also the options of decoding; a checkpoint without them keeps the model's own.

        Args:
            checkpoint: the content of a checkpoint file.
        """
        super().on_load_checkpoint(checkpoint)
        self.representation.set_decoding(stored_decoding(checkpoint))
