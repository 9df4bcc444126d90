"""CellF1, the evaluator's F1 as a torchmetrics metric; it needs ``cellbench[train]``."""

from typing import TYPE_CHECKING

from cellbench.lazy import lazy_names

if TYPE_CHECKING:
    from cellbench.training.metric import CellF1

__all__ = ["CellF1"]

__getattr__ = lazy_names(__name__, {"CellF1": "cellbench.training.metric"})
