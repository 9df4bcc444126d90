"""Models: trainable methods that segment an image into a label map. One file for each model."""

from typing import TYPE_CHECKING

from cellbench.lazy import lazy_names
from cellbench.models.registry import list_models, model_class

if TYPE_CHECKING:
    from cellbench.models.base import InstanceSegmentationModel
    from cellbench.models.dense import DenseModel
    from cellbench.models.router import Router

__all__ = ["DenseModel", "InstanceSegmentationModel", "Router", "list_models", "model_class"]

# The classes need PyTorch and Lightning; listing the names of models does not.
__getattr__ = lazy_names(
    __name__,
    {
        "DenseModel": "cellbench.models.dense",
        "InstanceSegmentationModel": "cellbench.models.base",
        "Router": "cellbench.models.router",
    },
)
