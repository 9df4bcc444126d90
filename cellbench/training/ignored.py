"""Pixels from which nothing is learnt: how they move with a label map through any augmentation."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cellbench.data.folder import DatasetImage
from cellbench.errors import UsageError
from cellbench.labels import LabelMap
from cellbench.models.dense import DenseModel

Mask = npt.NDArray[np.bool_]


def pack(labels: LabelMap, ignored: Mask | None) -> LabelMap:
    """Write a mask into a label map, so that both move in the same way when the label map is changed.

    An augmentation gets a label map and returns one. In the packed label map, the ignored pixels of a cell
    have an id of their own, and so have those of the background.

    Args:
        labels: (H, W) label map, int32.
        ignored: (H, W) mask; None changes nothing.

    Returns:
        (H, W) int32.

    Examples:
        >>> pack(np.array([[0, 0, 3, 3]], np.int32), np.array([[False, True, False, True]])).tolist()
        [[0, 1, 6, 7]]
    """
    return labels if ignored is None else labels * 2 + ignored


def unpack(packed: LabelMap, ignored: Mask | None) -> tuple[LabelMap, Mask | None]:
    """Return the label map and the mask that [`pack`][] put together.

    Args:
        packed: (H, W) label map, changed in any way that does not change its ids.
        ignored: what was packed: a mask, or None.

    Examples:
        >>> unpack(np.array([[7, 6, 1, 0]]), np.array([[False]]))[0].tolist()
        [[3, 3, 0, 0]]
    """
    return (packed, None) if ignored is None else (packed // 2, packed % 2 == 1)


def check_ignored(items: Sequence[DatasetImage], model: object) -> None:
    """Check that a model can ignore pixels, if there are training images with pixels to ignore.

    Args:
        items: the training images.
        model: the model that is trained.

    Raises:
        UsageError: if it cannot.
    """
    first = next((item for item in items if item.confidence is not None), None)
    if first is not None and not isinstance(model, DenseModel):
        raise UsageError(
            f"{first.confidence}: {type(model).__name__} does not predict the maps of one representation, "
            "so it cannot ignore pixels of pseudo-labels; choose another model"
        )
