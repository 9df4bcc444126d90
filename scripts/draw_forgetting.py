"""Draw scores on the old and the new dataset before and after fine-tuning: see docs/experiments.md."""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

STAGES = {
    "pretrained": "trained on\nthe old dataset",
    "finetuned": "fine-tuned on\nthe new one alone",
    "replay": "fine-tuned\nwith replay",
}
DATASETS = {"old": ("o", "#0072b2"), "new": ("s", "#d55e00")}


def mean_f1(scores: Path) -> float:
    """Return the mean F1 of a table of scores at IoU 0.5."""
    table = pd.read_csv(scores)
    return float(table.loc[table["threshold"] == 0.5, "f1"].mean())


def draw(folder: Path, titles: list[str], out: Path) -> None:
    """Draw the mean F1 on both datasets after each stage.

    Args:
        folder: contains the scores as ``<stage>-<dataset>.csv``, for example ``replay-old.csv``.
        titles: names of the old and of the new dataset.
        out: the figure to write.
    """
    plt.rcParams["svg.hashsalt"] = "cellbench"
    figure, axes = plt.subplots(figsize=(5, 3.2), layout="constrained")
    for (dataset, (marker, colour)), title in zip(DATASETS.items(), titles, strict=True):
        values = [mean_f1(folder / f"{stage}-{dataset}.csv") for stage in STAGES]
        axes.plot(list(STAGES.values()), values, marker=marker, color=colour, label=title)
        for place, value in enumerate(values):
            axes.annotate(f"{value:.2f}", (place, value), (8, 4), textcoords="offset points")
    axes.set(ylim=(0, 1), ylabel="mean F1 on the tune split")
    axes.margins(x=0.15)
    figure.legend(frameon=False, loc="outside upper center")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(out, metadata={"Date": None} if out.suffix == ".svg" else None)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), sys.argv[2:4], Path(sys.argv[4]))
