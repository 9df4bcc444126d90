"""What a board ranks: a value, and perhaps a running time, of every algorithm on every image."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from cellbench.errors import ScoresError
from cellbench.evaluation.statuses import Status
from cellbench.ranking.challenge import known_runtimes, round_values
from cellbench.ranking.tables import Missing

OWN_TOLERANCE = "the board's own"
_TOLERANCES = {"no tolerance": 0.0, "half": 0.5, "twice": 2.0}


@dataclass(frozen=True)
class Measured:
    """The rows of a board, and how they are ranked.

    Attributes:
        rows: algorithm, image, modality, status, the value, runtime_s, tolerance_s,
            rank_runtime_s; sorted by algorithm and image; every algorithm has every image once.
        value: the column that is ranked.
        higher_is_better: whether larger values are better.
        decimals: ranks see the value rounded to this many decimals; None: not rounded.
        missing: what a missing value is, see [`cellbench.ranking.Options`][]; but ``worst`` is
            infinitely bad here, so that it is worst under every scheme.
        failures: how a failure or missing value counts, in words.
        untimed: why running times are not ranked, in words; used where they are not.
        unit: what one of the things that are compared is called, "image" or "case".
    """

    rows: pd.DataFrame
    value: str = "f1"
    higher_is_better: bool = True
    decimals: int | None = None
    missing: Missing = "worst"
    failures: str = ""
    untimed: str = ""
    unit: str = "image"

    def table(self, column: str) -> pd.DataFrame:
        """Turn one column into a table.

        Args:
            column: its name.

        Returns:
            Index images, columns algorithms.
        """
        return self.rows.pivot(index="image", columns="algorithm", values=column)

    @cached_property
    def values(self) -> pd.DataFrame:
        """The values as ranks see them: missing ones filled in, all rounded."""
        return round_values(self.filled, self.decimals)

    @cached_property
    def filled(self) -> pd.DataFrame:
        """The values, not rounded, with missing ones filled in."""
        table = self.table(self.value)
        return fill_missing(table, self.missing, higher_is_better=self.higher_is_better)

    @cached_property
    def times(self) -> pd.DataFrame | None:
        """The rank runtimes; None where some algorithm has none at all."""
        return known_runtimes(self.table("rank_runtime_s"))

    def tolerances(self) -> dict[str, pd.DataFrame] | None:
        """Return the rank runtimes under other tolerances by name; None where times are missing."""
        ok = self.rows["status"] == Status.OK
        known = self.rows.loc[ok, ["runtime_s", "tolerance_s"]].notna().to_numpy().all()
        if self.times is None or not known:
            return None
        tables = {OWN_TOLERANCE: self.times}
        for name, factor in _TOLERANCES.items():
            excess = (self.rows["runtime_s"] - factor * self.rows["tolerance_s"]).clip(lower=0)
            rows = self.rows.assign(excess=excess.where(ok, np.inf))
            tables[name] = replace(self, rows=rows).table("excess")
        return tables

    def by_modality(self) -> dict[str, "Measured"]:
        """Return the part of each modality by name; nothing where there are fewer than two."""
        parts = dict(tuple(self.rows.groupby("modality", sort=True)))
        if len(parts) < 2:
            return {}
        return {str(name): replace(self, rows=rows) for name, rows in parts.items()}


def fill_missing(table: pd.DataFrame, missing: Missing, *, higher_is_better: bool) -> pd.DataFrame:
    """Fill in the missing values of a table.

    Args:
        table: index images, columns algorithms.
        missing: with what, see [`Measured`][]; ``drop`` leaves them missing.
        higher_is_better: whether larger values are better.

    Returns:
        The filled table.
    """
    if missing == "worst":
        return table.fillna(-np.inf if higher_is_better else np.inf)
    return table if isinstance(missing, str) else table.fillna(missing)


def one_modality_each(rows: pd.DataFrame, source: str) -> pd.DataFrame:
    """Fill in the modality where some rows of an image leave it empty.

    Args:
        rows: image and modality, empty where it is not known.
        source: what an error calls the table.

    Returns:
        The rows, with one modality for each image.

    Raises:
        ScoresError: if an image has two modalities.
    """
    named = rows.loc[rows["modality"] != "", ["image", "modality"]].drop_duplicates()
    twice = named[named.duplicated("image", keep=False)]
    if len(twice):
        image = twice["image"].iloc[0]
        kinds = " and ".join(map(repr, sorted(twice.loc[twice["image"] == image, "modality"])))
        raise ScoresError(
            f"{source}: the image {image!r} has the modalities {kinds}; keep one of them, or "
            "give different images different names"
        )
    known = dict(zip(named["image"], named["modality"], strict=True))
    return rows.assign(modality=[known.get(image, "") for image in rows["image"]])
