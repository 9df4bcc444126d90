"""The evaluator's F1 inside a training loop."""

import torch
from torchmetrics import Metric

from cellbench.evaluation.scoring import score_image
from cellbench.labels import LabelMap


class CellF1(Metric):
    """Mean F1 over images, by the evaluator's own :func:`~cellbench.evaluation.score_image`.

    Args:
        threshold: the IoU from which a pair matches.
        protocol: the name of the scoring rules.
    """

    full_state_update = False
    higher_is_better = True
    total: torch.Tensor
    images: torch.Tensor

    def __init__(self, threshold: float = 0.5, protocol: str = "neurips22") -> None:
        super().__init__()
        self.threshold = threshold
        self.protocol = protocol
        self.add_state("total", torch.tensor(0.0, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("images", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, prediction: LabelMap, truth: LabelMap) -> None:
        """Add one image.

        Args:
            prediction: (H, W) integers.
            truth: (H, W) integers, same shape.
        """
        scores = score_image(
            truth, prediction, protocol=self.protocol, thresholds=(self.threshold,)
        )
        self.total += scores[0].f1
        self.images += 1

    def compute(self) -> torch.Tensor:
        """Give the mean F1; 0 where no image was added."""
        return (self.total / self.images.clamp(min=1)).float()
