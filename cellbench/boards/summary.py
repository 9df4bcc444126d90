"""What ``cellbench rank`` prints of a board: its first rows, who leads, and who is too slow."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from cellbench.boards.board import Board
from cellbench.boards.generalisation import describe_generalisation
from cellbench.boards.measured import Measured
from cellbench.boards.verdict import verdict
from cellbench.evaluation.statuses import Status

_ROWS = 10


def describe_board(board: Board) -> str:
    """Return the summary of a board, for a terminal.

    Args:
        board: the board.

    Returns:
        The first rows of the leaderboard, how to read them, one sentence that states who leads, and a
        line for each algorithm that exceeds the time tolerance, where times are ranked; and in-source and
        out-of-source images side by side, where these are known.
    """
    leaderboard = board.leaderboard
    shown = _shown(board).head(_ROWS)
    lines = [shown.to_string(index=False, na_rep="", float_format="{:.4f}".format)]
    if len(leaderboard) > _ROWS:
        lines.append(f"… and {len(leaderboard) - _ROWS} more in leaderboard.csv")
    lines.append(
        "A lower score is better: it is the mean rank divided by the number of algorithms."
    )
    unit = board.measured.unit
    lines.append(verdict(leaderboard, board.significance, board.bootstrap, unit=unit).sentence)
    if board.measured.times is not None:
        lines += _slow(board.measured)
    if board.generalisation is not None:
        lines.append(describe_generalisation(board.generalisation, board.measured.value))
    return "\n".join(lines)


def _shown(board: Board) -> pd.DataFrame:
    value, leaderboard = board.measured.value, board.leaderboard
    columns = ["rank", "algorithm", "score", f"median_{value}", f"mean_{value}"]
    within = leaderboard["within_tolerance"]
    if within.notna().any():
        known = [
            f"{count}/{images}" if pd.notna(count) else ""
            for count, images in zip(within, leaderboard["images"], strict=True)
        ]
        leaderboard = leaderboard.assign(in_time=known)
        columns += ["in_time", "median_runtime_s"]
    return leaderboard[[*columns, "failed"]]


def _slow(measured: Measured) -> Iterator[str]:
    """Yield a line for each algorithm that takes longer than the tolerance on some image."""
    rows = measured.rows
    slow = rows.assign(above=np.isfinite(rows["rank_runtime_s"]) & (rows["rank_runtime_s"] > 0))
    for algorithm, own in slow.groupby("algorithm"):
        if own["above"].any():
            ok = own[own["status"] == Status.OK]
            medians = f"median running time {ok['runtime_s'].median():.3g} s"
            if ok["tolerance_s"].notna().any():
                medians += f", median tolerance {ok['tolerance_s'].median():.3g} s"
            images = f"{own['above'].sum()} of {len(own)} images"
            yield f"{algorithm} exceeds the time tolerance on {images} ({medians})."
