"""What of a model is exported: the network with its activation. Decoding stays in cellbench."""

from collections.abc import Sequence

import torch
from torch import nn

from cellbench.errors import CheckpointError
from cellbench.inference.ensemble import why_not_dense
from cellbench.models.dense_segmenter import DenseSegmenter
from cellbench.models.segmenter import Segmenter

INPUT = "image"
"""Name of the input of an exported network."""


class ExportedNetwork(nn.Module):
    """The network of a model of dense maps, with its activation, as other programs run it.

    Args:
        model: the model.
        names: names of its maps, in the order of the outputs.
    """

    def __init__(self, model: DenseSegmenter, names: Sequence[str]) -> None:
        super().__init__()
        self.model = model
        self.names = tuple(names)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the activated maps, (B, C, H, W) each.

        Args:
            image: (B, 3, H, W) in [0, 1].
        """
        maps = self.model(image)
        return tuple(maps[name] for name in self.names)


def exported_network(model: Segmenter) -> ExportedNetwork:
    """Return the network of a model for export, on the CPU and in single precision.

    Args:
        model: a loaded model.

    Raises:
        CheckpointError: if the model is not one network that predicts dense maps.
    """
    if not isinstance(model, DenseSegmenter):
        reason = why_not_dense(model) or "chooses one of several networks for each image"
        raise CheckpointError(
            f"{model.model_name()}: {reason}, so it cannot be exported; export a model of one network "
            "that predicts dense maps, such as stardist"
        )
    model.eval().to("cpu")
    with torch.inference_mode():
        names = list(model(torch.zeros(1, 3, 32, 32)))
    return ExportedNetwork(model, names).eval()
