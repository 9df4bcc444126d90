"""generalisation.csv: how much worse each algorithm is on images of sources that training did not see."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from cellbench.boards.measured import Measured
from cellbench.boards.schema import GENERALISATION
from cellbench.choices import Scheme
from cellbench.errors import ScoresError
from cellbench.labels.names import match_stems
from cellbench.ranking.options import Options
from cellbench.ranking.resampling import bootstrap_table, draw_counts, percentile_intervals


@dataclass(frozen=True)
class Unseen:
    """Which test images are from sources that training did not see.

    Attributes:
        manifest: the file that states it, as ``cellbench data split`` writes it.
        images: by stem of the image; True if its source was left out of the training split.
    """

    manifest: Path
    images: Mapping[str, bool]


@np.errstate(invalid="ignore")  # differences of infinitely bad values
def make_generalisation(measured: Measured, unseen: Unseen, options: Options) -> pd.DataFrame:
    """Return generalisation.csv: in-source and out-of-source means, and the drop between them.

    The intervals are 95 % bootstrap percentiles. The images of both groups are different ones, so each
    group is drawn by itself (an unpaired, two-sample bootstrap). All algorithms are computed on the same
    draws, so that they can be compared with each other.

    Args:
        measured: what is ranked.
        unseen: the group of each image.
        options: number of bootstrap samples and seed.

    Returns:
        Largest out-of-source value first where larger values are better, otherwise the smallest; equal ones
        by name. An infinite number stays empty.

    Raises:
        ScoresError: if the manifest does not state the group of an image, or all images are of one group.
    """
    groups = _groups(measured, unseen)
    rng = np.random.default_rng(options.seed)
    how = replace(
        options,
        scheme=Scheme.MEAN_THEN_RANK,
        higher_is_better=measured.higher_is_better,
        missing=measured.missing,
    )
    estimates, samples = {}, {}
    for name, own in (("in_source", ~groups), ("out_of_source", groups)):
        table = measured.filled.loc[own]
        draws = bootstrap_table(table, draw_counts(len(table), options.bootstrap, rng), how)
        quantity = f"{name}_mean_{measured.value}"
        estimates[quantity], samples[quantity] = draws.full["value"], draws.values
    seen, new = estimates
    sign = 1 if measured.higher_is_better else -1
    estimates["drop"] = sign * (estimates[seen] - estimates[new])
    samples["drop"] = sign * (samples[seen] - samples[new])
    parts: list[pd.Series | pd.DataFrame] = [estimates[name].rename(name) for name in estimates]
    parts += [percentile_intervals(drawn).add_prefix(f"{name}_") for name, drawn in samples.items()]
    table = pd.concat(parts, axis=1).rename_axis("algorithm").sort_index()
    table = table.sort_values(new, ascending=not measured.higher_is_better, kind="stable")
    table = table.assign(
        in_source_images=int((~groups).sum()), out_of_source_images=int(groups.sum())
    )
    table = table.replace([np.inf, -np.inf], np.nan).reset_index()
    return table[GENERALISATION.names(measured.value)]


def _groups(measured: Measured, unseen: Unseen) -> pd.Series:
    """Return which images are out-of-source; index images."""
    images = list(measured.filled.index)
    found = match_stems(images, unseen.images)
    if lacking := [image for image in images if image not in found]:
        raise ScoresError(
            f"{unseen.manifest}: the column `domain` states nothing about the image {lacking[0]!r} and "
            f"{len(lacking) - 1} more; use the manifest of the dataset that the scores were made on"
        )
    groups = pd.Series(found).reindex(images).astype(bool)
    if groups.nunique() < 2:
        only = "out-of-source" if groups.iloc[0] else "in-source"
        raise ScoresError(
            f"{unseen.manifest}: all images of the scores are {only}; both kinds are needed to compare them"
        )
    return groups


def describe_generalisation(table: pd.DataFrame, value: str) -> str:
    """Return the table for a terminal, with a sentence on how to read it.

    Args:
        table: as [`make_generalisation`][] returns it.
        value: the name of what is ranked.
    """
    ends = [
        "" if pd.isna(low) or pd.isna(high) else f"{low:.4f} to {high:.4f}"
        for low, high in zip(table["drop_low"], table["drop_high"], strict=True)
    ]
    columns = ["algorithm", f"in_source_mean_{value}", f"out_of_source_mean_{value}", "drop"]
    shown = table[columns].assign(drop_interval=ends)
    seen, new = table[["in_source_images", "out_of_source_images"]].iloc[0]
    return (
        shown.to_string(index=False, na_rep="", float_format="{:.4f}".format)
        + f"\nThe drop is how much worse an algorithm is on {new} images of sources that were left out of "
        f"the training split than on {seen} others, with its 95 % bootstrap interval."
    )
