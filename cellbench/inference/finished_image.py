"""The record of one image that `cellbench segment` has finished."""

import math
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from cellbench.inference.measurements import Measures
from cellbench.inference.products import ENDINGS, Product
from cellbench.inference.settings import file_checksum


@dataclass(frozen=True)
class FinishedImage:
    """The record of an image whose label map is complete.

    Attributes:
        image: name of the image, see [`image_name`][].
        image_checksum: SHA-256 of the image file; empty if it changed while it was segmented.
        labels_checksum: SHA-256 of the label map's file.
        runtime_s: the running time, in seconds.
        rank_runtime_s: the part of it beyond the tolerance of the challenge, in seconds.
        diameter: as in [`Scaling`][cellbench.inference.scaling.Scaling].
        scale: as in [`Scaling`][cellbench.inference.scaling.Scaling].
        cells: number of cells in the label map.
        measures: what decoding found out about each cell. It is not in the label map, and the table of
            the cells can be wanted later.
        products: what was written beside the label map, or was begun.
    """

    image: str
    image_checksum: str
    labels_checksum: str
    runtime_s: float
    rank_runtime_s: float
    diameter: float | None
    scale: float
    cells: int
    measures: Measures
    products: tuple[Product, ...] = ()

    @classmethod
    def from_json(cls, record: Any) -> "FinishedImage | None":  # noqa: ANN401  (JSON of any type)
        """Read a record of the journal; None if it is not one of a finished image.

        Args:
            record: the record.
        """
        try:
            names = record["products"]
            products: tuple[Product, ...] = tuple(each for each in ENDINGS if each in names)
            image = cls(**{**record, "products": products})
            numbers = (image.runtime_s, image.rank_runtime_s, image.scale, image.diameter or 0)
            usable = all(math.isfinite(each) for each in (*numbers, image.cells)) and all(
                np.array(each, np.float32).shape == (image.cells,)
                for each in image.measures.values()
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            return None  # integers can be too large for a number
        return image if usable and isinstance(image.image, str) else None

    def fits(self, name: str, image: Path, labels: Path) -> bool:
        """Return whether an image and its label map are unchanged.

        Args:
            name: name of the image, see [`image_name`][].
            image: the image file.
            labels: the file of its label map.
        """
        return (
            self.image == name
            and "" not in (self.image_checksum, self.labels_checksum)
            and self.labels_checksum == file_checksum(labels)
            and self.image_checksum == file_checksum(image)
        )


def image_name(stem: str, image: Path) -> str:
    """Return the name of an image in records and tables: its file name, after the folder of its stem.

    Args:
        stem: stem of the image; with ``--recursive`` it includes the folder.
        image: the image file.

    Examples:
        >>> image_name("well1/a", Path("plate/well1/a.png")), image_name("a", Path("plate/a.png"))
        ('well1/a.png', 'a.png')
    """
    return PurePosixPath(stem).with_name(image.name).as_posix()
