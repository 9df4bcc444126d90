"""An image file whose header is read and whose pixels are not: what every decoder returns."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cellbench.errors import ImageError
from cellbench.files import max_pixels
from cellbench.images.orientation import UPRIGHT, is_sideways, oriented

Pixels = npt.NDArray[Any]

_EXPORT = "export the image that you need as OME-TIFF, PNG or TIFF"


class OpenedImage(NamedTuple):
    """An image file that is open, and the function that decodes it.

    Attributes:
        path: the file.
        shape: (height, width) or (height, width, channels) as stored.
        decode: returns the pixels, (H, W) or (H, W, C), and the place of the alpha channel or None. It
            is called after the size has been checked.
        orientation: value of the tag Orientation; see [`cellbench.images.orientation`][].
    """

    path: Path
    shape: tuple[int, ...]
    decode: Callable[[], tuple[Pixels, int | None]]
    orientation: int = UPRIGHT

    def size(self) -> tuple[int, int]:
        """Return height and width of the upright image in pixels."""
        height, width = int(self.shape[0]), int(self.shape[1])
        return (width, height) if is_sideways(self.orientation) else (height, width)

    def pixels(self) -> tuple[Pixels, int | None]:
        """Decode the image and turn it upright.

        Returns:
            (H, W) or (H, W, C), and the place of the alpha channel or None.

        Raises:
            ImageError: if the image is larger than [`cellbench.files.max_pixels`][], has no pixels or is
                damaged.
        """
        check_size(self.path, *self.shape)
        array, alpha = self.decode()
        if array.shape[:2] != self.shape[:2]:
            raise ImageError(
                f"{self.path}: is damaged, its header and its pixels differ in size; copy or save it again"
            )
        if self.orientation != UPRIGHT:
            array = np.ascontiguousarray(oriented(array, self.orientation))
        return array, alpha


def check_size(path: Path, height: int, width: int, channels: int = 1) -> None:
    """Check the size in a header before the pixels are decoded.

    Args:
        path: the file that error messages name.
        height: rows in pixels.
        width: columns in pixels.
        channels: number of channels.

    Raises:
        ImageError: if the image has no pixels or is larger than [`cellbench.files.max_pixels`][].
    """
    if height * width * channels == 0:
        raise ImageError(f"{path}: has no pixels; copy or save it again")
    # Only channels beyond four count, so that the limit is the same for every format.
    if height * width * max(1, channels / 4) > max_pixels():
        size = f"{height} × {width} px in {channels} channels"
        raise ImageError(
            f"{path}: its header declares {size}, more than the limit of {max_pixels()} px; if this is "
            "correct, set the environment variable CELLBENCH_MAX_PIXELS"
        )


def single_plane(path: Path, axes: Sequence[str], shape: Sequence[int]) -> list[int]:
    """Return the axes of the only plane of a microscope's file: rows, columns and, if any, channels.

    Args:
        path: the file that error messages name.
        axes: name of each axis: Y, X, C for channels, S or 0 for the samples of a colour, and others,
            such as Z or T.
        shape: length of each axis.

    Returns:
        Positions in ``axes``, of rows, columns, and of channels if there are several.

    Raises:
        ImageError: if another axis, or more than one axis of channels, is longer than 1.
    """
    found = {name: place for place, name in enumerate(axes) if shape[place] != 1 or name in "YX"}
    channels = [found.pop(name) for name in ("C", "S", "0") if name in found]
    if {*found} != {"Y", "X"} or len(channels) > 1:
        long = ", ".join(
            f"{name} {size}" for name, size in zip(axes, shape, strict=True) if size != 1
        )
        raise ImageError(f"{path}: contains more than one image (sizes: {long}); {_EXPORT}")
    return [found["Y"], found["X"], *channels]


def arranged(array: Pixels, order: Sequence[int]) -> Pixels:
    """Return an array with its axes in the given order and all others, of length 1, removed.

    Args:
        array: pixels as stored.
        order: positions of rows, columns and, if any, channels.

    Returns:
        (H, W) or (H, W, C).
    """
    others = [axis for axis in range(array.ndim) if axis not in order]
    return array.transpose(*order, *others).reshape([array.shape[axis] for axis in order])
