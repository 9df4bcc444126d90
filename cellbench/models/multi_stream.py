"""The whole system of T2-sribdmed: a classifier of images, and a ConvNeXt for each of four groups."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from pytorch_lightning import Callback
from pytorch_lightning.callbacks import EarlyStopping
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel

from cellbench.errors import UsageError
from cellbench.labels import LabelMap
from cellbench.models.base import Batch, InstanceSegmentationModel
from cellbench.models.convnext_hover import ConvNextHoVer
from cellbench.models.convnext_stardist import ConvNextStarDist
from cellbench.models.grouping import GROUPS, Variant, grouping_rules
from cellbench.models.groups import GroupReport
from cellbench.networks.group_classifier import GroupClassifier, thumbnail, turned
from cellbench.networks.streams import Streams
from cellbench.representations.base import NumpyMaps
from cellbench.representations.joint import JointRepresentation
from cellbench.training.callbacks import PLAIN_WEIGHTS_KEY, AveragedWeights
from cellbench.training.schedule import training_progress

Kind = Literal["star", "hover"]
PRETRAINS_KEY = "cellbench_pretrains"
"""Where a checkpoint keeps whether the streams of a kind still learn as one."""

_KINDS: dict[Variant, tuple[Kind, ...]] = {
    "code": ("star", "star", "star", "hover"),
    "paper": ("star", "star", "hover", "hover"),
}
_SMALLEST_THUMBNAIL = 64  # the classifier's deepest maps are normalised over space


class MultiStream(InstanceSegmentationModel):
    """ConvNeXt-StarDist and -HoVer, one for each group of images (Lou et al. 2023, T2 in the challenge).

    Rules find the groups of the training images; a ResNet18 learns them from thumbnails, and says which
    stream segments an image. All is one model, one training and one checkpoint. First each kind of
    stream learns from all patches, once for all of the kind; then each stream goes on with the
    patches of its group. The loss falls at that turn: before, a patch counts for each kind.

    Other than in T2's code, the classifier learns along with the streams by AdamW, at their learning
    rate (T2: before them, by SGD at 1e-3 for 20 epochs); HoVer streams are pre-trained too; an image of
    any size and group is segmented (T2's predict.py writes nothing for high images of group 3); and no
    weights are loaded from image to image.

    Args:
        encoder: timm's name of a ConvNeXt, for all streams; the default is the paper's.
        pretrained: load the encoder's weights, Apache-2.0; needs a connection or a cached copy.
        star_channels: ``decoder_channels`` of StarDist streams.
        hover_channels: ``decoder_channels`` of HoVer streams.
        rays: directions in which StarDist streams measure a cell, a multiple of four.
        rules: how images are grouped: as the released ``code`` does, or as the ``paper`` says.
        saturation: limit of the mean saturation of group 1, the rules' own unless given.
        value: least and greatest mean value of group 1, the rules' own unless given.
        largest_cell: pixels of the largest cell above which an image is in group 2 and not 3, the rules'
            own unless given.
        streams: kind of each group's stream; the rules' own unless given: by the code HoVer for group 3, by
            the paper for groups 2 and 3, and StarDist for the others.
        pretraining: share of training in which all streams of a kind learn as one; it ends before where
            early stopping would end training.
        thumbnail: side in pixels of what the classifier sees of an image.
        **training: options of every model, see :class:`InstanceSegmentationModel`; the paper learns
            at 1e-4, the encoders of StarDist at a tenth of it (``encoder_rate``).

    Raises:
        UsageError: if an option makes no sense.
    """

    network: Streams

    def __init__(
        self,
        encoder: str = "convnext_small.fb_in22k",
        pretrained: bool = True,
        star_channels: Sequence[int] = (256, 128, 64, 32),
        hover_channels: Sequence[int] = (256, 128, 64, 32, 32),
        rays: int = 32,
        rules: Variant = "code",
        saturation: float | None = None,
        value: Sequence[float] | None = None,
        largest_cell: int | None = None,
        streams: Sequence[Kind] | None = None,
        pretraining: float = 0.5,
        thumbnail: int = 224,
        **training: Any,
    ) -> None:
        grouping = grouping_rules(
            rules, saturation=saturation, value=value, largest_cell=largest_cell
        )
        kinds = tuple(streams or _KINDS[rules])
        _check(kinds, pretraining, thumbnail)
        shared = {"encoder": encoder, "pretrained": pretrained, **training}
        star = {"decoder_channels": star_channels, "rays": rays, **shared}
        made = _make_streams(kinds, star, {"decoder_channels": hover_channels, **shared})
        super().__init__(
            network=Streams(GroupClassifier(GROUPS), made, [kinds.index(each) for each in kinds]),
            representation=JointRepresentation([each.representation for each in made]),
            **training,
        )
        self.rules = grouping
        self.kinds = kinds
        self.pretraining = pretraining
        self.thumbnail = thumbnail
        self._pretrains = True

    def stream(self, index: int) -> InstanceSegmentationModel:
        """Give the stream of a group."""
        found: InstanceSegmentationModel = self.network.streams[index]  # type: ignore[assignment]
        return found

    def choose(self, image: torch.Tensor) -> int:
        """Give the group that the classifier takes an image (3, H, W) for, in single precision."""
        small = thumbnail(image.permute(1, 2, 0).numpy(force=True), self.thumbnail)
        with torch.autocast(self.device.type, enabled=False):
            logits = self.network.classifier(torch.from_numpy(small)[None].to(self.device))
        return int(logits.argmax())

    def predict_maps(self, image: torch.Tensor) -> NumpyMaps:
        """Predict the maps of one image of any size, as the stream of its group does."""
        return self.stream(self.choose(image)).predict_maps(image)

    def image_targets(
        self, image: npt.NDArray[np.uint8], labels: LabelMap
    ) -> dict[str, npt.NDArray[Any]]:
        """Give what the classifier learns: the ``group``, (), and the ``thumbnail``, (3, S, S) uint8."""
        return {
            "group": np.array(self.rules.group(image, labels)),
            "thumbnail": thumbnail(image, self.thumbnail),
        }

    def setup(self, stage: str) -> None:
        """Compile the streams where they shall be."""
        for index in range(GROUPS):
            self.stream(index).setup(stage)

    def training_step(self, batch: Batch, batch_idx: int) -> torch.Tensor:
        """Give the loss of a batch of patches and of the thumbnails of their images."""
        if self._pretrains and training_progress(self.trainer) >= self.pretraining:
            self._part()
        cells = self.loss(batch) if self._pretrains else self.routed_loss(batch)
        targets = batch["targets"]
        logits = self.network.classifier(turned(targets["thumbnail"], batch_idx))
        groups = cross_entropy(logits.float(), targets["group"])
        size = len(batch["image"])
        self.log("train/classifier_loss", groups, batch_size=size)
        self.log("train/loss", cells + groups, prog_bar=True, batch_size=size)
        return cells + groups

    def loss(self, batch: Batch) -> torch.Tensor:
        """Give the loss of pre-training: of the first stream of each kind, on all patches."""
        first, *others = (self.stream(each).loss(batch) for each in sorted({*self.network.leaders}))
        return sum(others, first)

    def routed_loss(self, batch: Batch) -> torch.Tensor:
        """Give the loss of each stream on its group's patches, weighted with their number.

        A stream without patches gets no gradient, and no decay of its weights.
        """
        groups = batch["targets"]["group"]
        parts = []
        for index in sorted({*groups.tolist()}):
            chosen = (groups == index).nonzero()[:, 0]
            targets = {name: each[chosen] for name, each in batch["targets"].items()}
            part: Batch = {"image": batch["image"][chosen], "targets": targets}
            parts.append(self.stream(index).loss(part) * (len(chosen) / len(groups)))
        return torch.stack(parts).sum()

    def on_validation_epoch_start(self) -> None:
        """In pre-training, let the other streams of a kind be what the first has learned."""
        if self._pretrains:
            self.network.follow()

    def on_validation_end(self) -> None:
        """Where early stopping would end training in pre-training, go on with the groups."""
        stopping = [
            each
            for each in self.trainer.early_stopping_callbacks
            if isinstance(each, EarlyStopping) and each.wait_count >= each.patience
        ]
        if stopping and self._pretrains and training_progress(self.trainer) < 1:
            self._part()
            self.trainer.should_stop = False
            for each in stopping:
                each.wait_count = 0

    def _part(self) -> None:
        """End pre-training: the other streams of a kind go on from where the first is."""
        self._pretrains = False
        (optimizer,) = self.trainer.optimizers
        self.network.follow(optimizer)
        for callback in self.trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, AveragedWeights) and isinstance(callback.averaged, MultiStream):
                callback.averaged.network.follow()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep also whether the streams learn as one, and then the same weights for all of a kind."""
        super().on_save_checkpoint(checkpoint)
        checkpoint[PRETRAINS_KEY] = self._pretrains
        if self._pretrains:
            for key in checkpoint.keys() & {"state_dict", PLAIN_WEIGHTS_KEY}:
                checkpoint[key] = self.network.followed(checkpoint[key], "network.")

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on as it was."""
        super().on_load_checkpoint(checkpoint)
        self._pretrains = checkpoint[PRETRAINS_KEY]

    def on_train_start(self) -> None:
        """Check how processes wait for each other.

        Raises:
            UsageError: if several processes train, and wait for streams that have no patches.
        """
        wrapped = self.trainer.model
        if isinstance(wrapped, DistributedDataParallel) and not wrapped.find_unused_parameters:
            raise UsageError(
                "multi_stream: not every batch has patches for every stream; give "
                "--trainer.strategy ddp_find_unused_parameters_true"
            )

    def configure_callbacks(self) -> list[Callback]:
        """Have each group's images and scores reported."""
        return [GroupReport(self.rules, self.kinds)]


def _check(kinds: Sequence[Kind], pretraining: float, thumbnail_side: int) -> None:
    if len(kinds) != GROUPS or not {*kinds} <= {"star", "hover"}:
        raise UsageError(f"streams {list(kinds)}: give star or hover for each of {GROUPS} groups")
    if not 0 <= pretraining <= 1:
        raise UsageError(f"pretraining {pretraining}: give a share of training, from 0 to 1")
    if thumbnail_side < _SMALLEST_THUMBNAIL:
        raise UsageError(f"thumbnail {thumbnail_side}: give {_SMALLEST_THUMBNAIL} pixels or more")


def _make_streams(
    kinds: Sequence[Kind], star: dict[str, Any], hover: dict[str, Any]
) -> list[InstanceSegmentationModel]:
    """Make the first stream of each kind; the others are copies of it."""
    made: list[InstanceSegmentationModel] = []
    for index, kind in enumerate(kinds):
        first = kinds.index(kind)
        if first < index:
            made.append(deepcopy(made[first]))
        else:
            made.append(ConvNextStarDist(**star) if kind == "star" else ConvNextHoVer(**hover))
    return made
