"""The evaluator's F1 as a metric of a training loop."""

import numpy as np
import torch
from torchmetrics import Metric

from cellbench.evaluation.matching import check_threshold
from cellbench.evaluation.protocols import get_protocol
from cellbench.evaluation.scoring import score_image
from cellbench.labels.maps import LabelMap


class CellF1(Metric):
    """Mean F1 over images, by the evaluator's own [`score_image`][cellbench.evaluation.score_image].

    Every image has the same weight, also in a distributed run. Only two numbers are kept and exchanged
    between processes.

    Args:
        threshold: smallest IoU at which a predicted and a true cell match.
        protocol: name of the scoring rules.

    Raises:
        UsageError: if the protocol is not known or the threshold is outside (0, 1].

    Examples:
        >>> cells = torch.zeros(9, 9, dtype=torch.int32)
        >>> cells[3:6, 3:6] = 1
        >>> f1 = CellF1()
        >>> f1(prediction=cells * 7, truth=cells), f1(prediction=cells * 0, truth=cells)
        (tensor(1.), tensor(0.))
        >>> f1.compute()
        tensor(0.5000)
    """

    full_state_update = False
    higher_is_better = True
    is_differentiable = False
    total: torch.Tensor
    images: torch.Tensor

    def __init__(self, threshold: float = 0.5, protocol: str = "neurips22") -> None:
        super().__init__()
        check_threshold(threshold)
        self.threshold = threshold
        self.protocol = get_protocol(protocol).name
        # Single precision: Apple's GPUs have no other.
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("images", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, prediction: LabelMap | torch.Tensor, truth: LabelMap | torch.Tensor) -> None:
        """Add one image.

        Args:
            prediction: (H, W) integers, an array or a tensor on any device.
            truth: the same shape.

        Raises:
            LabelMapError: if the shapes differ or one is not a label map.
        """
        scores = score_image(
            _as_array(truth),
            _as_array(prediction),
            protocol=self.protocol,
            thresholds=(self.threshold,),
        )
        self.total += scores[0].f1
        self.images += 1

    def compute(self) -> torch.Tensor:
        """Return the mean F1 of the images of all processes; 0 if no image was added."""
        return self.total / self.images.clamp(min=1)


def _as_array(labels: LabelMap | torch.Tensor) -> LabelMap:
    return labels.numpy(force=True) if isinstance(labels, torch.Tensor) else np.asarray(labels)
