"""Find test images that are, in any form, also among the images that a model was trained on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from cellbench.data.crops import find_crops
from cellbench.data.fingerprints import POSITIONS, Fingerprint, Floats, make_fingerprint, turn
from cellbench.data.folder import SPLITS, UNLABELED, read_dataset

_TRAIN, _TUNE, _TEST = SPLITS
_LARGEST_DISTANCE = 0.2
"""Other images of one source are farther apart; a change of gamma by a factor of two is closer."""


class Kind(StrEnum):
    """In which form a test image is among the others.

    - ``SAME``: with exactly the same pixels.
    - ``RE_ENCODED``: compressed, scaled, inverted, with other bits or another contrast. Neighbouring planes
      of a stack and frames of a time series can also be this close.
    - ``TURNED``: the same after quarter turns or mirroring.
    - ``CROP``: the images share a part, in any of the eight positions.
    """

    SAME = "same"
    RE_ENCODED = "re-encoded"
    TURNED = "turned"
    CROP = "crop"


@dataclass(frozen=True)
class Leak:
    """A test image that is also among the others.

    Attributes:
        image: file of the test image.
        other: file of the closest of the other images.
        kind: in which form.
        distance: 1 minus the correlation of their thumbnails, or for crops of the shared part, without
            uneven light.
    """

    image: Path
    other: Path
    kind: Kind
    distance: float


def find_leaks(training: str | Path, tested: str | Path | None = None) -> list[Leak]:
    """Find the images of a test split that are also among the images of a training dataset.

    Crops are found if they have the magnification of the original and about 128 pixels in each direction;
    scaled images only as a whole.

    Args:
        training: the dataset folder that a model was trained on: its splits train, tune and unlabeled.
        tested: the dataset folder whose split test is checked; by default also ``training``.

    Returns:
        One leak for each image that has one, in the order of the test split.

    Raises:
        CellbenchError: if a folder is not a dataset folder, has no such images, or an image cannot be read.
    """
    training = Path(training)
    images = _fingerprints(training if tested is None else Path(tested), [_TEST])
    others = _fingerprints(training, [_TRAIN, _TUNE, UNLABELED])
    found = _whole(images, others)
    left = [image for image in images if image.path not in found]
    for crop in find_crops(left, others):
        image, other = left[crop.image].path, others[crop.other].path
        found[image] = Leak(image, other, Kind.CROP, crop.distance)
    return [found[image.path] for image in images if image.path in found]


def _fingerprints(root: Path, splits: Sequence[str]) -> list[Fingerprint]:
    return [make_fingerprint(image.image) for image in read_dataset(root, splits)]


def _whole(images: Sequence[Fingerprint], others: Sequence[Fingerprint]) -> dict[Path, Leak]:
    """Find the images that are among the others as a whole, by file."""
    known = {other.digest: other.path for other in others}
    table = _stacked(other.thumbnail for other in others)
    closeness = np.stack(
        [
            np.abs(_stacked(turn(image.thumbnail, position) for image in images) @ table.T)
            for position in range(POSITIONS)
        ]
    )
    found = {}
    for number, image in enumerate(images):
        position, place = np.unravel_index(closeness[:, number].argmax(), closeness[:, 0].shape)
        distance = max(0.0, 1 - float(closeness[position, number, place]))
        if image.digest in known:
            found[image.path] = Leak(image.path, known[image.digest], Kind.SAME, 0.0)
        elif distance <= _LARGEST_DISTANCE:
            kind = Kind.TURNED if position else Kind.RE_ENCODED
            found[image.path] = Leak(image.path, others[int(place)].path, kind, distance)
    return found


def _stacked(thumbnails: Iterable[Floats]) -> Floats:
    return np.stack([thumbnail.ravel() for thumbnail in thumbnails])
