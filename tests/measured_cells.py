"""A model from outside whose representation measures two things of each cell that the image shows.

Every cell of its images is a square with a brightness of its own in the first channel, which is the cell's
score, and in the second channel, which is its uncertainty. So each value shows to which cell it belongs.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from torch import nn

from cellbench.labels import LabelMap
from cellbench.models import DenseModel
from cellbench.representations import Representation
from cellbench.representations.base import DecodedCells, NumpyMaps

Image = npt.NDArray[np.float32]
_FAINT = 0.1
_FEWEST = 3  # pixels of a cell


class Shown(Representation):
    """Cells as they are shown, and their largest brightness; ids fall with it, and have gaps."""

    def __init__(self) -> None:
        self.channels = {"shown": 2}

    def encode(self, labels: LabelMap) -> dict[str, npt.NDArray[Any]]:
        return {"shown": np.stack([labels > 0, labels > 0]).astype(np.float32)}

    def activate(self, outputs: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return dict(outputs)

    def decode(self, maps: NumpyMaps) -> LabelMap:
        return self.decode_cells(maps).labels

    def decode_cells(self, maps: NumpyMaps) -> DecodedCells:
        shown = np.asarray(maps["shown"])
        found, count = ndimage.label(shown[0] > _FAINT)
        ids = np.arange(1, count + 1)
        values = np.array([ndimage.maximum(each, found, ids) for each in shown]).reshape(2, -1)
        order = np.argsort(-values[0], kind="stable")
        places = np.concatenate([[0], np.argsort(order) + 1])
        places[1:][np.bincount(found.ravel(), minlength=count + 1)[1:] < _FEWEST] = 0
        score, uncertainty = values[:, order].astype(np.float32)
        return DecodedCells(places[found], {"score": score, "uncertainty": uncertainty})

    def loss(
        self, outputs: Mapping[str, torch.Tensor], targets: Mapping[str, torch.Tensor]
    ) -> torch.Tensor:
        return (outputs["shown"] - targets["shown"]).abs().mean()


class _Channels(nn.Module):
    """The first two channels of an image, times a factor."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"shown": self.factor * image[:, :2]}


class ShownModel(DenseModel):
    """Segments images of :func:`squares`; it knows cells of their size.

    Args:
        factor: factor on the brightness of cells.
        window: side in pixels of the windows in which images are segmented.
        **training: options of every dense model.
    """

    def __init__(self, factor: float = 1.0, window: int = 64, **training: Any) -> None:
        super().__init__(_Channels(factor), Shown(), window, **training)
        self.diameters = (7.0, 9.0, 11.0)
        self.eval()

    def normalise(self, raw: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        return np.asarray(raw, np.uint8)


def squares(rows: int, columns: int, side: int = 8, seed: int = 0) -> Image:
    """Draw a grid of squares of random brightness, (H, W, 3); every seventh is one pixel, no cell."""
    rng = np.random.default_rng(seed)
    levels = rng.permutation(np.linspace(0.3, 1, 2 * rows * columns)).reshape(2, rows, columns)
    square = np.pad(np.ones((side, side)), 4)
    image = np.stack([np.kron(each, square) for each in (*levels, np.zeros_like(levels[0]))], -1)
    for index in range(0, rows * columns, 7):
        row, column = (each * len(square) for each in divmod(index, columns))
        image[row : row + len(square), column : column + len(square)] = 0
        image[row + 6, column + 6] = 1
    return image.astype(np.float32)


def check_measures(cells: DecodedCells, image: Image, count: int, within: float = 1e-5) -> None:
    """Assert that there are ``count`` cells, and that each has the brightness of its pixels."""
    ids = np.arange(1, count + 1)
    assert np.unique(cells.labels[cells.labels > 0]).tolist() == ids.tolist()
    assert [*cells.measures] == ["score", "uncertainty"]
    for channel, values in enumerate(cells.measures.values()):
        assert values.dtype == np.float32
        shown = ndimage.maximum(image[..., channel], cells.labels, ids)
        np.testing.assert_allclose(values, shown, atol=within)
