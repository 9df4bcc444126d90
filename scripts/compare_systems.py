"""Write docs/results/open-cells.csv, the comparison of systems in docs/methods.md, from a board's tables.

python scripts/compare_systems.py docs/boards/open-cells && python scripts/readme_tables.py
"""

import csv
import sys
from pathlib import Path

OUT = Path(__file__).parents[1] / "docs/results/open-cells.csv"
GROUPS = {  # title of a column, and the rows of scores_summary.csv that it is about
    "fluorescence": ("modality", "fluorescence"),
    "brightfield": ("modality", "brightfield"),
    "small cells": ("cell area", "under 100 px"),
    "large cells": ("cell area", "1000 to 9999 px"),
    "long cells": ("cell shape", "long"),
}
ERRORS = {
    "missed": "fn_missed",
    "merged": "fn_merged",
    "split": "fn_split",
    "spurious": "fp_spurious",
}
"""Title of a column, and the column of scores_summary.csv with this kind of error."""


def read(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table.

    Args:
        path: CSV file.
    """
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def compared(board: Path) -> list[dict[str, str]]:
    """Return a row for each system, the best first.

    The F1 of a modality is the mean over its images, that of a group of cells is pooled over all images.

    Args:
        board: folder of a board that has been scored with --details and --cells.
    """
    summary = {
        (row["algorithm"], row["group"], row["value"]): row
        for row in read(board / "scores_summary.csv")
    }
    rows = []
    for row in read(board / "leaderboard.csv"):
        name = row["algorithm"]
        mean, low, high = (float(row[key]) for key in ("mean_f1", "mean_f1_low", "mean_f1_high"))
        new = {
            "system": f"`{name}`",
            "mean F1 (95 % interval)": f"{mean:.3f} ({low:.3f} to {high:.3f})",
        }
        for title, (group, value) in GROUPS.items():
            column = "mean_f1" if group == "modality" else "f1"
            new[title] = f"{float(summary[name, group, value][column]):.3f}"
        errors = summary[name, "all", ""]
        new |= {title: errors[column] for title, column in ERRORS.items()}
        rows.append(new)
    return rows


def write(rows: list[dict[str, str]], out: Path) -> None:
    """Write a table.

    Args:
        rows: its rows; all have the same columns.
        out: CSV file.
    """
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    write(compared(Path(sys.argv[1])), OUT)
