"""Windows of images: how large they are, where they are cut out, and how they become patches."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from cellbench.labels import LabelMap

Window = tuple[npt.NDArray[np.uint8], LabelMap]
"""An image (H, W, 3) and its label map (H, W), int32."""


def draw_side(
    shape: tuple[int, int],
    crop_size: int,
    smallest_zoom: float | None,
    largest_zoom: float,
    rng: np.random.Generator,
) -> int:
    """Draw the side of the window that becomes a patch; the logarithm of the zoom is uniform.

    Without ``smallest_zoom``, a window is no larger than the image if enlarging it gives a whole patch,
    so that few patches need padding. With it, a window may be larger than the image, and the shrunk
    image is padded, as MEDIAR does (zoom .25 to 1.5, then padding to the patch): otherwise most images
    would not be shrunk at all.

    Args:
        shape: (H, W) of the image.
        crop_size: side of the patch in pixels.
        smallest_zoom: the smallest zoom; None is 1 / ``largest_zoom`` within the image.
        largest_zoom: the largest zoom, at least 1.
        rng: random generator of this patch.

    Returns:
        Side of the window in pixels of the image, at least 1.
    """
    smallest = max(1.0, crop_size / largest_zoom)
    if smallest_zoom is None:
        largest = max(smallest, min(crop_size * largest_zoom, *shape))
    else:
        largest = max(smallest, crop_size / smallest_zoom)
    side: float = smallest * (largest / smallest) ** rng.uniform()
    return round(side)


def cut_window(
    image: npt.NDArray[np.uint8],
    labels: LabelMap,
    sides: tuple[int, int],
    shape: tuple[int, int],
    rng: np.random.Generator,
) -> Window:
    """Cut a random window out of an image and its labels, and resize it to a part of a patch.

    A window that is larger than the image is padded with zeros on the right and below.

    Args:
        image: (H, W, 3).
        labels: (H, W) its label map.
        sides: side of a whole patch, and side of its window in the image, in pixels; their quotient is
            the zoom.
        shape: (h, w) of the part of the patch; the whole patch if it is not a mosaic.
        rng: random generator of this patch.

    Returns:
        The image (h, w, 3) and the label map (h, w) of the part.
    """
    place = draw_place(labels.shape, sides, shape, rng)
    return place.cut(image), place.cut(labels)


@dataclass(frozen=True)
class Place:
    """Where a window is in an image, and which part of a patch it becomes.

    Attributes:
        rows: the rows of the window; they may end beyond the image.
        columns: the columns of the window.
        shape: (h, w) of the part of the patch.
    """

    rows: slice
    columns: slice
    shape: tuple[int, int]

    def cut(self, pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Cut the window out of an array and resize it; only the values of images are interpolated.

        Args:
            pixels: (H, W, 3) image, or (H, W) label map or other integers.

        Returns:
            (h, w, 3) image, or (h, w) int32.
        """
        window = self.rows.stop - self.rows.start, self.columns.stop - self.columns.start
        seen = pixels[self.rows, self.columns]
        return _resized(seen.astype(np.int32) if seen.ndim == 2 else seen, window, self.shape)


def draw_place(
    size: tuple[int, ...],
    sides: tuple[int, int],
    shape: tuple[int, int],
    rng: np.random.Generator,
) -> Place:
    """Draw the place of a window.

    Args:
        size: (H, W) of the image.
        sides: as in [`cut_window`][].
        shape: as in [`cut_window`][].
        rng: random generator of this patch.
    """
    patch, whole = sides
    window = max(1, round(shape[0] * whole / patch)), max(1, round(shape[1] * whole / patch))
    rows, columns = (_random_slice(*each, rng) for each in zip(size, window, strict=True))
    return Place(rows, columns, shape)


def _random_slice(side: int, size: int, rng: np.random.Generator) -> slice:
    start = int(rng.integers(max(1, side - size + 1)))
    return slice(start, start + size)


def _resized(
    pixels: npt.NDArray[Any], window: tuple[int, int], shape: tuple[int, int]
) -> npt.NDArray[Any]:
    """Resize a window to a shape; what the edge of the image cuts off is padded."""
    shrinks = window[0] > shape[0]
    if not shrinks:
        pixels = _padded(pixels, window)
    # A window that shrinks is padded afterwards: it can be many times larger than the image.
    height, width = (
        min(target, max(1, round(side * target / whole)))
        for side, target, whole in zip(pixels.shape[:2], shape, window, strict=True)
    )
    if pixels.shape[:2] != (height, width):
        if pixels.ndim == 2:
            method = cv2.INTER_NEAREST_EXACT
        else:
            method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        pixels = cv2.resize(pixels, (width, height), interpolation=method)
    return _padded(pixels, shape)


def _padded(pixels: npt.NDArray[Any], shape: tuple[int, int]) -> npt.NDArray[Any]:
    """Pad with zeros, on the right and below."""
    if pixels.shape[:2] == shape:
        return pixels
    missing = [(0, shape[0] - pixels.shape[0]), (0, shape[1] - pixels.shape[1])]
    return np.pad(pixels, missing + [(0, 0)] * (pixels.ndim - 2))
