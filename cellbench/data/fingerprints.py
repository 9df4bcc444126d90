"""Fingerprints of images: what shows that two files have the same content, or one is part of the other.

- A digest of the pixels finds exact copies.
- A thumbnail of 64 × 64 pixels without low frequencies, such as uneven light, finds copies that were
  scaled, compressed or stored with other bits. Its turned and mirrored versions find turned and mirrored
  copies. It plays the part of a perceptual hash such as pHash (Zauner 2010). Its real numbers separate
  similar images of cells better than 64 bits, and one matrix product compares all pairs.
- Descriptors around anchor points, which are the extrema of a difference of Gaussians (Lowe 2004), find
  crops. The descriptor of an anchor samples circles around it and keeps the magnitudes of their Fourier
  coefficients, which turning and mirroring do not change.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from cellbench.images import read_raw

Gray = npt.NDArray[np.float32]
"""(H, W) intensities: the mean of the channels."""
Floats = npt.NDArray[np.float32]

Scalar = TypeVar("Scalar", bound=np.generic)

POSITIONS = 8
"""Four quarter turns, of the image and of its mirror image."""

_SIDE = 64
_THUMBNAIL_SIGMA = (
    6.0  # pixels of the thumbnail; larger structures, such as uneven light, do not count
)
_FINE, _COARSE = 2.0, 4.0  # pixels; anchors are blobs of about the size between both
_SPACING = 8  # pixels between anchors
_RADII = (3, 6, 9, 12, 15)  # pixels
_ANGLES = 32
_FREQUENCIES = 8
_MOST_ANCHORS = 2000


@dataclass(frozen=True)
class Fingerprint:
    """What is kept of an image to compare it with others.

    Attributes:
        path: the file.
        shape: (H, W) of the image.
        digest: of pixels, shape and type.
        thumbnail: (64, 64), mean 0 and norm 1; all 0 for an image without structure.
        anchors: (N, 2) row and column, strongest first.
        descriptors: (N, 40), norm 1.
    """

    path: Path
    shape: tuple[int, int]
    digest: bytes
    thumbnail: Floats
    anchors: npt.NDArray[np.intp]
    descriptors: Floats


def read_gray(path: Path) -> Gray:
    """Read an image as the mean of its channels.

    Args:
        path: the file.

    Returns:
        (H, W) intensities.

    Raises:
        ImageError: if it cannot be read.
    """
    return _gray(read_raw(path))


def _gray(raw: npt.NDArray[np.generic]) -> Gray:
    gray: Gray = np.nan_to_num(raw.astype(np.float32).mean(axis=2))
    return gray


def make_fingerprint(path: Path) -> Fingerprint:
    """Read an image and compute its fingerprint.

    Args:
        path: the file.

    Returns:
        The fingerprint.

    Raises:
        ImageError: if it cannot be read.
    """
    raw = read_raw(path)
    state = hashlib.sha256(f"{raw.shape} {raw.dtype}".encode())
    state.update(raw.tobytes())
    gray = _gray(raw)
    anchors = find_anchors(gray)
    return Fingerprint(
        path,
        raw.shape[:2],
        state.digest(),
        make_thumbnail(gray),
        anchors,
        describe_anchors(gray, anchors),
    )


def make_thumbnail(gray: Gray) -> Floats:
    """Scale an image to 64 × 64 pixels, remove low frequencies, and normalise it.

    Args:
        gray: (H, W) intensities. The 1 % darkest and the 1 % brightest pixels are clipped, as programs do
            that convert 16 bits to 8.

    Returns:
        (64, 64), mean 0 and norm 1; all 0 for an image without structure.
    """
    low, high = np.percentile(
        gray[:: 1 + gray.shape[0] // 512, :: 1 + gray.shape[1] // 512], (1, 99)
    )
    if not high > low:
        low, high = gray.min(), gray.max()
    small = cv2.resize(np.clip(gray, low, high), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return _unit(small - cv2.GaussianBlur(small, (0, 0), _THUMBNAIL_SIGMA))


def _unit(values: npt.NDArray[np.generic]) -> Floats:
    centred = values - values.mean()
    norm = np.linalg.norm(centred)
    # Rounding leaves a little of an image without structure.
    flat = norm <= 1e-5 * (1 + np.abs(values).max())
    unit: Floats = np.zeros(centred.shape, np.float32)
    return unit if flat else np.divide(centred, norm, out=unit, casting="same_kind")


def find_anchors(gray: Gray) -> npt.NDArray[np.intp]:
    """Find points that are found again in a crop of the image: extrema of a difference of Gaussians.

    Args:
        gray: (H, W) intensities.

    Returns:
        (N, 2) row and column, strongest first, at most 2000; none closer than 15 pixels to the border.
    """
    margin = _RADII[-1]
    if min(gray.shape) <= 2 * margin:
        return np.empty((0, 2), np.intp)
    blobs = np.abs(cv2.GaussianBlur(gray, (0, 0), _FINE) - cv2.GaussianBlur(gray, (0, 0), _COARSE))
    window = np.ones((2 * _SPACING + 1, 2 * _SPACING + 1), np.uint8)
    peaks = (blobs == cv2.dilate(blobs, window)) & (blobs > 1e-5 * (1 + np.abs(gray).max()))
    rows, columns = np.nonzero(peaks[margin:-margin, margin:-margin])
    points = np.stack([rows, columns], axis=1) + margin
    order = np.argsort(-blobs[points[:, 0], points[:, 1]], kind="stable")
    return points[order[:_MOST_ANCHORS]]


def describe_anchors(gray: Gray, anchors: npt.NDArray[np.intp]) -> Floats:
    """Compute descriptors that do not change when the image is turned or mirrored, or its contrast changes.

    Args:
        gray: (H, W) intensities.
        anchors: (N, 2) row and column, at least 15 pixels from the border.

    Returns:
        (N, 40), norm 1.
    """
    if not len(anchors):
        return np.empty((0, len(_RADII) * _FREQUENCIES), np.float32)
    smooth = cv2.GaussianBlur(gray, (0, 0), 1.0)
    rows, columns = _circles()
    y = (anchors[:, :1] + rows.ravel()).astype(np.float32)
    x = (anchors[:, 1:] + columns.ravel()).astype(np.float32)
    samples = cv2.remap(smooth, x, y, cv2.INTER_LINEAR)
    samples -= samples.mean(axis=1, keepdims=True)
    waves = np.fft.rfft(samples.reshape(len(anchors), *rows.shape), axis=2)[..., :_FREQUENCIES]
    found = np.abs(waves).reshape(len(anchors), len(_RADII) * _FREQUENCIES)
    norms = np.linalg.norm(found, axis=1, keepdims=True)
    descriptors: Floats = (found / np.maximum(norms, 1e-12)).astype(np.float32)
    return descriptors


@cache
def _circles() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return rows and columns of the sampled points around an anchor, each (radii, angles)."""
    angles = np.arange(_ANGLES) * (2 * np.pi / _ANGLES)
    radii = np.array(_RADII, float)[:, None]
    return radii * np.sin(angles), radii * np.cos(angles)


