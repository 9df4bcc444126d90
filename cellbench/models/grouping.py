"""Groups of images found without labels of their own: by colour, and by the size of the cells."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from cellbench.errors import UsageError
from cellbench.labels import LabelMap, relabel

GROUPS = 4
Variant = Literal["code", "paper"]

_BAND = 1_000_000  # pixels at a time, so that whole slides need little memory


@dataclass(frozen=True)
class GroupingRules:
    """What puts a training image into one of the four groups of Lou et al. (2023, T2-sribdmed).

    ==  ======================================================================================
    0   gray: the three channels are equal
    1   middling: by the mean saturation and the mean value of its colours (HSV), see ``vivid``
    2   any other, whose largest cell has more than ``largest_cell`` pixels
    3   any other
    ==  ======================================================================================

    The paper and the released code differ, see :data:`VARIANTS`. By the code (classification/
    unsup_classification.py) group 1 is what is stored in colours but looks gray: saturation at most
    .1, value from .1 to .6. By the paper it is what has a saturation above .1 and a value from .1 to .6.
    Limits belong to group 1 as the code has them: an image is coloured where S > .1 or V < .1 or
    V > .6.

    One rule is ours: the original takes files of one channel for gray and files of more than three for
    coloured. Here images are RGB whatever the file held, so that equal channels are gray, also in a
    file that stores them three times.

    Attributes:
        vivid: group 1 has mean saturations above the limit (the paper), not up to it (the code).
        saturation: limit of the mean saturation, in [0, 1].
        value: least and greatest mean value of group 1, in [0, 1].
        largest_cell: pixels of the largest cell above which an image is in group 2.
    """

    vivid: bool
    saturation: float
    value: tuple[float, float]
    largest_cell: int

    def group(self, image: npt.NDArray[Any], labels: LabelMap) -> int:
        """Give the group of an image, 0 … 3.

        Args:
            image: (H, W, 3), normalised; uint8, or floating in [0, 1].
            labels: (H, W) its label map.

        Example:
            >>> teal = np.full((9, 9, 3), (0, 128, 128), np.uint8)
            >>> VARIANTS["code"].group(teal, np.ones((9, 9), int))
            3
        """
        if all((each[..., :1] == each).all() for each in _bands(image)):
            return 0
        saturation, value = _mean_saturation_and_value(image)
        least, greatest = self.value
        if (saturation > self.saturation) == self.vivid and least <= value <= greatest:
            return 1
        return 2 if _largest_cell(labels) > self.largest_cell else 3

    def describe(self) -> list[str]:
        """Say in a few words what each group holds."""
        least, greatest = self.value
        sign = ">" if self.vivid else "<="
        return [
            "gray",
            f"saturation {sign} {self.saturation:g}, value {least:g} to {greatest:g}",
            f"other, largest cell > {self.largest_cell} px",
            "other",
        ]


VARIANTS: dict[Variant, GroupingRules] = {
    "code": GroupingRules(vivid=False, saturation=0.1, value=(0.1, 0.6), largest_cell=30_000),
    "paper": GroupingRules(vivid=True, saturation=0.1, value=(0.1, 0.6), largest_cell=8_000),
}
"""The rules of the released code, and those of the paper (arXiv 2308.05864)."""


def grouping_rules(variant: Variant, **changes: Any) -> GroupingRules:
    """Give a variant's rules with some numbers changed; None leaves a number as it is.

    Raises:
        UsageError: if the variant is not known or ``value`` is not a range.

    Example:
        >>> grouping_rules("paper", largest_cell=500, value=None).largest_cell
        500
    """
    if variant not in VARIANTS:
        raise UsageError(f"rules {variant!r}: not known; choose from {', '.join(VARIANTS)}")
    given = {name: value for name, value in changes.items() if value is not None}
    if "value" in given:
        value = tuple(given["value"])
        if len(value) != 2 or value[0] > value[1]:
            raise UsageError(f"value {list(value)}: give the least and the greatest, as [0.1, 0.6]")
        given["value"] = value
    return replace(VARIANTS[variant], **given)


def _bands(array: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    """Cut an image or label map into bands of whole rows."""
    rows = max(1, _BAND // max(1, array.shape[1]))
    for start in range(0, array.shape[0], rows):
        yield np.asarray(array[start : start + rows])


def _mean_saturation_and_value(image: npt.NDArray[Any]) -> tuple[float, float]:
    """Give the means of S = (max − min) / max, 0 for black, and of V = max, as rgb2hsv has them."""
    saturation = value = 0.0
    for band in _bands(image):
        highest = band.max(axis=2).astype(np.float64)
        reach = highest - band.min(axis=2)
        saturation += float(np.divide(reach, highest, out=reach, where=highest > 0).sum())
        value += float(highest.sum())
    pixels = image.shape[0] * image.shape[1]
    scale = 255 if image.dtype == np.uint8 else 1
    return saturation / pixels, value / (pixels * scale)


def _largest_cell(labels: LabelMap) -> int:
    """Give the pixels of the largest cell, 0 where there is none."""
    highest = int(labels.max(initial=0))
    if highest > labels.size:
        labels = relabel(labels)
        highest = int(labels.max(initial=0))
    areas = np.zeros(highest + 1, np.int64)
    for band in _bands(labels):
        areas += np.bincount(band.ravel(), minlength=highest + 1)
    return int(areas[1:].max(initial=0))
