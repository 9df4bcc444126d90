"""Models: trainable methods that segment an image into a label map. One file for each model."""

from typing import TYPE_CHECKING

from cellbench.lazy import lazy_names
from cellbench.models.registry import list_models, model_class

if TYPE_CHECKING:
    from cellbench.models.base import InstanceSegmentationModel
    from cellbench.models.dense import DenseModel
    from cellbench.models.dense_segmenter import DenseSegmenter
    from cellbench.models.router import Router
    from cellbench.models.segmenter import Segmenter

__all__ = [
    "DenseModel",
    "DenseSegmenter",
    "InstanceSegmentationModel",
    "Router",
    "Segmenter",
    "list_models",
    "model_class",
]

# The classes need PyTorch, and those that can be trained Lightning; listing the names of models does not.
__getattr__ = lazy_names(
    __name__,
    {
        "DenseModel": "cellbench.models.dense",
        "DenseSegmenter": "cellbench.models.dense_segmenter",
        "InstanceSegmentationModel": "cellbench.models.base",
        "Router": "cellbench.models.router",
        "Segmenter": "cellbench.models.segmenter",
    },
)
