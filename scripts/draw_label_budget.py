"""Make the table and the figure of the experiment with fewer labels: see docs/unlabeled.md."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from cellbench.csv_tables import write_rows
from cellbench.report.figures.style import COLOURS, house_style, new_axes, save

WAYS = {
    "supervised": "labelled images alone",
    "mean-teacher": "mean teacher",
    "pseudo-labels": "pseudo-labels",
}
SAMPLES, SEED = 1000, 2022
COLUMNS = ("labels_percent", "way", "modality", "images", "mean_f1", "mean_f1_low", "mean_f1_high")


def make_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the mean F1 of each share of the labels, way and modality, with its 95 % interval.

    The intervals are bootstrap percentiles over images. All rows of a modality share the draws.

    Args:
        scores: scores.csv; the algorithms are called way and share, as ``mean-teacher-10``.
    """
    rows = []
    scores = scores[scores["threshold"] == 0.5].sort_values("image")
    named = [scores.assign(modality="all"), scores[scores["modality"].fillna("") != ""]]
    for (modality, algorithm), own in pd.concat(named).groupby(["modality", "algorithm"]):
        way, _, share = str(algorithm).rpartition("-")
        f1 = own["f1"].to_numpy()
        draws = np.random.default_rng(SEED).integers(len(f1), size=(SAMPLES, len(f1)))
        low, high = np.percentile(f1[draws].mean(axis=1), [2.5, 97.5])
        rows.append((int(share), way, modality, len(f1), f1.mean(), low, high))
    order = {way: place for place, way in enumerate(WAYS)}
    return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values(
        ["modality", "labels_percent", "way"],
        key=lambda column: column.map(order) if column.name == "way" else column,
        ignore_index=True,
    )


def draw(table: pd.DataFrame, out: Path) -> None:
    """Draw the mean F1 on all test images against the share of the labels, a curve for each way.

    Args:
        table: what :func:`make_table` returns.
        out: the figure to write, without its ending.
    """
    table = table[table["modality"] == "all"]
    shares = sorted(table["labels_percent"].unique())
    with house_style():
        figure, axes = new_axes(
            6.4,
            3.4,
            "What unlabelled images add to few labels",
            f"Mean F1 at IoU 0.5 on {table['images'].iloc[0]} test images; bars: 95 % bootstrap intervals "
            "over images",
        )
        for place, (way, label) in enumerate(WAYS.items()):
            own = table[table["way"] == way]
            if own.empty:
                continue
            spread = np.abs(own[["mean_f1_low", "mean_f1_high"]].T - own["mean_f1"]).to_numpy()
            beside = own["labels_percent"] * 1.04 ** (
                place - 1
            )  # so that bars do not hide each other
            axes.errorbar(
                beside,
                own["mean_f1"],
                spread,
                color=COLOURS[place],
                marker="os^"[place],
                markersize=5,
                capsize=2,
                linewidth=1.3,
                label=label,
            )
        axes.set_xscale("log")
        axes.set_xticks(shares, [f"{share} %" for share in shares])
        axes.minorticks_off()
        axes.set_xlabel("share of the training images with labels")
        axes.set_ylabel("mean F1")
        axes.grid(axis="y")
        axes.legend()
        save(figure, out)


def main(scores: Path, folder: Path) -> None:
    """Write ``label_budget.csv``, ``label_budget.png`` and ``label_budget.svg``, and print the table.

    Args:
        scores: scores.csv of all shares and ways.
        folder: the folder to write to.
    """
    table = make_table(pd.read_csv(scores))
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder / "label_budget.csv", COLUMNS, table.to_dict("records"))
    draw(table, folder / "label_budget")
    print(table[table["modality"] == "all"].to_string(index=False, float_format="{:.3f}".format))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
