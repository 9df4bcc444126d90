"""Models: trainable methods that segment an image into a label map. One file for each model.

There are two classes for each kind of model. The first is a plain PyTorch module that segments images,
and all that [`cellbench.inference`][] needs. The second derives from the first and from Lightning's
module, and adds training. To add a model, derive from the second.

| kind of model | for inference | for training |
|---|---|---|
| any | `Segmenter` | `InstanceSegmentationModel` |
| predicts dense maps | `DenseSegmenter` | `DenseModel` |
| sends each image to a dense model | `RoutingSegmenter` | `Router` |

Importing Lightning takes longer than segmenting an image. Therefore [`cellbench.inference.load_model`][]
does not import the class of one of cellbench's own models of dense maps. It makes the same network and
representation, see [`cellbench.models.parts`][], and puts them into a
[`OwnSegmenter`][cellbench.models.own_segmenter.OwnSegmenter]. All other models are loaded as their class.
"""

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
