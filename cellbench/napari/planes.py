"""The pixels of an image layer, as the rest of cellbench knows images: planes of (H, W, C)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from cellbench.errors import ImageError
from cellbench.images.pixel_size import PixelSize

Axes = Literal["auto", "channels", "planes"]
"""What the axes before height and width are: the channels of one image, or separate planes."""

_MOST_CHANNELS = 5
_MICROMETRES = {"micrometer": 1.0, "nanometer": 1e-3, "millimeter": 1e3}


@dataclass(frozen=True)
class Planes:
    """An image, or a stack of images that are independent of each other.

    Attributes:
        data: the array of the layer.
        rgb: whether the last axis is red, green, blue and possibly alpha.
        channels_first: whether the first axis is the channels.
    """

    data: Any
    rgb: bool
    channels_first: bool

    @property
    def stack(self) -> tuple[int, ...]:
        """Lengths of the axes of the stack; empty if there is only one plane."""
        sides = self.data.ndim - 2 - self.rgb
        return () if self.channels_first else tuple(self.data.shape[:sides])

    @property
    def sides(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.data.shape[:-1][-2:] if self.rgb else self.data.shape[-2:]
        return int(height), int(width)

    def __len__(self) -> int:
        return int(np.prod(self.stack, dtype=int))

    def __iter__(self) -> Iterator[npt.NDArray[Any]]:
        """Yield the pixels of each plane, (H, W, C) without alpha."""
        for place in np.ndindex(*self.stack):
            plane = np.asarray(self.data[place])
            if self.rgb:
                yield plane[..., :3]
            else:
                yield np.moveaxis(plane, 0, -1) if self.channels_first else plane[..., None]

    def describe(self) -> str:
        """Return the size in words, such as ``2 channels of 512 × 512 pixels``."""
        height, width = self.sides
        size = f"{height} × {width} pixels"
        if self.channels_first:
            return f"{self.data.shape[0]} channels of {size}"
        return f"{len(self)} planes of {size}" if self.stack else size


def layer_planes(data: object, *, rgb: bool = False, axes: Axes = "auto") -> Planes:
    """Return the planes of an image layer.

    Args:
        data: (…, H, W), or (…, H, W, 3 or 4) if ``rgb``: an array of NumPy, Dask or Zarr, or a list of
            such arrays for a pyramid, of which the full resolution is used.
        rgb: whether the last axis is red, green, blue and possibly alpha.
        axes: what the axes before height and width are. ``auto``: a single axis of at most five is the
            channels, anything else is planes.

    Returns:
        The planes; no pixels are read yet.

    Raises:
        ImageError: if the array has no height and width, no pixels, or values that are not numbers, or
            if several axes are said to be channels.
    """
    array: Any = data[0] if isinstance(data, Sequence) else data
    before = array.ndim - 2 - rgb
    if before < 0 or not all(array.shape):
        raise ImageError(
            f"the image has the shape {tuple(array.shape)}; choose one with height and width"
        )
    if np.dtype(array.dtype).kind not in "buif":
        raise ImageError(
            f"the image has values of type {array.dtype}; convert it to integers or floats"
        )
    few = before == 1 and not rgb and array.shape[0] <= _MOST_CHANNELS
    if axes == "channels" and (before > 1 or (rgb and before)):
        raise ImageError(
            f"the image has {before} further axes, and only one can be the channels; choose planes"
        )
    chosen = (axes == "channels" and before == 1) or (axes == "auto" and few)
    return Planes(array, rgb, chosen)


def layer_pixel_size(scale: Sequence[float], units: Sequence[object]) -> PixelSize | None:
    """Return the size of the pixels of a layer.

    Args:
        scale: distance between two neighbours along each axis; rows and columns last.
        units: the unit of each axis, such as ``micrometer``.

    Returns:
        The size in micrometres; None if the units are not lengths, such as the ``pixel`` of layers whose
        file states no size.

    Examples:
        >>> layer_pixel_size([1, 0.5, 0.25], ["pixel", "micrometer", "micrometer"])
        PixelSize(x_um=0.25, y_um=0.5, on_sample=True)
    """
    factors = [_MICROMETRES.get(str(each)) for each in units[-2:]]
    if len(factors) < 2 or None in factors:
        return None
    y_um, x_um = (
        abs(float(side)) * float(factor or 0)
        for side, factor in zip(scale[-2:], factors, strict=True)
    )
    return PixelSize(x_um, y_um) if x_um and y_um else None
