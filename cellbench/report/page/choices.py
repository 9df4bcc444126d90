"""Which images the gallery shows: the worst, median and best result of each algorithm."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pandas as pd

ROLES = ("worst", "median", "best")


@dataclass(frozen=True)
class Choice:
    """One image of one algorithm.

    Attributes:
        algorithm: name of the algorithm.
        role: one of `ROLES`.
        image: stem of the image.
        value: the algorithm's value on this image.
    """

    algorithm: str
    role: str
    image: str
    value: float


def choose_images(
    values: pd.DataFrame,
    value: str,
    algorithms: Sequence[str],
    images: Collection[str],
    *,
    higher_is_better: bool = True,
) -> list[Choice]:
    """Choose the images with the worst, median and best value of each algorithm, without failures.

    Args:
        values: table with algorithm, image, status and the value.
        value: column of the value.
        algorithms: the algorithms, in the order of the result.
        images: the images that can be shown.
        higher_is_better: whether larger values are better.

    Returns:
        Three choices per algorithm. Equal values are in the order of the images; of an even number
        of images, the worse of the two in the middle is the median.
    """
    usable = values[(values["status"] == "ok") & values["image"].isin(images)]
    by_algorithm = dict(tuple(usable.groupby("algorithm")))
    chosen = []
    for algorithm in algorithms:
        if algorithm not in by_algorithm:
            continue
        rows = by_algorithm[algorithm].sort_values("image")
        rows = rows.sort_values(value, ascending=higher_is_better, kind="stable")
        places = (0, (len(rows) - 1) // 2, len(rows) - 1)
        for role, place in zip(ROLES, places, strict=True):
            row = rows.iloc[place]
            chosen.append(Choice(algorithm, role, str(row["image"]), float(row[value])))
    return chosen


def order_images(choices: Sequence[Choice]) -> list[str]:
    """List the chosen images, those chosen for most algorithms first.

    Args:
        choices: of all algorithms.

    Returns:
        Each image once; of images chosen equally often, the first choice comes first.
    """
    counts = Counter(choice.image for choice in choices)
    return sorted(counts, key=lambda image: -counts[image])
