"""Resolution: lossy compression, and fewer pixels."""

import numpy as np

from cellbench.data.perturb.pixels import Floats, Picture
from cellbench.data.rescale import rescaled_shape, resize_image
from cellbench.errors import ImageError

_LONGEST_JPEG = 65_500  # that libjpeg writes


def compress_jpeg(picture: Picture, strength: float) -> Floats:
    """Save an image as JPEG and read it again.

    Red, green and blue are compressed together, as OpenCV does it by default; of any other number of
    channels each is compressed alone. The values between black and white become 8 bits; in 8-bit images,
    these are the values themselves.

    Args:
        picture: the image.
        strength: the JPEG quality, from 1 to 100.

    Returns:
        (H, W, C).

    Raises:
        ImageError: if a side is longer than JPEG allows.
    """
    values = picture.values
    if max(values.shape[:2]) > _LONGEST_JPEG:
        raise ImageError(
            f"a side is longer than {_LONGEST_JPEG} px, the limit of JPEG; leave out the kind jpeg"
        )
    scale = 255 / (picture.white - picture.black) if picture.white > picture.black else 0.0
    stored = np.rint((values - picture.black) * scale).astype(np.uint8)
    together = stored.shape[2] if stored.shape[2] == 3 else 1
    parts = [
        _decoded(stored[..., first : first + together], round(strength))
        for first in range(0, stored.shape[2], together)
    ]
    read = np.concatenate(parts, axis=2).astype(values.dtype)
    return read / scale + picture.black if scale else values


def _decoded(part: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], quality: int) -> Floats:
    import cv2

    # OpenCV's colours are blue, green, red.
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    encoded = cv2.imencode(".jpg", np.ascontiguousarray(part[..., ::-1]), options)[1]
    decoded = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED))
    return decoded.reshape(part.shape)[..., ::-1]


def lower_resolution(picture: Picture, strength: float) -> Floats:
    """Shrink an image (mean of the area) and enlarge it to its size again (linear interpolation).

    Args:
        picture: the image.
        strength: factor by which it is shrunk.

    Returns:
        (H, W, C).
    """
    height, width = picture.values.shape[:2]
    small = rescaled_shape((height, width), 1 / strength)
    resized: Floats = resize_image(resize_image(picture.values, small), (height, width))
    return resized
