"""Find images that share a part: one is a crop of the other, or both are crops of the same image.

Anchors with similar descriptors suggest that two images share a part, and how they lie on each other. The
pixels decide: where the images overlap, they have to correlate.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from cellbench.data.fingerprints import (
    POSITIONS,
    Fingerprint,
    Floats,
    Gray,
    read_gray,
    turn,
    turn_points,
)

_GRID = 8
"""Anchors of an image are searched for in a grid of 8 × 8 parts, the strongest anchor of each."""
_FEWEST = 3
"""Anchors that have to suggest the same position of one image on another."""
_NEAR = 2
"""Pixels by which these suggestions may differ."""
_SMALLEST = 32
"""Height and width in pixels of the smallest part that two images can share."""
_LARGEST_DISTANCE = 0.3
"""Also crops of noisy images that were compressed are closer to their originals; other images are not."""
_BLOCK = 1 << 24  # similarities in memory at a time
_NOISE, _LIGHT = 2.0, 16.0  # pixels; noise is smaller, uneven light is larger

Ids = npt.NDArray[np.intp]


class Crop(NamedTuple):
    """Two images that share a part.

    Attributes:
        image: number of the first image.
        other: number of the second image.
        distance: 1 minus the correlation of the pixels where they overlap.
    """

    image: int
    other: int
    distance: float


class _Placed(NamedTuple):
    """How one image lies on another: turned to ``position``, its first pixel on (row, column)."""

    position: int
    row: int
    column: int


def find_crops(images: Sequence[Fingerprint], others: Sequence[Fingerprint]) -> list[Crop]:
    """Find the pairs of images that share a part at the same magnification, in any of eight positions.

    Args:
        images: fingerprints of the images to look for.
        others: fingerprints of the images in which they are looked for.

    Returns:
        At most one pair for each image, that with the smallest distance.
    """
    if not (images and others):
        return []
    asked = [_spread(each) for each in images]
    owner, place = _nearest(
        [each.descriptors[chosen] for each, chosen in zip(images, asked, strict=True)],
        [each.descriptors for each in others],
    )
    crops = []
    start = 0
    for number, (image, chosen) in enumerate(zip(images, asked, strict=True)):
        part = slice(start, start + len(chosen))
        start += len(chosen)
        found = [
            Crop(number, int(other), distance)
            for other in np.flatnonzero(np.bincount(owner[part]) >= _FEWEST)
            for distance in _compare(
                image, others[int(other)], image.anchors[chosen], owner[part] == other, place[part]
            )
        ]
        crops += sorted(found, key=lambda crop: crop.distance)[:1]
    return crops


def _spread(image: Fingerprint) -> Ids:
    """Return the numbers of anchors that are spread over the image."""
    cells = image.anchors * _GRID // np.array(image.shape)
    return np.unique(cells @ [_GRID, 1], return_index=True)[1]


def _nearest(asked: Sequence[Floats], known: Sequence[Floats]) -> tuple[Ids, Ids]:
    """Return the image and the number in it of the anchor that is most similar to each anchor."""
    sizes = [len(each) for each in known]
    queries, base = np.concatenate(asked), np.concatenate(known)
    if not len(base):
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    # What all descriptors have in common says nothing about which of them belong together.
    common = base.mean(axis=0)
    queries, base = queries - common, base - common
    base /= np.maximum(np.linalg.norm(base, axis=1, keepdims=True), 1e-12)
    step = max(1, _BLOCK // len(base))
    best = [
        (queries[start : start + step] @ base.T).argmax(axis=1)
        for start in range(0, len(queries), step)
    ]
    found = np.concatenate([np.zeros(0, np.intp), *best])
    owner = np.repeat(np.arange(len(known)), sizes)[found]
    first = np.cumsum([0, *sizes])[:-1]
    return owner, found - first[owner]


def _compare(
    image: Fingerprint, other: Fingerprint, points: Ids, pairs: npt.NDArray[np.bool_], place: Ids
) -> list[float]:
    """Return the distance of two images if they share a part, otherwise nothing."""
    placed = _align(points[pairs], other.anchors[place[pairs]], image.shape)
    if placed is None:
        return []
    distance = 1 - _correlation(_sharp(image.path), _sharp(other.path), placed)
    return [distance] if distance <= _LARGEST_DISTANCE else []


def _align(points: Ids, partners: Ids, shape: tuple[int, int]) -> _Placed | None:
    """Return the position and shift on which most pairs of points agree; None if too few do."""
    best, most = None, _FEWEST - 1
    for position in range(POSITIONS):
        shifts = partners - turn_points(points, shape, position)
        close = np.abs(shifts[:, None] - shifts[None]).max(axis=2) <= _NEAR
        votes = close.sum(axis=1)
        leader = int(votes.argmax())
        if votes[leader] > most:
            most = int(votes[leader])
            row, column = np.median(shifts[close[leader]], axis=0).round().astype(int).tolist()
            best = _Placed(position, row, column)
    return best


@lru_cache(maxsize=8)
def _sharp(path: Path) -> Gray:
    """Return an image without uneven light and noise."""
    gray = read_gray(path)
    sharp: Gray = cv2.GaussianBlur(gray, (0, 0), _NOISE) - cv2.GaussianBlur(gray, (0, 0), _LIGHT)
    return sharp


def _correlation(image: Gray, other: Gray, placed: _Placed) -> float:
    """Return Pearson's correlation of the pixels where the images overlap; 0 if that is too small."""
    turned = turn(image, placed.position)
    top, left = max(0, placed.row), max(0, placed.column)
    bottom = min(other.shape[0], placed.row + turned.shape[0])
    right = min(other.shape[1], placed.column + turned.shape[1])
    if bottom - top < _SMALLEST or right - left < _SMALLEST:
        return 0.0
    own = turned[
        top - placed.row : bottom - placed.row, left - placed.column : right - placed.column
    ].ravel()
    their = other[top:bottom, left:right].ravel()
    own, their = own - own.mean(), their - their.mean()
    scale = float(np.linalg.norm(own) * np.linalg.norm(their))
    return float(own @ their) / scale if scale else 0.0
