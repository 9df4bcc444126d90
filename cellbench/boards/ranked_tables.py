"""The tables that every board has, whether it was just ranked or read from its folder."""

from dataclasses import dataclass, fields

import pandas as pd


@dataclass(frozen=True)
class RankedTables:
    """The tables of a ranking; each is the CSV of its field's name.

    Their columns are described in [`cellbench.boards.schema`][].

    Attributes:
        leaderboard: one row per algorithm, best first.
        values: what was ranked, as a table.
        ranks: the ranks on each image.
        schemes: the ranking under each of the five schemes.
        significance: the paired tests.
        clusters: groups that do not differ significantly.
        bootstrap: how often each algorithm had each rank.
        kendall_tau: how each bootstrap sample agrees with the full ranking.
        intervals: 95 % intervals of the leaderboard's numbers.
        outranking: how often one algorithm outranks another.
        sensitivity: the ranking under other options.
    """

    leaderboard: pd.DataFrame
    values: pd.DataFrame
    ranks: pd.DataFrame
    schemes: pd.DataFrame
    significance: pd.DataFrame
    clusters: pd.DataFrame
    bootstrap: pd.DataFrame
    kendall_tau: pd.DataFrame
    intervals: pd.DataFrame
    outranking: pd.DataFrame
    sensitivity: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables by name."""
        return {field.name: getattr(self, field.name) for field in fields(RankedTables)}
