"""From files of scores to the files of a board."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cellbench.files import written_whole
from cellbench.ranking import provenance
from cellbench.ranking.board import Board, rank_board
from cellbench.ranking.schemes import Scheme
from cellbench.ranking.scores import THRESHOLD, read_scores
from cellbench.ranking.tables import Ties


def write_board(
    scores_paths: Sequence[str | Path],
    out: str | Path,
    *,
    ties: Ties = "min",
    scheme: Scheme = "rank-then-mean",
    bootstrap: int = 1000,
    seed: int = 2022,
    protocol: str | None = None,
) -> pd.DataFrame:
    """Rank the algorithms of scores.csv files; write every table of the board and its provenance.

    Made again from the same scores on the same machine, the files are the same byte for byte.

    Args:
        scores_paths: one or more scores.csv, together one board.
        out: the board's folder; gets leaderboard.csv, ranks.csv, schemes.csv, significance.csv,
            bootstrap.csv, kendall_tau.csv and provenance.json.
        ties: see :func:`cellbench.ranking.case_ranks`.
        scheme: see :func:`cellbench.ranking.rank_board`.
        bootstrap: how many samples.
        seed: of the bootstrap.
        protocol: under which the scores were made; otherwise the record beside them says so, or it
            is neurips22.

    Returns:
        The leaderboard, best first.

    Raises:
        ScoresError: if the scores cannot be read or ranked, or an option is not known.
    """
    scores = read_scores(scores_paths)
    made_under = provenance.find_protocol(scores_paths, protocol)
    board = rank_board(
        scores,
        ties=ties,
        scheme=scheme,
        samples=bootstrap,
        seed=seed,
        decimals=made_under.rank_decimals,
    )
    options = {"ties": ties, "scheme": scheme, "bootstrap": bootstrap, "seed": seed}
    record = {
        "protocol": made_under.describe(),
        "threshold": THRESHOLD,
        **options,
        "failures": "F1 0 and an infinite rank runtime, which ties as worst",
        "ranked_on": board.ranked_on,
        "ranked_on_reason": _reason(board),
        "algorithms": len(board.leaderboard),
        "images": scores["image"].nunique(),
        "scores": provenance.describe_scores(scores_paths),
        "software": provenance.describe_software(),
        "commit": provenance.find_commit(),
        "hardware": provenance.describe_hardware(),
        "command": provenance.describe_command(scores_paths, options),
    }
    _write(board, record, Path(out))
    return board.leaderboard


def _reason(board: Board) -> str:
    if len(board.ranked_on) > 1:
        return "every algorithm has running times"
    return "some algorithm has no running times, so all are ranked on F1 alone"


def _write(board: Board, record: dict[str, Any], out: Path) -> None:
    for field in dataclasses.fields(board):
        with written_whole(out / f"{field.name}.csv") as path:
            table: pd.DataFrame = getattr(board, field.name)
            table.to_csv(path, index=False, lineterminator="\n")
    with written_whole(out / provenance.PROVENANCE_FILE) as path:
        path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
