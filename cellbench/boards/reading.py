"""The tables of a board, read back from its folder."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from cellbench.errors import ScoresError

# What pandas makes of a cell. Only numbers may be missing: an algorithm may be called "NA".
_TEXT = {
    *("algorithm", "image", "modality", "status", "metric", "scheme", "better", "worse"),
    *("quantity", "option", "choice"),
}
_WHOLE = {"sample", "cluster", "failed", "images", "pairs"}
_YES_OR_NO = {"significant"}

_TABLES = {
    "ranks": "algorithm image metric rank",
    "schemes": "metric scheme algorithm value rank",
    "significance": "metric better worse pairs statistic p p_holm significant",
    "clusters": "metric cluster algorithm",
    "bootstrap": "metric scheme algorithm rank frequency",
    "kendall_tau": "metric scheme sample tau",
    "intervals": "algorithm quantity estimate low high",
    "outranking": "metric scheme better worse probability tied",
    "sensitivity": "option choice algorithm rank places",
}
_FACTS = (
    *("value", "value_title", "higher_is_better", "missing", "ranked_on", "modalities"),
    *("ties", "scheme", "weights", "alpha"),
)


@dataclass(frozen=True)
class BoardTables:
    """A board as ``cellbench rank`` wrote it; each DataFrame is the CSV of its field's name.

    Attributes:
        folder: the board's folder.
        provenance: what was ranked and how, as in provenance.json.
        leaderboard: one row per algorithm, best first.
        values: algorithm, image, modality, status, the value, runtime_s, rank_runtime_s.
        ranks: algorithm, image, metric, rank.
        schemes: metric, scheme, algorithm, value, rank.
        significance: metric, better, worse, pairs, statistic, p, p_holm, significant.
        clusters: metric, cluster, algorithm.
        bootstrap: metric, scheme, algorithm, rank, frequency.
        kendall_tau: metric, scheme, sample, tau.
        intervals: algorithm, quantity, estimate, low, high.
        outranking: metric, scheme, better, worse, probability, tied.
        sensitivity: option, choice, algorithm, rank, places.
        consensus: algorithm, its rank on each modality, mean_rank, rank; None where there is no
            board per modality.
        algorithms: what the entries tell, all text; None for a single modality.
    """

    folder: Path
    provenance: Mapping[str, Any]
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
    consensus: pd.DataFrame | None
    algorithms: pd.DataFrame | None

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
    def timed(self) -> bool:
        """Whether running times count in the ranking."""
        return "rank_runtime" in self.provenance["ranked_on"]

    @property
    def modalities(self) -> dict[str, Path]:
        """The boards of single modalities: name to folder; none where there is one modality."""
        folders = self.provenance["modalities"]
        return {name: self.folder / "modalities" / folder for name, folder in folders.items()}

    @cached_property
    def ranking(self) -> pd.Series:
        """The ranks, best first; index algorithms."""
        return self.leaderboard.set_index("algorithm")["rank"]


def read_board(folder: str | Path) -> BoardTables:
    """Read the tables of a board.

    Args:
        folder: what :func:`cellbench.ranking.write_board` wrote; also the folder of one modality.

    Returns:
        The tables; numbers that are not known are NaN.

    Raises:
        ScoresError: if a file is absent or damaged, or they are not of one board;
            ``cellbench rank`` writes them again.
    """
    folder = Path(folder)
    facts = _read_facts(folder / "provenance.json")
    value = facts["value"]
    own = {
        "leaderboard": [
            *("rank", "algorithm", "score", "mean_rank", f"mean_rank_{value}", "mean_rank_runtime"),
            *("rank_low", "rank_high", f"median_{value}", f"{value}_q1", f"{value}_q3"),
            *(f"mean_{value}", f"mean_{value}_low", f"mean_{value}_high"),
            *("median_runtime_s", "within_tolerance", "failed", "images"),
        ],
        "values": [
            "algorithm",
            "image",
            "modality",
            "status",
            value,
            "runtime_s",
            "rank_runtime_s",
        ],
    }
    columns = own | {name: words.split() for name, words in _TABLES.items()}
    told = folder / "algorithms.csv"
    tables = {
        name: _read_table(folder / f"{name}.csv", names, {value} if name == "values" else set())
        for name, names in columns.items()
    }
    board = BoardTables(
        folder=folder,
        provenance=facts,
        **tables,
        consensus=_read_consensus(folder, facts["modalities"]),
        algorithms=_read_words(told) if told.is_file() else None,
    )
    _check_one_board(folder, **tables)
    return board


def _check_one_board(folder: Path, leaderboard: pd.DataFrame, **others: pd.DataFrame) -> None:
    """Refuse tables of several runs of ``cellbench rank``, such as one that was stopped leaves."""
    ranked = set(leaderboard["algorithm"])
    for name, table in others.items():
        pairs = {"better", "worse"} & set(table)
        if "algorithm" not in table and (not pairs or len(ranked) == 1):
            continue
        named = set(table[[*pairs] or ["algorithm"]].to_numpy().ravel())
        if not ranked or named != ranked:
            raise ScoresError(f"{folder}: leaderboard.csv is not of {name}.csv; run cellbench rank")


def _read_facts(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error
    lacking = [name for name in _FACTS if not isinstance(facts, dict) or name not in facts]
    if lacking:
        raise ScoresError(f"{path}: lacks {', '.join(lacking)}; run cellbench rank")
    folders = facts["modalities"]
    if not isinstance(folders, dict) or not all(map(_is_folder_name, folders.values())):
        raise ScoresError(f"{path}: modalities are no folders of this board; run cellbench rank")
    return dict(facts)


def _is_folder_name(name: object) -> bool:
    return isinstance(name, str) and name not in ("", "..") and Path(name).name == name


def _read_consensus(folder: Path, modalities: Mapping[str, str]) -> pd.DataFrame | None:
    if not modalities:
        return None
    path = folder / "consensus.csv"
    columns = ["algorithm", *modalities, "mean_rank", "rank"]
    text = _read_words(path)
    try:
        # By place: a modality may be called "", which pandas takes for no name.
        ranks = text.iloc[:, 1:].apply(pd.to_numeric)
        table: pd.DataFrame = pd.concat([text.iloc[:, 0], ranks], axis=1).set_axis(columns, axis=1)
    except ValueError as error:
        raise _damaged(path, error) from error
    return table


def _read_words(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error


def _read_table(path: Path, columns: list[str], measured: set[str]) -> pd.DataFrame:
    # What a long table measured may be called by any of a board's own words.
    kinds = {name: float if name in measured else _kind(name) for name in columns}
    numbers = {name: [""] for name, kind in kinds.items() if kind is float}
    try:
        table = pd.read_csv(
            path,
            usecols=columns,
            dtype=kinds,
            na_values=numbers,
            keep_default_na=False,
            encoding="utf-8-sig",
        )
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error
    return table[columns]


def _kind(column: str) -> type:
    if column in _TEXT:
        return str
    if column in _WHOLE:
        return int
    return bool if column in _YES_OR_NO else float


def _damaged(path: Path, error: Exception) -> ScoresError:
    reason = " ".join(str(error).split())
    return ScoresError(f"{path}: cannot be read ({reason}); run cellbench rank")
