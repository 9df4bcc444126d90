"""Which images the gallery shows: the worst, the median and the best of each algorithm."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pandas as pd

ROLES = ("worst", "median", "best")


@dataclass(frozen=True)
class Choice:
    """One image of one algorithm.

    Attributes:
        algorithm: its name.
        role: one of :data:`ROLES`.
        image: its stem.
        value: what the algorithm reached on it.
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
    """Choose the worst, the median and the best image of each algorithm, failed ones left out.

    Args:
        values: algorithm, image, status and the value.
        value: its column.
        algorithms: in the order in which they choose.
        images: that there is something to show of.
        higher_is_better: whether larger values are better.

    Returns:
        Algorithm by algorithm; equal values in order of the images, of an even number the worse of
        the two in the middle.
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
    """List the chosen images, first those that most algorithms chose, then as they were chosen."""
    counts = Counter(choice.image for choice in choices)
    return sorted(counts, key=lambda image: -counts[image])
