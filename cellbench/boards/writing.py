"""From files of scores, or any long table, to the files of a board."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

import pandas as pd

from cellbench.boards import provenance
from cellbench.boards.board import Board, rank_board, rank_modalities
from cellbench.boards.folder_names import folder_names
from cellbench.boards.generalisation import Unseen
from cellbench.boards.joined import join_boards
from cellbench.boards.long_table import Columns, read_long_table
from cellbench.boards.measured import Measured
from cellbench.boards.paper_table import write_paper_tables
from cellbench.boards.run_id import MODALITIES, replace_board, write_records
from cellbench.boards.runs import describe_runs
from cellbench.boards.schema import GENERALISATION, SCHEMA_VERSION, TABLES
from cellbench.boards.scores import (
    F1,
    THRESHOLD,
    check_same_truth,
    measure_scores,
    read_scores,
)
from cellbench.boards.submissions import find_scores, make_algorithms
from cellbench.boards.text_table import write_text
from cellbench.boards.unmatched import UNMATCHED, read_unmatched
from cellbench.entrants.entries import AlgorithmEntry, read_algorithm
from cellbench.errors import ScoresError
from cellbench.evaluation.protocols import Protocol
from cellbench.locks import locked_folder
from cellbench.ranking.options import BoardChoices, Options, make_options

_ALGORITHMS, _CONSENSUS = TABLES["algorithms"], TABLES["consensus"]
_NEW = ".ranking.partial"


@dataclass(frozen=True)
class Sources:
    """What a board is made from.

    Attributes:
        paths: one or more scores.csv or folders of submissions, or long tables; together one board.
        columns: which columns hold what, where the files are long tables other than scores.csv.
        measure: which column of scores.csv (or of a table of details) is ranked.
        protocol: under which scores were made; None: the record beside them names it, or it is
            neurips22.
        entries: ``entry.yaml`` files or their folders, which describe algorithms that were run here.
        unseen: which images are from sources that training did not see, where this is known.
    """

    paths: Sequence[str | Path]
    columns: Columns | None = None
    measure: str = F1
    protocol: str | None = None
    entries: Sequence[str | Path] = ()
    unseen: Unseen | None = None


def write_board(
    paths: Sequence[str | Path],
    out: str | Path,
    *,
    columns: Columns | None = None,
    measure: str = F1,
    protocol: str | None = None,
    entries: Sequence[str | Path] = (),
    **choices: Unpack[BoardChoices],
) -> pd.DataFrame:
    """Rank the algorithms of scores.csv files, or of long tables; write every table of the board.

    Made again from the same input on the same machine, the files are the same byte for byte. If the
    process is killed, the board is still the old one or already the new one; if the kill comes between
    the two, [`cellbench.boards.reading.read_board`][] notices and refuses the board.

    Args:
        paths: one or more scores.csv or folders of submissions, together one board.
        out: the board's folder; gets the tables that [`cellbench.boards.schema`][] describes and
            provenance.json; where the images are of two modalities or more also, in ``modalities/``,
            the same tables for each.
        columns: which columns hold what, where the files are long tables other than scores.csv.
        measure: which column of scores.csv is ranked, see [`Sources`][].
        protocol: under which scores were made, see [`Sources`][].
        entries: ``entry.yaml`` files or their folders, which describe algorithms that were run here.
        **choices: ``ties``, ``scheme``, ``bootstrap``, ``seed``, ``weights`` and ``alpha``: see
            [`cellbench.ranking.Options`][].

    Returns:
        The leaderboard, best first.

    Raises:
        ScoresError: if a table cannot be read or ranked.
        EntrantError: if an entry or a submission has faults.
        UsageError: if an option is not known or out of range.
        WriteError: if a file cannot be written.
    """
    sources = Sources(paths, columns, measure, protocol, entries)
    return rank_sources(sources, out, make_options(choices, BoardChoices)).leaderboard


def rank_sources(sources: Sources, out: str | Path, options: Options) -> Board:
    """Rank and write a board; see [`write_board`][].

    Args:
        sources: what the board is made from.
        out: the board's folder.
        options: how to rank.

    Returns:
        The board of all images together.

    Raises:
        ScoresError: if a table cannot be read or ranked.
        EntrantError: if an entry or a submission has faults.
        UsageError: if the measure or protocol is not known.
        WriteError: if a file cannot be written.
    """
    entries = [read_algorithm(path) for path in sources.entries]
    made_under, measured, submitted, unmatched = _read(sources)
    board = rank_board(measured, options, sources.unseen)
    modalities = rank_modalities(measured, options)
    command = provenance.describe_command(
        sources.paths,
        options,
        sources.columns,
        sources.measure,
        sources.unseen.manifest if sources.unseen else None,
    )
    record = {
        "schema_version": SCHEMA_VERSION,
        "protocol": made_under and made_under.describe(),
        "threshold": made_under and THRESHOLD,
        **provenance.describe_ranking(measured, options),
        **provenance.describe_origin(sources.paths, command),
        "runs": describe_runs(sources.entries, entries),
    }
    names = list(board.leaderboard["algorithm"])
    if known := {name: files for name, files in unmatched.items() if name in names}:
        record[UNMATCHED] = known
    algorithms = make_algorithms(names, entries, submitted)
    _write_all(board, modalities, algorithms, record, Path(out))
    return board


def _read(
    sources: Sources,
) -> tuple[Protocol | None, Measured, list[AlgorithmEntry], dict[str, list[str]]]:
    if sources.columns is not None:
        return None, read_long_table(sources.paths, sources.columns), [], {}
    files, submitted = find_scores(sources.paths, sources.measure)
    scores = read_scores(files, sources.measure)
    made_under = provenance.find_protocol(files, sources.protocol)
    if not made_under.skips_empty_tiles:
        check_same_truth(scores)
    measured = measure_scores(scores, made_under.rank_decimals, sources.measure)
    return made_under, measured, submitted, read_unmatched(files)


def _write_all(
    board: Board,
    modalities: Mapping[str, Board],
    algorithms: pd.DataFrame,
    record: Mapping[str, Any],
    out: Path,
) -> None:
    """Write the tables beside those of an earlier ranking, then replace these in one quick step."""
    folders = folder_names(modalities)
    tables = board.tables() | {_ALGORITHMS.name: algorithms}
    if board.generalisation is not None:
        tables[GENERALISATION.name] = board.generalisation
    if modalities:
        ranks = {
            name: part.leaderboard.set_index("algorithm")["rank"]
            for name, part in modalities.items()
        }
        tables[_CONSENSUS.name] = join_boards(ranks, ties=record["ties"])
    records = {"": {**record, **_facts(board), MODALITIES: folders}}
    with locked_folder(out, ScoresError):
        new = out / _NEW
        shutil.rmtree(new, ignore_errors=True)  # of a run that was killed
        try:
            for name, part in modalities.items():
                place = f"{MODALITIES}/{folders[name]}"
                records[place] = {**record, **_facts(part), "modality": name, MODALITIES: {}}
                _write(part.tables(), new / place)
                write_paper_tables(part, records[place], new / place)
            _write(tables, new)
            write_paper_tables(board, records[""], new)
            write_records(new, records)
            replace_board(new, out)
        finally:
            shutil.rmtree(new, ignore_errors=True)


def _facts(board: Board) -> dict[str, Any]:
    return {
        "ranked_on": board.ranked_on,
        "ranked_on_reason": board.reason,
        "algorithms": len(board.leaderboard),
        "images": int(board.leaderboard["images"].iloc[0]),
    }


def _write(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    for name, table in tables.items():
        write_text(table, folder / f"{name}.csv")
