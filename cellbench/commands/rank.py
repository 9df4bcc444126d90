"""Rank the algorithms of one or more scores.csv; write every table of the board."""

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("scores", type=Path, nargs="+", help="scores.csv files, together one board")
    parser.add_argument("--out", type=Path, required=True, help="the board's folder")
    parser.add_argument("--ties", default="min", help="min, average, max or dense [min]")
    parser.add_argument("--scheme", default="rank-then-mean", help="how to rank [rank-then-mean]")
    parser.add_argument("--bootstrap", type=int, default=1000, help="samples [1000]")
    parser.add_argument("--seed", type=int, default=2022, help="of the bootstrap [2022]")


def run(arguments: argparse.Namespace) -> None:
    """Write the board, say where it is, and show its first rows."""
    from cellbench.ranking import write_board

    leaderboard = write_board(
        arguments.scores,
        arguments.out,
        ties=arguments.ties,
        scheme=arguments.scheme,
        bootstrap=arguments.bootstrap,
        seed=arguments.seed,
    )
    shown = ["rank", "algorithm", "score", "median_f1", "mean_f1", "median_runtime_s", "failed"]
    for name in ("leaderboard.csv", "kendall_tau.csv"):
        print(arguments.out / name)
    print(leaderboard[shown].head(10).to_string(index=False, float_format="{:.4f}".format))
