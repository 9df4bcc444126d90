"""Robustness: how much of its value an algorithm keeps when images are perturbed. Tables in, tables out."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from cellbench.errors import ScoresError
from cellbench.ranking.resampling import draw_counts, percentile_intervals, with_full_table
from cellbench.ranking.tables import Floats


class Means(NamedTuple):
    """Means over images: of all images first, then of each bootstrap sample; NaN without an image.

    Attributes:
        clean: (1 + samples,), mean on unchanged images.
        perturbed: (1 + samples,), mean on the same images perturbed.
        relative: (1 + samples,), perturbed / clean; NaN where clean is 0.
        images: number of images.
    """

    clean: Floats
    perturbed: Floats
    relative: Floats
    images: int


def relative_robustness(
    values: pd.DataFrame, *, samples: int = 1000, rng: np.random.Generator
) -> pd.DataFrame:
    """Compare the values on perturbed images with those on the same images unchanged.

    Relative robustness is the mean on perturbed images divided by the mean on the same images unchanged.
    The bootstrap draws images, and an image that is drawn brings all its values, unchanged and perturbed,
    of every algorithm: the comparison is paired. Over all kinds, relative robustness is the mean of that of
    the kinds; a mean value is not computed, because some kinds do not exist for every image.

    Args:
        values: algorithm, kind, severity, image, f1; one row each, with the severity 0 for unchanged
            images (of any one kind).
        samples: number of bootstrap samples.
        rng: draws the images.

    Returns:
        algorithm, kind, severity (NaN: mean over all), images, clean_f1, f1 and relative with their 95 %
        percentile intervals ``_low`` and ``_high``. For each algorithm first the mean over all kinds
        (``all``), then each kind: the mean over its severities and each severity.

    Raises:
        ScoresError: if an algorithm has no value on unchanged images.
    """
    images = sorted(values["image"].unique())
    counts = with_full_table(draw_counts(len(images), samples, rng))
    rows, columns = [], []
    for algorithm, own in values.groupby("algorithm", sort=False):
        for kind, severity, means in _means_of(str(algorithm), own, images, counts):
            rows.append((algorithm, kind, severity, means.images))
            columns.append(means)
    table = pd.DataFrame(rows, columns=["algorithm", "kind", "severity", "images"])
    for name, parts in (
        ("clean_f1", [each.clean for each in columns]),
        ("f1", [each.perturbed for each in columns]),
        ("relative", [each.relative for each in columns]),
    ):
        drawn = np.stack(parts, axis=1) if parts else np.empty((1 + samples, 0))
        table[name] = drawn[0]
        if name != "clean_f1":
            intervals = percentile_intervals(pd.DataFrame(drawn[1:]))
            table[f"{name}_low"], table[f"{name}_high"] = intervals["low"], intervals["high"]
    return table


def _means_of(
    algorithm: str, own: pd.DataFrame, images: list[str], counts: Floats
) -> Iterator[tuple[str, float, Means]]:
    """Yield kind, severity and means: over all kinds, then over each kind, then each severity."""
    unchanged = own["severity"] == 0
    if not unchanged.any():
        raise ScoresError(f"{algorithm}: has no values on unchanged images (severity 0)")
    clean = own[unchanged].set_index("image")["f1"].reindex(images).to_numpy(float)
    parts: list[tuple[str, float, Means]] = []
    totals = []
    for kind, rows in own[~unchanged].groupby("kind", sort=False):
        by_severity = rows.pivot(index="image", columns="severity", values="f1").reindex(images)
        total = _means(clean, by_severity.mean(axis=1, skipna=False).to_numpy(float), counts)
        totals.append(total)
        parts.append((str(kind), np.nan, total))
        for severity, column in by_severity.items():
            one = _means(clean, column.to_numpy(float), counts)
            parts.append((str(kind), float(str(severity)), one))
    if totals:
        every = _means(clean, clean, counts)
        relative = pd.DataFrame([total.relative for total in totals]).mean(axis=0).to_numpy()
        nothing = np.full_like(relative, np.nan)
        yield "all", np.nan, Means(every.clean, nothing, relative, every.images)
    yield from parts


def _means(clean: Floats, perturbed: Floats, counts: Floats) -> Means:
    known = np.isfinite(clean) & np.isfinite(perturbed)
    weights = counts[:, known]
    drawn = weights.sum(axis=1)
    with np.errstate(invalid="ignore"):  # a sample may have none of the images
        before, after = weights @ clean[known] / drawn, weights @ perturbed[known] / drawn
    relative = np.divide(after, before, out=np.full_like(after, np.nan), where=before > 0)
    return Means(before, after, relative, int(known.sum()))
