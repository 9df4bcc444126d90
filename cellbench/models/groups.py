"""Scores of the groups of images that the streams of a model are for."""

from collections.abc import Sequence

import torch
from torchmetrics import Metric


class GroupScores(Metric):
    """Images, mean F1 and the classifier's hits, group by group.

    Args:
        groups: how many groups there are.

    Example:
        >>> scores = GroupScores(2)
        >>> scores.update(group=0, chosen=0, f1=torch.tensor(0.5))
        >>> scores.update(group=0, chosen=1, f1=torch.tensor(1.0))
        >>> images, f1, accuracy = scores.compute()
        >>> images.tolist(), f1.tolist(), accuracy.item()
        ([2, 0], [0.75, nan], 0.5)
    """

    full_state_update = False
    images: torch.Tensor
    total: torch.Tensor
    hits: torch.Tensor

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.add_state("images", torch.zeros(groups, dtype=torch.long), dist_reduce_fx="sum")
        self.add_state("total", torch.zeros(groups), dist_reduce_fx="sum")
        self.add_state("hits", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, group: int, chosen: int, f1: torch.Tensor) -> None:
        """Add one image: its true group, the group the classifier gave it, the F1 of its cells."""
        self.images[group] += 1
        self.total[group] += f1
        self.hits += int(group == chosen)

    def compute(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Give the images and mean F1 of each group, NaN where it has none, and the share of hits."""
        f1 = self.total / self.images  # 0 / 0 is NaN
        return self.images, f1, self.hits / self.images.sum()


def group_table(
    rules: Sequence[str],
    kinds: Sequence[str],
    train: Sequence[int],
    tune: Sequence[int],
    f1: Sequence[float] | None = None,
) -> str:
    """Lay out what each group is and has, one line per group.

    Args:
        rules: what belongs to a group, in words.
        kinds: the kind of its stream.
        train: its images of the train split.
        tune: its images of the tune split.
        f1: its mean F1 on the tune split, where that is known.
    """
    header = ["group", "images", "stream", "train", "tune"] + ["F1"] * (f1 is not None)
    rows = [header]
    for index, (rule, kind) in enumerate(zip(rules, kinds, strict=True)):
        row = [str(index), rule, kind, str(train[index]), str(tune[index])]
        if f1 is not None:
            row.append("-" if f1[index] != f1[index] else f"{f1[index]:.4f}")
        rows.append(row)
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