def turn(pixels: npt.NDArray[Scalar], position: int) -> npt.NDArray[Scalar]:
    """Return an array in one of eight positions.

    Args:
        pixels: (…, H, W).
        position: 0 to 3: number of quarter turns counterclockwise; 4 to 7: the same after mirroring left
            and right.
    """
    mirrored = pixels[..., ::-1] if position >= POSITIONS // 2 else pixels
    return np.rot90(mirrored, position % 4, axes=(-2, -1))


def turn_points(
    points: npt.NDArray[np.intp], shape: tuple[int, ...], position: int
) -> npt.NDArray[np.intp]:
    """Return where points of an array are after [`turn`][].

    Args:
        points: (N, 2) row and column.
        shape: (H, W) of the array before it is turned.
        position: as in [`turn`][].

    Returns:
        (N, 2) row and column.

    Examples:
        >>> turn_points(np.array([[0, 2]]), (3, 5), 1), turn_points(np.array([[0, 2]]), (3, 5), 4)
        (array([[2, 0]]), array([[0, 2]]))
    """
    (height, width), (rows, columns) = shape, points.T
    if position >= POSITIONS // 2:
        columns = width - 1 - columns
    for _ in range(position % 4):
        rows, columns, height, width = width - 1 - columns, rows, width, height
    return np.stack([rows, columns], axis=1)
