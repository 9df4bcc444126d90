"""What passes between a datamodule and a model: training patches, whole images, and their targets."""

from typing import Any, NotRequired, Protocol, TypedDict, runtime_checkable

import numpy as np
import numpy.typing as npt
import torch

from cellbench.labels import LabelMap

Targets = dict[str, npt.NDArray[Any]]


class Batch(TypedDict):
    """Training patches, as ``InstanceSegmentationModel.collate`` stacks them.

    ``image`` is (B, 3, H, W) in [0, 1]. ``targets`` has what the model's ``targets`` returns for each
    patch; those of a [`DenseModel`][cellbench.models.dense.DenseModel] are (B, C, h, w) for each map, on
    the representation's grid: h is ⌈H / grid⌉. ``ignored`` (B, H, W) is there if some training images have
    pixels from which nothing is learnt, and true at these, see [`cellbench.data.confidence`][].
    """

    image: torch.Tensor
    targets: dict[str, Any]
    ignored: NotRequired[torch.Tensor]


class WholeImage(TypedDict):
    """One image of any size: ``image`` (3, H, W) in [0, 1], ``labels`` (H, W), its stem and modality."""

    image: torch.Tensor
    labels: torch.Tensor
    stem: str
    modality: str


@runtime_checkable
class HasImageTargets(Protocol):
    """A model that also learns something about each image as a whole."""

    def image_targets(self, image: npt.NDArray[np.uint8], labels: LabelMap) -> Targets:
        """Return what the model learns about a whole image; each of its patches gets it too.

        Args:
            image: (H, W, 3), normalised.
            labels: (H, W) label map of the image.
        """


@runtime_checkable
class AddsLoss(Protocol):
    """A callback that adds a loss to that of each training batch."""

    def added_loss(self, model: Any, batch: Batch) -> torch.Tensor | None:  # noqa: ANN401
        """Return the loss that is added, with its gradient; None to add nothing.

        Args:
            model: the model that is trained.
            batch: patches and their targets.
        """


@runtime_checkable
class HasCellDiameters(Protocol):
    """A datamodule that knows how large the cells are that a model learns from."""

    def cell_diameters(self) -> tuple[float, float, float] | None:
        """Return the lower quartile, median and upper quartile of the training images, in pixels.

        The diameter of an image is the median of its cells. None if there is no cell.
        """
