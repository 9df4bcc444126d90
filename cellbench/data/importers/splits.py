"""Divide the images of an import among train, tune and test."""

import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path

from cellbench.data.folder import SPLITS
from cellbench.data.importers.base import SourceImage
from cellbench.errors import DatasetError


def parse_fractions(text: str) -> dict[str, float]:
    """Parse the shares of train, tune and test.

    Args:
        text: three numbers separated by slashes.

    Returns:
        The share of each split.

    Raises:
        DatasetError: if ``text`` is not three numbers of at least 0, or all are 0.

    Examples:
        >>> parse_fractions("80/10/10")
        {'train': 80.0, 'tune': 10.0, 'test': 10.0}
    """
    try:
        shares = [float(word) for word in text.split("/")]
    except ValueError:
        shares = []
    if len(shares) != len(SPLITS) or min(shares) < 0 or not 0 < sum(shares) < float("inf"):
        raise DatasetError(
            f"fractions {text!r}: give the shares of train, tune and test, such as 80/10/10"
        )
    return dict(zip(SPLITS, shares, strict=True))


def assign_split(stem: str, fractions: Mapping[str, float], splits: Sequence[str] = SPLITS) -> str:
    """Return the split of an image, computed from its stem so that it is always the same.

    Args:
        stem: the image's stem.
        fractions: share of each split.
        splits: the splits to choose from.

    Examples:
        >>> assign_split("a01", {"train": 1, "tune": 0, "test": 0})
        'train'
    """
    limits = list(accumulate(fractions[split] for split in splits))
    draw = _draw(stem) * limits[-1]
    return next(
        (split for split, limit in zip(splits, limits, strict=True) if draw < limit), splits[0]
    )


def _draw(stem: str) -> float:
    """Return a number from 0 to 1 that depends on the stem only."""
    return int.from_bytes(hashlib.sha256(os.fsencode(stem)).digest()[:8]) / 2**64


def assign_splits(
    images: Sequence[SourceImage],
    fractions: Mapping[str, float],
    kept: Mapping[Path, str],
) -> list[str]:
    """Return the split of each image; a split with a share above 0 gets an image if there are enough.

    Each image gets its split by [`assign_split`][]. In a small dataset this can leave a split empty;
    it then gets an image of the split that has the most. Fewer images than splits fill train first, then
    tune. The result depends on the stems only.

    Args:
        images: the images; each has the splits that it may be put into.
        fractions: share of each split.
        kept: the splits that an earlier import has assigned, by the path of the image; they do not change.

    Returns:
        The splits, in the order of ``images``.

    Examples:
        >>> images = [SourceImage(Path(f"{stem}.png"), Path(f"{stem}_label.tiff")) for stem in "abc"]
        >>> assign_splits(images, {"train": 80, "tune": 10, "test": 10}, {})
        ['tune', 'test', 'train']
    """
    fixed = [kept.get(one.image) if kept.get(one.image) in one.splits else None for one in images]
    found = [
        split or assign_split(one.stem, fractions, one.splits)
        for one, split in zip(images, fixed, strict=True)
    ]
    sizes = Counter(found)
    wanted = [split for split in SPLITS if fractions[split] > 0]
    for split in wanted:
        later = SPLITS[SPLITS.index(split) :]
        movable = [
            (-sizes[found[place]], -_draw(one.stem), one.stem, place)
            for place, one in enumerate(images)
            if not fixed[place]
            and split in one.splits
            and (sizes[found[place]] > 1 or found[place] in later)
        ]
        if movable and not sizes[split]:
            place = min(movable)[-1]
            sizes[found[place]] -= 1
            sizes[split] += 1
            found[place] = split
    return found
