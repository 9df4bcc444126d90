"""Arrays that contain a label map with further axes: of length 1, or gray values stored as colours."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cellbench.errors import InvalidLabelsError

_MOST_CHANNELS = 4
_WITH_ALPHA = (2, 4)


class Plane(NamedTuple):
    """The shape of an array that contains a label map.

    Attributes:
        height: rows in pixels.
        width: columns in pixels.
        channels: 1, or the number of channels of gray values that are stored as colours.
    """

    height: int
    width: int
    channels: int = 1


def find_plane(shape: tuple[int, ...]) -> Plane | None:
    """Find the label map in the shape of an array.

    Args:
        shape: (H, W), also with axes of length 1 before or after, or with two to four channels at the end.

    Returns:
        Its shape; None if the array has another shape.

    Examples:
        >>> find_plane((1, 1, 64, 96)), find_plane((64, 96, 1))
        (Plane(height=64, width=96, channels=1), Plane(height=64, width=96, channels=1))
        >>> find_plane((64, 96, 3)), find_plane((5, 64, 96))
        (Plane(height=64, width=96, channels=3), None)
    """
    while len(shape) > 2 and 1 in (shape[0], shape[-1]):
        shape = shape[1:] if shape[0] == 1 else shape[:-1]
    if len(shape) == 2:
        return Plane(*shape)
    if len(shape) == 3 and 2 <= shape[2] <= _MOST_CHANNELS:
        return Plane(*shape)
    return None


def gray_of_colours(pixels: npt.NDArray[Any], source: object) -> npt.NDArray[Any]:
    """Return the ids of a label map that was stored as gray colours, such as a gray PNG saved as RGB.

    Args:
        pixels: (H, W, C): gray and alpha, RGB or RGBA. Alpha is ignored where it is opaque, and on the
            background.
        source: what the error message names, usually the file.

    Returns:
        (H, W) the first channel.

    Raises:
        InvalidLabelsError: if the channels differ, or a cell is transparent.
    """
    channels = pixels.shape[-1]
    gray, alpha = pixels[..., 0], pixels[..., -1]
    colours = channels - 1 if channels in _WITH_ALPHA else channels
    if any((pixels[..., channel] != gray).any() for channel in range(1, colours)):
        raise InvalidLabelsError(
            f"{source}: the {colours} colour channels differ, so that the colours are not ids; save the "
            "label map with one number per pixel"
        )
    if colours < channels:
        integers = np.issubdtype(alpha.dtype, np.integer)
        opaque = np.iinfo(alpha.dtype).max if integers else 1
        if ((alpha != opaque) & (gray != 0)).any():
            raise InvalidLabelsError(
                f"{source}: has {channels} channels, and some cells are transparent if the last one is "
                "transparency; save the label map with one number per pixel"
            )
    return gray
