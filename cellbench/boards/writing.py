"""From files of scores, or any long table, to the files of a board."""

import json
import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cellbench.boards import provenance
from cellbench.boards.board import Board, rank_board, rank_modalities
from cellbench.boards.folder_names import folder_names
from cellbench.boards.joined import join_boards
from cellbench.boards.long_table import Columns, read_long_table
from cellbench.boards.measured import Measured
from cellbench.boards.scores import THRESHOLD, check_same_truth, measure_scores, read_scores
from cellbench.boards.submissions import find_scores, make_algorithms
from cellbench.boards.text_table import write_text
from cellbench.entrants.entries import AlgorithmEntry, read_algorithm
from cellbench.evaluation.protocols import Protocol
from cellbench.files import written_whole
from cellbench.ranking.options import Options
from cellbench.ranking.schemes import Scheme
from cellbench.ranking.tables import Ties

MODALITIES = "modalities"
"""The folder of the boards of single modalities."""
CONSENSUS = "consensus"


def write_board(
    paths: Sequence[str | Path],
    out: str | Path,
    *,
    ties: Ties = "min",
    scheme: Scheme = "rank-then-mean",
    bootstrap: int = 1000,
    seed: int = 2022,
    weights: tuple[float, float] = (1.0, 1.0),
    alpha: float = 0.05,
    columns: Columns | None = None,
    protocol: str | None = None,
    entries: Sequence[str | Path] = (),
) -> pd.DataFrame:
    """Rank the algorithms of scores.csv files, or of long tables; write every table of the board.

    Made again from the same input on the same machine, the files are the same byte for byte.

    Args:
        paths: one or more scores.csv or folders of submissions, together one board.
        out: the board's folder; gets a CSV for each table of :class:`cellbench.ranking.Board`,
            algorithms.csv (what their entries tell) and provenance.json; where the images are of two
            modalities or more also consensus.csv and, in ``modalities/``, the same tables for each.
        ties: of :class:`cellbench.ranking.Options`, as are the options down to ``alpha``.
        scheme: of the leaderboard and the bootstrap.
        bootstrap: how many samples.
        seed: of their draws.
        weights: of F1 and the running time.
        alpha: largest significant p value.
        columns: what holds what, where the files are other long tables than scores.csv.
        protocol: under which scores were made; otherwise the record beside them says so, or it is
            neurips22.
        entries: ``entry.yaml`` files or their folders, which tell of the algorithms that were run.

    Returns:
        The leaderboard, best first.

    Raises:
        ScoresError: if a table cannot be read or ranked.
        EntrantError: if an entry or a submission has faults.
        UsageError: if an option is not known or out of range.
    """
    options = Options(ties, scheme, bootstrap, seed, weights, alpha)
    told = [read_algorithm(path) for path in entries]
    if columns is not None:
        made_under, measured = None, read_long_table(paths, columns)
        submitted: list[AlgorithmEntry] = []
    else:
        files, submitted = find_scores(paths)
        made_under, measured = _measure(files, protocol)
    board, modalities = rank_board(measured, options), rank_modalities(measured, options)
    record = {
        "protocol": made_under and made_under.describe(),
        "threshold": made_under and THRESHOLD,
        **provenance.describe_ranking(measured, options),
        **provenance.describe_origin(paths, options, columns),
    }
    algorithms = make_algorithms(board.leaderboard["algorithm"], told, submitted)
    write_text(algorithms, Path(out) / "algorithms.csv")
    _write_all(board, modalities, record, Path(out))
    return board.leaderboard


def _measure(files: Sequence[Path], protocol: str | None) -> tuple[Protocol, Measured]:
    scores = read_scores(files)
    made_under = provenance.find_protocol(files, protocol)
    if not made_under.skips_empty_tiles:
        check_same_truth(scores)
    return made_under, measure_scores(scores, made_under.rank_decimals)


def _write_all(
    board: Board, modalities: Mapping[str, Board], record: Mapping[str, Any], out: Path
) -> None:
    folders = folder_names(modalities)
    _remove_others(out, folders.values())
    for name, part in modalities.items():
        its_own = {**record, **_facts(part), "modality": name, MODALITIES: {}}
        _write(part.tables(), its_own, out / MODALITIES / folders[name])
    tables = board.tables()
    if modalities:
        ranks = {
            name: part.leaderboard.set_index("algorithm")["rank"]
            for name, part in modalities.items()
        }
        tables[CONSENSUS] = join_boards(ranks, ties=record["ties"])
    _write(tables, {**record, **_facts(board), MODALITIES: folders}, out)


def _remove_others(out: Path, folders: Collection[str]) -> None:
    """Remove what an earlier ranking wrote of modalities that the board no longer has."""
    for record in (out / MODALITIES).glob(f"*/{provenance.PROVENANCE_FILE}"):
        if record.parent.name not in folders and not record.parent.is_symlink():
            shutil.rmtree(record.parent)
    if not folders:
        (out / f"{CONSENSUS}.csv").unlink(missing_ok=True)


def _facts(board: Board) -> dict[str, Any]:
    return {
        "ranked_on": board.ranked_on,
        "ranked_on_reason": board.reason,
        "algorithms": len(board.leaderboard),
        "images": int(board.leaderboard["images"].iloc[0]),
    }


def _write(tables: Mapping[str, pd.DataFrame], record: Mapping[str, Any], out: Path) -> None:
    for name, table in tables.items():
        write_text(table, out / f"{name}.csv")
    with written_whole(out / provenance.PROVENANCE_FILE) as path:
        path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
