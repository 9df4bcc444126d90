"""Learning from images without label maps: the averaged weights teach the model that is trained."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.utilities import rank_zero_warn

from cellbench.errors import UsageError
from cellbench.models.batches import Batch
from cellbench.models.dense import DenseModel
from cellbench.representations.sure_cells import SureCells, sure_cells
from cellbench.training.callbacks import AveragedWeights
from cellbench.training.metric import CellF1
from cellbench.training.ranges import check_at_least, check_between
from cellbench.training.schedule import training_progress
from cellbench.training.unlabeled import UNLABELED, UnlabeledOptions

_PATIENCE = 50  # unlabelled batches
_HARDLY_ANY = 0.01


class MeanTeacher(Callback):
    """Learn from images without label maps too (mean teacher, Tarvainen and Valpola 2017).

    The teacher are the averaged weights of the model. It segments a patch of an unlabelled image, and
    the model learns the teacher's cells from the same patch with other intensities and colours. Only
    cells and background that the teacher is sure of count.

    Args:
        share: number of unlabelled patches for each labelled one, for example 1; a fraction is possible.
            0 learns from labelled images alone.
        weight: weight of the loss of unlabelled patches; that of labelled patches has the weight 1.
        burn_in: share of training in which the model learns from labelled images alone, from 0 to 1.
        foreground: smallest mean foreground probability of a cell that counts, for models whose cells
            have no score of their own.
        background: largest foreground probability of a pixel that counts as background.
        cell_score: smallest score of a cell that counts, for models with star-convex polygons, outlines
            or embeddings.
        decay: share of the old average that the teacher keeps at each step; by default that of the
            callback AveragedWeights.
        strength: factor on the probability of each change of intensity and colour of what the model
            sees; the augmentation of labelled patches has 1.
        tune_images: number of tune images on which the model itself is compared with the teacher after
            each validation.

    Raises:
        UsageError: if a value is out of its range.
    """

    def __init__(
        self,
        share: float = 0.0,
        weight: float = 1.0,
        burn_in: float = 0.3,
        foreground: float = 0.9,
        background: float = 0.1,
        cell_score: float = 0.7,
        decay: float | None = None,
        strength: float = 3.0,
        tune_images: int = 4,
    ) -> None:
        check_at_least(0, UNLABELED, share=share, weight=weight, strength=strength)
        check_at_least(0, UNLABELED, tune_images=tune_images)
        gates = {"foreground": foreground, "background": background, "cell_score": cell_score}
        check_between(0, 1, UNLABELED, burn_in=burn_in, **gates)
        if decay is not None:
            check_between(0, 1, UNLABELED, decay=decay)
        self.unlabeled_options = UnlabeledOptions(share, strength)
        self.weight = weight
        self.burn_in = burn_in
        self.gates = gates
        self.decay = decay
        self.tune_images = tune_images
        self._asked = False
        self._useless = 0

    @property
    def is_on(self) -> bool:
        """Whether there are unlabelled patches."""
        return self.unlabeled_options.share > 0

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Check that the model and the datamodule can be used.

        Raises:
            UsageError: if they cannot.
        """
        from cellbench.training.datamodule import CellDataModule

        if stage != "fit" or not self.is_on:
            return
        option = f"unlabeled.share {self.unlabeled_options.share:g}"
        if not isinstance(pl_module, DenseModel):
            raise UsageError(
                f"{option}: {type(pl_module).__name__} does not predict the maps of one representation, so "
                "it cannot learn from unlabelled images; choose another model, or set the option to 0"
            )
        data = getattr(trainer, "datamodule", None)
        if not isinstance(data, CellDataModule):
            raise UsageError(
                f"{option}: {type(data).__name__} has no unlabelled patches; use CellDataModule or a class "
                "derived from it, or set the option to 0"
            )
        averages = _averages(trainer)
        if averages is None:
            raise UsageError(
                f"{option}: the teacher are averaged weights; add the callback "
                "cellbench.training.callbacks.AveragedWeights to trainer.callbacks, as in base.yaml"
            )
        if self.decay is not None:
            averages.decay = self.decay

    def added_loss(self, model: DenseModel, batch: Batch) -> torch.Tensor | None:
        """Return the weighted loss of the unlabelled patches of a batch, after the burn-in.

        Patches without a sure cell are left out, so that the model cannot learn to predict none.

        Args:
            model: the model that is trained.
            batch: labelled patches, and unlabelled ones where there are any.
        """
        self._asked = True
        patches: dict[str, torch.Tensor] | None = batch.get(UNLABELED)  # type: ignore[assignment]
        if patches is None or training_progress(model.trainer) < self.burn_in:
            return None
        outputs, found = self._teach(model, patches["weak"])
        self._watch(model, found)
        kept = [index for index, each in enumerate(found) if each.labels.any()]
        if not kept:
            return None
        encode = model.target_encoder()
        samples = [
            {
                "image": patches["strong"][index],
                "targets": {
                    name: torch.from_numpy(np.array(each, order="C")).to(model.device)
                    for name, each in encode(found[index].decoded.astype(np.int32)).items()
                },
            }
            for index in kept
        ]
        ignored = np.stack([found[index].ignored for index in kept])
        loss = model.loss_of_pixels(
            model.collate(samples),
            torch.from_numpy(ignored).to(model.device),
            {name: each[kept] for name, each in outputs.items()},
        )
        model.log("train/unlabeled_loss", loss, batch_size=len(kept))
        return self.weight * len(kept) / len(found) * loss

    @torch.no_grad()
    def _teach(
        self, model: DenseModel, image: torch.Tensor
    ) -> tuple[dict[str, torch.Tensor], list[SureCells]]:
        """Return the teacher's raw outputs for a batch, and what it is sure of in each image."""
        averages = _averages(model.trainer)
        assert averages is not None
        assert isinstance(averages.averaged, DenseModel)
        teacher = averages.averaged.to(model.device).eval()
        image = image.to(next(teacher.parameters()).dtype)
        outputs = teacher.predict_raw(image)
        maps = {
            name: each.float().cpu().numpy()
            for name, each in teacher.activated(outputs, image).items()
        }
        found = [
            sure_cells(
                model.representation,
                {name: each[index] for name, each in maps.items()},
                **self.gates,
            )
            for index in range(len(image))
        ]
        return outputs, found

    def _watch(self, model: DenseModel, found: list[SureCells]) -> None:
        """Log how much the teacher is sure of, and warn where that stays next to nothing."""
        used = [0.0 if not each.labels.any() else 1 - each.ignored.mean() for each in found]
        cells = [int(each.labels.max()) for each in found]
        model.log("train/unlabeled_pixels", float(np.mean(used)), batch_size=len(found))
        model.log("train/unlabeled_cells", float(np.mean(cells)), batch_size=len(found))
        self._useless = self._useless + 1 if np.mean(used) < _HARDLY_ANY else 0
        if self._useless == _PATIENCE:
            rank_zero_warn(
                f"unlabeled: the teacher was sure of hardly any cell in {_PATIENCE} batches in a row, so "
                "the unlabelled images have no effect; lower unlabeled.cell_score or unlabeled.foreground, "
                "or increase unlabeled.burn_in"
            )

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,  # noqa: ANN401  (what Lightning declares)
        batch: Any,  # noqa: ANN401
        batch_idx: int,
    ) -> None:
        """Check that the training step of the model asks its callbacks for their losses.

        Raises:
            UsageError: if it does not.
        """
        if self.is_on and not self._asked:
            raise UsageError(
                f"unlabeled.share {self.unlabeled_options.share:g}: {type(pl_module).__name__} replaces "
                "training_step and does not call that of its base class; override the method loss instead"
            )

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,  # noqa: ANN401
        batch: Any,  # noqa: ANN401
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Score the model itself on a few tune images; validation scores the averaged weights."""
        averages = _averages(trainer)
        total = int(sum(trainer.num_val_batches))
        chosen = {index * total // self.tune_images for index in range(self.tune_images)}
        if not self.is_on or averages is None or averages.averaged is None:
            return
        if trainer.sanity_checking or batch_idx not in chosen:
            return
        student = averages.averaged  # validation has exchanged the weights of the two
        assert isinstance(student, DenseModel)
        truth = batch["labels"].cpu().numpy()
        found = {
            "student": student.to(pl_module.device).eval().segment_tiled(batch["image"]),
            "teacher": outputs["labels"],
        }
        for name, labels in found.items():
            value = CellF1()(prediction=labels, truth=truth)
            pl_module.log(f"val/{name}_f1", value, on_epoch=True, batch_size=1, sync_dist=True)


def _averages(trainer: Trainer) -> AveragedWeights | None:
    callbacks = trainer.callbacks  # type: ignore[attr-defined]
    return next((each for each in callbacks if isinstance(each, AveragedWeights)), None)


def describe_teaching(measured: Mapping[str, Any]) -> list[str]:
    """Return what a line of progress says about unlabelled images; empty if none have been used.

    Args:
        measured: the last values of what was logged, by name.

    Examples:
        >>> measured = {"train/unlabeled_pixels": 0.9, "train/unlabeled_cells": 12.5}
        >>> describe_teaching(measured)
        ['90% of unlabelled pixels used, 12.5 cells per patch']
    """
    if "train/unlabeled_pixels" not in measured:
        return []
    pixels, cells = (float(measured[f"train/unlabeled_{each}"]) for each in ("pixels", "cells"))
    described = [f"{pixels:.0%} of unlabelled pixels used, {cells:.1f} cells per patch"]
    if "val/student_f1" in measured:
        student, teacher = (float(measured[f"val/{each}_f1"]) for each in ("student", "teacher"))
        described.append(f"F1 on a few tune images: teacher {teacher:.3f}, student {student:.3f}")
    return described
