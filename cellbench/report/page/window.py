"""The window of an image that the gallery shows, in full resolution, where most errors are."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

from cellbench.images import normalise

SIDE = 512
"""Largest side of a window in pixels."""

_STEP = 32  # pixels by which the window is moved
_QUALITY = 72  # WebP quality: faint artefacts do not matter below the outlines

Places = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Window:
    """A part of an image.

    Attributes:
        top: first row.
        left: first column.
        height: height in pixels.
        width: width in pixels.
    """

    top: int
    left: int
    height: int
    width: int

    def cut(self, pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the part of an image that is in the window.

        Args:
            pixels: (H, W) or (H, W, C).
        """
        return pixels[self.top : self.top + self.height, self.left : self.left + self.width]


def choose_window(shape: tuple[int, int], errors: Sequence[Places]) -> Window:
    """Choose the window with the most errors; of several, the one nearest to the top left.

    Args:
        shape: (H, W) of the image.
        errors: any number of (N, 2) arrays: rows and columns of the centres of incorrect cells.
            Without any, the window is in the middle of the image.

    Examples:
        >>> choose_window((2000, 300), [np.array([[1500.0, 10.0]])])
        Window(top=992, left=0, height=512, width=300)
    """
    height, width = min(shape[0], SIDE), min(shape[1], SIDE)
    places = np.concatenate([np.empty((0, 2)), *errors])
    if not len(places):
        return Window((shape[0] - height) // 2, (shape[1] - width) // 2, height, width)
    counts = np.zeros([-(-side // _STEP) for side in shape])
    np.add.at(counts, tuple((places // _STEP).astype(int).T), 1)
    across = [min(SIDE // _STEP, size) for size in counts.shape]
    inside = sliding_window_view(counts, across).sum(axis=(2, 3))
    row, column = np.unravel_index(inside.argmax(), inside.shape)
    top, left = int(row) * _STEP, int(column) * _STEP
    return Window(min(top, shape[0] - height), min(left, shape[1] - width), height, width)


def encode_picture(raw: npt.NDArray[Any], window: Window) -> bytes:
    """Encode the window as WebP, with the challenge's normalisation over the whole image.

    Args:
        raw: (H, W, C) as [`cellbench.images.read_raw`][] returns it.
        window: the part to encode.

    Returns:
        The bytes of the file.
    """
    pixels = window.cut(normalise(raw))
    gray = bool((pixels[..., :1] == pixels).all())
    picture = Image.fromarray(pixels[..., 0] if gray else pixels)
    with io.BytesIO() as file:
        picture.save(file, "WEBP", quality=_QUALITY, method=4)
        return file.getvalue()
