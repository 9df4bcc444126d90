"""Pictures of what a model has learned: outlines of cells on images, with a legend."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from cellbench.files import written_whole
from cellbench.labels import LabelMap
from cellbench.labels.drawing import Picture, draw_outlines

_LEGEND = (((0, 158, 115), "truth"), ((214, 94, 0), "prediction"))
_LEGEND_HEIGHT, _LEGEND_WIDTH = 16, 128


def draw_result(image: npt.NDArray[np.floating], truth: LabelMap, prediction: LabelMap) -> Picture:
    """Draw outlines of true and predicted cells.

    Args:
        image: (H, W, 3) in [0, 1].
        truth: (H, W) label map, drawn green.
        prediction: (H, W) label map, drawn orange over the truth.

    Returns:
        (H, W, 3) uint8.
    """
    picture = (image.clip(0, 1) * 255).astype(np.uint8)
    for labels, (colour, _) in zip((truth, prediction), _LEGEND, strict=True):
        picture = draw_outlines(picture, labels, colour)
    return picture


def with_legend(picture: Picture) -> Picture:
    """Add a strip below a picture of [`draw_result`][] that says what the colours mean.

    Args:
        picture: (H, W, 3).

    Returns:
        (H + 16, at least 128, 3); a narrower picture is widened with black.
    """
    from PIL import Image, ImageDraw

    height, width = picture.shape[:2]
    size = (max(width, _LEGEND_WIDTH), height + _LEGEND_HEIGHT)
    canvas = Image.new("RGB", size)
    canvas.paste(Image.fromarray(picture), (0, 0))
    draw, left = ImageDraw.Draw(canvas), 4
    for colour, word in _LEGEND:
        draw.rectangle((left, height + 4, left + 8, height + 12), fill=colour)
        draw.text((left + 12, height + 2), word, fill="white")
        left += 50
    return np.asarray(canvas)


def write_picture(path: Path, picture: Picture) -> None:
    """Write a picture as JPEG.

    Args:
        path: the file, which replaces an older one.
        picture: (H, W, 3).
    """
    from PIL import Image

    with written_whole(path) as temporary:
        Image.fromarray(picture).save(temporary, quality=92)
