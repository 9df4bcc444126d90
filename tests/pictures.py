"""Pictures and writers of image files for the tests, and the official normalisation."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image
from skimage.exposure import rescale_intensity

Array = npt.NDArray[Any]
Writer = Callable[[Path, Array], Any]

HEIGHT, WIDTH = 37, 53


def picture(dtype: str = "uint8", channels: int = 0) -> Array:
    """Make a smooth picture with zeros, so that lossy formats and percentiles have work."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    planes = [
        np.clip(np.sin(rows / (4 + k)) + np.cos(columns / (7 + k)), 0, 2) / 2
        for k in range(max(channels, 1))
    ]
    kind = np.dtype(dtype)
    top = 1 if kind.kind in "fb" else min(np.iinfo(kind).max, 1_000_000)
    array = (np.stack(planes, -1) * top).round(0 if kind.kind in "iub" else 6).astype(kind)
    return array if channels else array[..., 0]


def official(array: Array) -> npt.NDArray[np.uint8]:
    """Normalise as pre_process_3class.py does, clipped where its last cast is undefined or wraps."""
    array = np.repeat(array[..., None], 3, -1) if array.ndim == 2 else array[..., :3]
    result = np.zeros((*array.shape[:2], 3), np.uint8)
    for index in range(array.shape[2]):
        channel = array[..., index]
        values = channel[np.nonzero(channel)]
        if len(values):
            lower, upper = np.percentile(values, [1, 99])
            if upper - lower > 0.001:
                channel = rescale_intensity(channel, in_range=(lower, upper), out_range="uint8")
            result[..., index] = np.clip(channel, 0.0, 255.0).astype(np.uint8)
    return result


def tiff(**options: object) -> Writer:
    return lambda path, array: tifffile.imwrite(path, array, **options)


def png(path: Path, array: Array) -> None:
    path.write_bytes(imagecodecs.png_encode(array))


def pillow(path: Path, array: Array) -> None:
    Image.fromarray(array).save(path)


def opencv(path: Path, array: Array) -> None:
    cv2.imwrite(str(path), array[..., ::-1] if array.ndim == 3 else array)
