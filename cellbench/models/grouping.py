"""Rules that sort training images into groups, by colour and by the size of the cells."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from cellbench.errors import UsageError
from cellbench.labels import LabelMap, relabel

GROUPS = 4
Variant = Literal["code", "paper"]

_BAND = 1_000_000  # pixels processed at a time, so that whole slides need little memory


@dataclass(frozen=True)
class GroupingRules:
    """The rules that put a training image into one of the four groups of Lou et al. (2023, T2-sribdmed).

    ==  ======================================================================================
    0   gray: the three channels are equal
    1   medium: by the mean saturation and the mean value of its colours (HSV), see ``vivid``
    2   any other whose largest cell has more than ``largest_cell`` pixels
    3   any other
    ==  ======================================================================================

    The paper and the released code differ, see [`VARIANTS`][]. In the code (classification/
    unsup_classification.py) group 1 holds colour images that look gray: saturation at most 0.1, value
    from 0.1 to 0.6. In the paper it holds images with a saturation above 0.1 and a value from 0.1 to
    0.6. An image exactly at a limit is in group 1 where the code puts it there: the code takes an
    image as coloured where S > 0.1 or V < 0.1 or V > 0.6.

    One rule is our own: the original treats files of one channel as gray and files of more than three
    as coloured. Here every image is RGB, and an image with three equal channels is gray, whatever the
    file stores.

    Attributes:
        vivid: whether group 1 has mean saturations above the limit (paper) or up to it (code).
        saturation: limit of the mean saturation, in [0, 1].
        value: smallest and largest mean value of group 1, in [0, 1].
        largest_cell: number of pixels of the largest cell above which an image is in group 2.
    """

    vivid: bool
    saturation: float
    value: tuple[float, float]
    largest_cell: int

    def group(self, image: npt.NDArray[Any], labels: LabelMap) -> int:
        """Return the group of an image, 0 … 3.

        Args:
            image: (H, W, 3), normalised; uint8, or floating in [0, 1].
            labels: (H, W) label map of the image.

        Examples:
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
        """Return a short description of each group."""
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
"""The rules of the released code, and those of the paper (arXiv 2310.14226)."""


def grouping_rules(variant: Variant, **changes: Any) -> GroupingRules:
    """Return the rules of a variant, with some numbers changed.

    Args:
        variant: ``code`` for the rules of the released code, ``paper`` for those of the paper.
        **changes: attributes of [`GroupingRules`][]; None leaves one as it is.

    Raises:
        UsageError: if the variant is not known or ``value`` is not a range.

    Examples:
        >>> grouping_rules("paper", largest_cell=500, value=None).largest_cell
        500
    """
    if variant not in VARIANTS:
        raise UsageError(f"rules {variant!r}: not known; choose from {', '.join(VARIANTS)}")
    replaced = {name: value for name, value in changes.items() if value is not None}
    if "value" in replaced:
        value = tuple(replaced["value"])
        if len(value) != 2 or value[0] > value[1]:
            raise UsageError(
                f"value {list(value)}: must be the smallest and the largest value, such as [0.1, 0.6]"
            )
        replaced["value"] = value
    return replace(VARIANTS[variant], **replaced)


def _bands(array: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    """Cut an image or label map into bands of whole rows."""
    rows = max(1, _BAND // max(1, array.shape[1]))
    for start in range(0, array.shape[0], rows):
        yield np.asarray(array[start : start + rows])


def _mean_saturation_and_value(image: npt.NDArray[Any]) -> tuple[float, float]:
    """Return the means of S = (max − min) / max, 0 for black, and of V = max, as in rgb2hsv."""
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
    """Return the number of pixels of the largest cell, 0 where there is none."""
    highest = int(labels.max(initial=0))
    if highest > labels.size:
        labels = relabel(labels)
        highest = int(labels.max(initial=0))
    areas = np.zeros(highest + 1, np.int64)
    for band in _bands(labels):
        areas += np.bincount(band.ravel(), minlength=highest + 1)
    return int(areas[1:].max(initial=0))
