"""Pictures of cells: outlines of label maps on an image."""

import numpy as np
import numpy.typing as npt

from cellbench.labels.maps import LabelMap

Picture = npt.NDArray[np.uint8]
"""(H, W, 3) red, green and blue."""

Colour = tuple[int, int, int]


def draw_outlines(picture: Picture, labels: LabelMap, colour: Colour) -> Picture:
    """Draw the outlines of cells on a picture.

    Args:
        picture: (H, W, 3) red, green and blue; it is not changed.
        labels: (H, W) label map.
        colour: red, green and blue of the outlines, from 0 to 255.

    Returns:
        (H, W, 3); the outline of a cell is one pixel wide, and inside the cell.
    """
    drawn = picture.copy()
    drawn[inner_outlines(labels)] = colour
    return drawn


def inner_outlines(labels: LabelMap) -> npt.NDArray[np.bool_]:
    """Return the pixels of cells that have a pixel of something else above, below, or beside them.

    Args:
        labels: (H, W) label map.

    Examples:
        >>> inner_outlines(np.pad(np.full((3, 3), 7), 1)).astype(int)[2].tolist()
        [0, 1, 0, 1, 0]
    """
    outline = np.zeros(labels.shape, bool)
    down, across = labels[1:] != labels[:-1], labels[:, 1:] != labels[:, :-1]
    outline[1:] |= down
    outline[:-1] |= down
    outline[:, 1:] |= across
    outline[:, :-1] |= across
    return outline & (labels > 0)


def overlay(
    picture: Picture, labels: LabelMap, largest_side: int, colour: Colour | None = None
) -> Picture:
    """Draw the outlines of cells on an image, which is made smaller if it is large.

    Outlines are drawn after that, so that they are one pixel wide at any size.

    Args:
        picture: (H, W, 3) red, green and blue.
        labels: (H, W) label map of the same image.
        largest_side: longest side of the result, in pixels.
        colour: red, green and blue of the outlines; by default orange on dark images and green on bright
            ones.
    """
    import cv2

    longest = max(labels.shape)
    if longest > largest_side:
        height, width = (max(1, round(side * largest_side / longest)) for side in labels.shape)
        rows, columns = (
            (np.arange(small) + 0.5) * (large / small)
            for small, large in zip((height, width), labels.shape, strict=True)
        )
        labels = labels[rows.astype(int)[:, None], columns.astype(int)]
        small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        picture = np.asarray(small, np.uint8)
    return draw_outlines(picture, labels, colour or _visible_colour(picture))


def _visible_colour(picture: Picture) -> Colour:
    return _ON_BRIGHT if float(picture.mean()) > _BRIGHT else _ON_DARK


_BRIGHT = 140.0
_ON_DARK, _ON_BRIGHT = (255, 128, 0), (0, 200, 0)
