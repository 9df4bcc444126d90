"""Reports about the groups of images that the streams of a model are for."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.utilities import rank_zero_info
from torchmetrics import Metric

from cellbench.errors import CellbenchError
from cellbench.models.grouping import GROUPS, GroupingRules


class GroupScores(Metric):
    """Number of images and mean F1 of each group, and the accuracy of the classifier.

    Args:
        groups: number of groups.

    Examples:
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
        """Add one image.

        Args:
            group: its group by the rules.
            chosen: the group that the classifier assigned.
            f1: F1 of its cells, ().
        """
        self.images[group] += 1
        self.total[group] += f1
        self.hits += int(group == chosen)

    def compute(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the images and the mean F1 of each group, NaN without images, and the accuracy."""
        f1 = self.total / self.images  # 0 / 0 is NaN
        return self.images, f1, self.hits / self.images.sum()


class GroupReport(Callback):
    """Print the number of images of each group, and log its F1 on the tune split after validation.

    ``val/f1_group0`` … are means over the images of a group by the rules, also where the classifier
    assigns another group; ``val/group_accuracy`` is the share of images whose group it finds.

    Args:
        rules: the rules that put an image into a group.
        kinds: kind of the stream of each group.
    """

    def __init__(self, rules: GroupingRules, kinds: Sequence[str]) -> None:
        self._rules = rules
        self._kinds = kinds
        self._scores = GroupScores(GROUPS)
        self._latest_f1: list[float] | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print the number of images of each group."""
        rank_zero_info(self._table(trainer))

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start counting again, on the device where processes exchange their counts."""
        self._scores = GroupScores(GROUPS).to(pl_module.device)

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,  # noqa: ANN401  (what Lightning declares)
        batch: Any,  # noqa: ANN401
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Add one image to the scores."""
        image = batch["image"].permute(1, 2, 0).numpy(force=True)
        group = self._rules.group(image, batch["labels"].numpy(force=True))
        self._scores.update(group, outputs["stream"], outputs["f1"])

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the F1 of the groups that have images."""
        images, f1, accuracy = self._scores.compute()
        for index in images.nonzero()[:, 0].tolist():
            pl_module.log(f"val/f1_group{index}", f1[index], sync_dist=True)
        pl_module.log("val/group_accuracy", accuracy, sync_dist=True)
        if not trainer.sanity_checking:
            self._latest_f1 = f1.tolist()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print the F1 of each group in the last validation."""
        rank_zero_info(self._table(trainer))

    def _table(self, trainer: Trainer) -> str:
        data = trainer.datamodule  # type: ignore[attr-defined]
        if not hasattr(data, "image_targets"):
            raise CellbenchError(
                f"multi_stream: the datamodule {type(data).__name__} has no image_targets(split); "
                "derive it from cellbench.training.datamodule.CellDataModule"
            )
        train, tune = (
            np.bincount([each["group"] for each in data.image_targets(split)], minlength=GROUPS)
            for split in ("train", "tune")
        )
        rules = self._rules.describe()
        return group_table(rules, self._kinds, train.tolist(), tune.tolist(), self._latest_f1)


def group_table(
    rules: Sequence[str],
    kinds: Sequence[str],
    train: Sequence[int],
    tune: Sequence[int],
    f1: Sequence[float] | None = None,
) -> str:
    """Return a table with one line for each group.

    Args:
        rules: description of each group.
        kinds: kind of the stream of each group.
        train: number of images of each group in the train split.
        tune: the same in the tune split.
        f1: mean F1 of each group on the tune split; left out where it is not known.
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
