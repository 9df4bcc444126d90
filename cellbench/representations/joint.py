"""Several representations side by side, for models with several networks."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cellbench.labels import LabelMap
from cellbench.representations.base import DecodedCells, NumpyMaps, Representation
from cellbench.representations.decoded import decoded_cells

if TYPE_CHECKING:
    import torch


class JointRepresentation(Representation):
    """The maps of several representations together; the names of maps of different kinds differ.

    Each representation keeps its own options of decoding; here their names begin with its number, such
    as ``0.probability_threshold``.

    Args:
        parts: the representations; those of the same kind have the same maps.
    """

    def __init__(self, parts: Sequence[Representation]) -> None:
        self._parts = list(parts)
        kinds: dict[type[Representation], Representation] = {}
        for part in self._parts:
            kinds.setdefault(type(part), part)
        self._kinds = list(kinds.values())
        self.channels = {
            name: channels for kind in self._kinds for name, channels in kind.channels.items()
        }

    def encode(self, labels: LabelMap) -> dict[str, npt.NDArray[Any]]:
        """Return the maps of every kind of representation.

        Args:
            labels: (H, W) label map.
        """
        return {name: each for kind in self._kinds for name, each in kind.encode(labels).items()}

    def targets(self, labels: LabelMap) -> dict[str, npt.NDArray[Any]]:
        """Return the targets of every kind, each on its own grid.

        Args:
            labels: (H, W) label map.
        """
        return {name: each for kind in self._kinds for name, each in kind.targets(labels).items()}

    def activate(self, outputs: "Mapping[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
        """Turn raw outputs into maps, kind by kind.

        Args:
            outputs: (B, C, h, w) for each map.
        """
        return {name: each for kind in self._kinds for name, each in kind.activate(outputs).items()}

    def decode(self, maps: NumpyMaps) -> LabelMap:
        """Decode with the first part whose maps are all there.

        Args:
            maps: (C, H, W) for each map of one kind.
        """
        return self.decode_cells(maps).labels

    def decode_cells(self, maps: NumpyMaps) -> DecodedCells:
        """Decode with the first part whose maps are all there, and with the measures of that part.

        Args:
            maps: as for [`decode`][].
        """
        return decoded_cells(self._part_of(maps), maps)

    def _part_of(self, maps: NumpyMaps) -> Representation:
        return next(each for each in self._parts if each.channels.keys() <= maps.keys())

    def foreground(self, maps: NumpyMaps) -> npt.NDArray[np.float32]:
        """Return the foreground of the first part whose maps are all there.

        Args:
            maps: as for [`decode`][].
        """
        return self._part_of(maps).foreground(maps)

    def loss(
        self, outputs: "Mapping[str, torch.Tensor]", targets: "Mapping[str, torch.Tensor]"
    ) -> "torch.Tensor":
        """Return the sum of the losses of every kind.

        Args:
            outputs: raw outputs, (B, C, h, w) for each map.
            targets: targets of the same shapes.
        """
        first, *others = (kind.loss(outputs, targets) for kind in self._kinds)
        return sum(others, first)

    def turn_back(
        self, maps: NumpyMaps, quarter_turns: int, flipped: bool
    ) -> dict[str, npt.NDArray[Any]]:
        """Rotate maps back, see the base class, kind by kind.

        Args:
            maps: (C, H, W) for each map.
            quarter_turns: number of quarter turns of the image.
            flipped: whether the image was flipped before it was rotated.
        """
        turned: dict[str, npt.NDArray[Any]] = {}
        for kind in self._kinds:
            of_kind = {name: each for name, each in maps.items() if name in kind.channels}
            turned |= kind.turn_back(of_kind, quarter_turns, flipped)
        return turned

    def fixed(self) -> dict[str, Any]:
        """Return the options and the kind of every part, named by the number of the part."""
        return {
            f"{index}.{name}": value
            for index, part in enumerate(self._parts)
            for name, value in {"kind": type(part).__name__, **part.fixed()}.items()
        }

    def decoding(self) -> dict[str, float]:
        """Return the present options of decoding of every part, named by the number of the part."""
        return {
            f"{index}.{name}": value
            for index, part in enumerate(self._parts)
            for name, value in part.decoding().items()
        }

    def set_decoding(self, options: Mapping[str, float]) -> None:
        """Set options of decoding.

        Args:
            options: values by the number of the part and the name, such as ``0.nms_threshold``.

        Raises:
            UsageError: if an option does not exist, or its value is not a number.
        """
        known = self.decoding()
        super().set_decoding({name: each for name, each in options.items() if name not in known})
        for name, value in options.items():
            index, _, option = name.partition(".")
            self._parts[int(index)].set_decoding({option: value})
