"""The base class of all representations."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from cellbench.errors import UsageError
from cellbench.labels import LabelMap
from cellbench.representations.options import Allowed, Numbers, checked

if TYPE_CHECKING:
    import torch

NumpyMaps = Mapping[str, npt.NDArray[Any]]


class DecodedCells(NamedTuple):
    """A label map, and what its decoding found out about each cell.

    Attributes:
        labels: (H, W) label map, ids 1 … N.
        measures: (N,) values by name, such as ``score``; those of cell 1 first. Empty for a representation
            that decodes nothing but the label map.
    """

    labels: LabelMap
    measures: Mapping[str, npt.NDArray[np.float32]]


class Representation(ABC):
    """A way to write a label map as named dense maps that a network can learn.

    Attributes:
        channels: number of channels of each map, by name, in the order of the network's outputs.
        grid: a network predicts the maps at pixels whose row and column are divisible by it; between
            them they are interpolated.
        TUNED: the options of decoding that `cellbench tune` fits, with the values that it tries. Each
            is an attribute of the same name.
        OPTIONS: what each argument of the constructor allows. A value is checked whenever the attribute
            of the same name is set, so constructors and [`set_decoding`][] follow the same rule.
    """

    TUNED: ClassVar[Mapping[str, Sequence[float]]] = {}
    OPTIONS: ClassVar[Mapping[str, Allowed]] = {}

    channels: Mapping[str, int]
    grid: int = 1

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute; one of ``OPTIONS`` only to a value that it allows.

        Args:
            name: the attribute.
            value: its new value.

        Raises:
            UsageError: if the option does not allow the value.
        """
        super().__setattr__(
            name, checked(name, value, self.OPTIONS) if name in self.OPTIONS else value
        )

    @abstractmethod
    def encode(self, labels: LabelMap) -> dict[str, npt.NDArray[Any]]:
        """Turn a label map into dense maps.

        Args:
            labels: (H, W) label map.

        Returns:
            (C, H, W) for each map.
        """

    def targets(self, labels: LabelMap) -> dict[str, npt.NDArray[Any]]:
        """Return the encoded maps at the pixels where the network predicts them.

        Args:
            labels: (H, W) label map.

        Returns:
            (C, ⌈H / grid⌉, ⌈W / grid⌉) for each map.
        """
        return {
            name: each[:, :: self.grid, :: self.grid] for name, each in self.encode(labels).items()
        }

    @abstractmethod
    def activate(self, outputs: "Mapping[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
        """Turn the raw outputs of a network into maps with the range of values of [`encode`][].

        Args:
            outputs: (B, C, h, w) for each map.

        Returns:
            The same shapes.
        """

    @abstractmethod
    def decode(self, maps: NumpyMaps) -> LabelMap:
        """Turn dense maps into a label map.

        Args:
            maps: (C, H, W) for each map, as [`encode`][] returns them, or predicted and activated.

        Returns:
            (H, W) label map.
        """

    def decode_cells(self, maps: NumpyMaps) -> DecodedCells:
        """Turn dense maps into a label map with measures of each cell; by default there are none.

        Args:
            maps: as for [`decode`][].
        """
        return DecodedCells(self.decode(maps), {})

    def foreground(self, maps: NumpyMaps) -> npt.NDArray[np.float32]:  # noqa: ARG002
        """Return how probable it is that each pixel belongs to a cell, (H, W) from 0 to 1.

        Learning from images without label maps needs it, see
        [`cellbench.representations.sure_cells`][]. Where the maps have no such probability, the result
        is a value that is near 0 where background is predicted clearly, and near 1 inside of cells.

        Args:
            maps: as for [`decode`][].

        Raises:
            UsageError: if the representation does not define it.
        """
        raise UsageError(
            f"{type(self).__name__}: does not define the method foreground, which says how probable a cell "
            "is at each pixel; learning from images without label maps needs it"
        )

    @abstractmethod
    def loss(
        self, outputs: "Mapping[str, torch.Tensor]", targets: "Mapping[str, torch.Tensor]"
    ) -> "torch.Tensor":
        """Return the training loss.

        Args:
            outputs: raw outputs of the network, (B, C, h, w) for each map.
            targets: what [`targets`][] returns, as a batch of the same shapes.

        Returns:
            A scalar.
        """

    def fixed(self) -> dict[str, Any]:
        """Return the options that determine the maps: all that `cellbench tune` does not fit."""
        return {
            name: value
            for name, value in vars(self).items()
            if not name.startswith("_") and name not in self.TUNED
        }

    def decoding(self) -> dict[str, float]:
        """Return the present values of the options in ``TUNED``."""
        return {name: getattr(self, name) for name in self.TUNED}

    def set_decoding(self, options: Mapping[str, float]) -> None:
        """Set options of decoding.

        Args:
            options: values by name; the names are those in ``TUNED``.

        Raises:
            UsageError: if an option does not exist, or does not allow its value; then none is changed.
        """
        allowed = {name: Numbers() for name in self.TUNED} | dict(self.OPTIONS)
        for name in options:
            if name not in self.TUNED:
                raise UsageError(f"{name}: {type(self).__name__} has no such option of decoding")
        values = {name: checked(name, value, allowed) for name, value in options.items()}
        for name, value in values.items():
            setattr(self, name, value)

    def turn_back(
        self, maps: NumpyMaps, quarter_turns: int, flipped: bool
    ) -> dict[str, npt.NDArray[Any]]:
        """Rotate and flip the maps of a rotated image back to the orientation of the original image.

        The rotated image is ``rot90(image, quarter_turns, (-2, -1))``, after the image was flipped left
        to right where ``flipped`` is true. A representation whose values are directions corrects these
        too.

        Args:
            maps: (C, H, W) for each map.
            quarter_turns: number of quarter turns of the image.
            flipped: whether the image was flipped before it was rotated.
        """
        turned = {
            name: np.rot90(each, -quarter_turns, axes=(-2, -1)) for name, each in maps.items()
        }
        return {name: each[..., ::-1] if flipped else each for name, each in turned.items()}
