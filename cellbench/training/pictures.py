"""Pictures of what a model has learned: outlines of cells on images, with a legend."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from cellbench.files import written_whole
from cellbench.labels import LabelMap

Picture = npt.NDArray[np.uint8]

_TRUE_COLOUR = (0.0, 0.62, 0.45)
_PREDICTED_COLOUR = (0.84, 0.37, 0.0)
_LEGEND = ((_TRUE_COLOUR, "truth"), (_PREDICTED_COLOUR, "prediction"))
_LEGEND_HEIGHT, _LEGEND_WIDTH = 16, 128


def draw_outlines(
    image: npt.NDArray[np.floating], truth: LabelMap, prediction: LabelMap
) -> Picture:
    """Draw outlines of true and predicted cells.

    Args:
        image: (H, W, 3) in [0, 1].
        truth: (H, W) label map, drawn green.
        prediction: (H, W) label map, drawn orange over the truth.

    Returns:
        (H, W, 3) uint8.
    """
    from skimage.segmentation import mark_boundaries

    picture = mark_boundaries(image, truth, color=_TRUE_COLOUR, mode="inner")
    picture = mark_boundaries(picture, prediction, color=_PREDICTED_COLOUR, mode="inner")
    return _to_bytes(picture)


def with_legend(picture: Picture) -> Picture:
    """Add a strip below a picture of :func:`draw_outlines` that says what the colours mean.

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
        fill = tuple(int(each) for each in _to_bytes(np.array(colour)))
        draw.rectangle((left, height + 4, left + 8, height + 12), fill=fill)
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


def _to_bytes(values: npt.NDArray[np.floating]) -> Picture:
    drawn: Picture = (values.clip(0, 1) * 255).astype(np.uint8)
    return drawn
