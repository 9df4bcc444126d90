"""The tables of a board, read back from its folder."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from cellbench.boards.columns import Table
from cellbench.boards.ranked_tables import RankedTables
from cellbench.boards.record import AGAIN, check_version, read_record
from cellbench.boards.run_id import MODALITIES, RUN_ID, TABLE_DIGESTS, check_run
from cellbench.boards.schema import (
    GENERALISATION,
    PROVENANCE_FILE,
    TABLES,
    MetricName,
    consensus_names,
)
from cellbench.boards.table_files import read_by_place, read_table
from cellbench.boards.unmatched import UNMATCHED
from cellbench.choices import Scheme
from cellbench.errors import ScoresError

_FACTS: dict[str, tuple[type, ...]] = {
    "value": (str,),
    "value_title": (str,),
    "higher_is_better": (bool,),
    "unit": (str,),
    "missing": (str, int, float),
    "ranked_on": (list,),
    "modalities": (dict,),
    "protocol": (dict, type(None)),
    "ties": (str,),
    "scheme": (str,),
    "weights": (list,),
    "alpha": (int, float),
    RUN_ID: (str,),
    TABLE_DIGESTS: (dict,),
}
"""What provenance.json must state for a board to be drawn, and the types it can have."""
_EXTRAS: dict[str, tuple[type, ...]] = {
    "scores": (list,),
    "software": (dict,),
    "hardware": (dict,),
    "threshold": (int, float),
    UNMATCHED: (dict,),
}
"""What a page shows in addition, where it is stated."""
_OF_PAIRS = ("significance", "outranking")
"""The tables that are empty if there is a single algorithm; all others have rows."""


@dataclass(frozen=True)
class BoardTables(RankedTables):
    """A board as ``cellbench rank`` wrote it: its tables, and what provenance.json states.

    Attributes:
        folder: the board's folder.
        provenance: what was ranked and how, as in provenance.json.
        consensus: the ranks on each modality and their mean; None where there is one modality.
        algorithms: what the entries state; None for the board of a single modality.
        generalisation: in-source and out-of-source images side by side; None where this is not known.
    """

    folder: Path
    provenance: Mapping[str, Any]
    consensus: pd.DataFrame | None
    algorithms: pd.DataFrame | None
    generalisation: pd.DataFrame | None

    @property
    def value(self) -> str:
        """The name of what was ranked: a column of ``values`` and a metric of the other tables."""
        return str(self.provenance["value"])

    @property
    def value_title(self) -> str:
        """The words for ``value``."""
        return str(self.provenance["value_title"])

    @property
    def higher_is_better(self) -> bool:
        """Whether larger values are better."""
        return bool(self.provenance["higher_is_better"])

    @property
    def unit(self) -> str:
        """What one of the things that were compared is called, "image" or "case"."""
        return str(self.provenance["unit"])

    @property
    def scored(self) -> bool:
        """Whether a measure of scores was ranked, and not any value of a long table."""
        return self.provenance["protocol"] is not None

    @property
    def timed(self) -> bool:
        """Whether running times count in the ranking."""
        return MetricName.RANK_RUNTIME in self.provenance["ranked_on"]

    @property
    def modalities(self) -> dict[str, Path]:
        """The boards of single modalities: name to folder; none where there is one modality."""
        folders = self.provenance["modalities"]
        return {name: self.folder / MODALITIES / folder for name, folder in folders.items()}

    @cached_property
    def ranking(self) -> pd.Series:
        """The ranks, best first; index algorithms."""
        return self.leaderboard.set_index("algorithm")["rank"]


def read_board(folder: str | Path) -> BoardTables:
    """Read the tables of a board.

    Args:
        folder: what [`cellbench.boards.write_board`][] wrote; also the folder of one modality.

    Returns:
        The tables; numbers that are not known are NaN.

    Raises:
        ScoresError: if a file is missing or damaged, the files are not of one board, or the board was
            made by a version of cellbench with other tables; ``cellbench rank`` writes them again.
    """
    folder = Path(folder)
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "no such folder"
        raise ScoresError(f"{folder}: {what}; name the folder of a board that cellbench rank wrote")
    facts = _read_facts(folder / PROVENANCE_FILE)
    check_run(folder, facts)
    tables = {
        field.name: read_table(folder, TABLES[field.name], facts["value"])
        for field in fields(RankedTables)
    }
    board = BoardTables(
        folder=folder,
        provenance=facts,
        **tables,
        consensus=_read_consensus(folder, facts["modalities"]),
        algorithms=_read_optional(folder, TABLES["algorithms"], facts),
        generalisation=_read_optional(folder, GENERALISATION, facts),
    )
    for name in (*tables, "consensus", "algorithms", "generalisation"):
        table = getattr(board, name)
        if table is not None and table.empty and name not in _OF_PAIRS:
            raise ScoresError(f"{folder / name}.csv: has no rows; {AGAIN}")
    return board


def _read_facts(path: Path) -> dict[str, Any]:
    facts = read_record(path)
    check_version(path, facts)
    missing = [name for name in _FACTS if name not in facts]
    if missing:
        raise ScoresError(f"{path}: {', '.join(missing)} is missing; {AGAIN}")
    stated = {name: kinds for name, kinds in _EXTRAS.items() if facts.get(name) is not None}
    for name, kinds in (_FACTS | stated).items():
        if not isinstance(facts[name], kinds) or facts[name] == []:
            raise ScoresError(f"{path}: `{name}` cannot be {facts[name]!r}; {AGAIN}")
    if facts["scheme"] not in tuple(Scheme):
        raise ScoresError(f"{path}: `scheme` cannot be {facts['scheme']!r}; {AGAIN}")
    if not all(map(_is_folder_name, facts["modalities"].values())):
        raise ScoresError(f"{path}: `modalities` does not name folders of this board; {AGAIN}")
    return facts


def _is_folder_name(name: object) -> bool:
    return isinstance(name, str) and name not in ("", "..") and Path(name).name == name


def _read_consensus(folder: Path, modalities: Mapping[str, str]) -> pd.DataFrame | None:
    if not modalities:
        return None
    path = folder / TABLES["consensus"].file
    return read_by_place(path, consensus_names(modalities), AGAIN)


def _read_optional(folder: Path, described: Table, facts: Mapping[str, Any]) -> pd.DataFrame | None:
    """Return a table that not every board has; None where this board has none."""
    there = described.file in facts[TABLE_DIGESTS]
    return read_table(folder, described, facts["value"]) if there else None
