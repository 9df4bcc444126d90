"""All figures of a board."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from cellbench.errors import ScoresError
from cellbench.ranking import read_scores
from cellbench.report.f1 import draw_f1_by_algorithm
from cellbench.report.tau import draw_kendall_tau


def draw_board(board: str | Path, scores_paths: Sequence[str | Path] | None = None) -> list[Path]:
    """Draw the figures of a board into its folder: kendall_tau and f1_by_algorithm, .png and .svg.

    Args:
        board: the folder that :func:`cellbench.ranking.write_board` wrote.
        scores_paths: the scores it was made from; otherwise scores.csv in the folder.

    Returns:
        The files.

    Raises:
        ScoresError: if a table is absent or damaged; ``cellbench rank`` writes them again.
    """
    board = Path(board)
    leaderboard = _read(board / "leaderboard.csv", {"rank": float, "algorithm": str})
    tau = _read(
        board / "kendall_tau.csv", {"metric": str, "scheme": str, "sample": int, "tau": float}
    )
    scores = read_scores(scores_paths or [board / "scores.csv"])
    if leaderboard.empty or set(leaderboard["algorithm"]) != set(scores["algorithm"]):
        raise ScoresError(f"{board}: leaderboard.csv is not of these scores; run cellbench rank")
    return [
        *draw_kendall_tau(tau, board / "kendall_tau"),
        *draw_f1_by_algorithm(scores, leaderboard, board / "f1_by_algorithm"),
    ]


def _read(path: Path, types: dict[str, type]) -> pd.DataFrame:
    # Only numbers may be missing: an algorithm may be called "NA".
    numbers = {name: [""] for name, kind in types.items() if kind is float}
    try:
        return pd.read_csv(
            path, usecols=list(types), dtype=types, na_values=numbers, keep_default_na=False
        )
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ScoresError(f"{path}: cannot be read ({reason}); run cellbench rank") from error
