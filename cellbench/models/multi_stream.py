"""The whole system of T2-sribdmed: a classifier of images, and a ConvNeXt for each of four groups."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from pytorch_lightning import Callback
from pytorch_lightning.callbacks import EarlyStopping
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel

from cellbench.errors import UsageError
from cellbench.labels import LabelMap
from cellbench.models.batches import Batch, Targets
from cellbench.models.convnext_hover import ConvNextHoVer
from cellbench.models.convnext_stardist import ConvNextStarDist
from cellbench.models.dense import DenseModel
from cellbench.models.grouping import GROUPS, Variant, grouping_rules
from cellbench.models.groups import GroupReport
from cellbench.models.router import Router
from cellbench.networks.group_classifier import GroupClassifier, rotated, thumbnail
from cellbench.networks.streams import Streams
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


class MultiStream(Router):
    """Four ConvNeXt streams, StarDist or HoVer, and a classifier that chooses one for each image.

    Source: Lou et al. 2023 (arXiv 2310.14226), team T2-sribdmed in the challenge. Rules sort the
    training images into four groups; a ResNet18 learns the groups from thumbnails and chooses the
    stream that segments an image. All is one model, one training run and one checkpoint. First, all
    streams of a kind learn from all patches as one network (pre-training); then each stream continues
    with the patches of its own group. The loss falls when pre-training ends, because before that each
    patch counts once for each kind.

    Differences from T2's code: the classifier learns together with the streams, by AdamW at their
    learning rate (T2: before them, by SGD at 1e-3 for 20 epochs); HoVer streams are pre-trained too;
    an image of any size and group is segmented (T2's predict.py writes nothing for high images of
    group 3); and no weights are loaded between images.

    Weights: the encoders' ImageNet weights by Meta, distributed by timm under Apache-2.0; those named
    ``convnextv2`` are CC-BY-NC-4.0.

    Args:
        encoder: name of a ConvNeXt in timm, for all streams. The default is the one of the paper.
        pretrained: load the ImageNet weights of the encoders; this needs a network connection or a
            cached copy.
        star_channels: ``decoder_channels`` of the StarDist streams.
        hover_channels: ``decoder_channels`` of the HoVer streams.
        rays: number of directions in which StarDist streams measure a cell, a multiple of four.
        rules: how images are grouped: ``code`` follows the released code, ``paper`` the paper.
        saturation: limit of the mean saturation of group 1, in [0, 1]; by default the rules' own.
        value: smallest and largest mean value (brightness) of group 1, in [0, 1]; by default the
            rules' own.
        largest_cell: number of pixels of the largest cell above which an image is in group 2, else 3;
            by default the rules' own.
        streams: kind of the stream of each group, ``star`` or ``hover``. By default, the code's rules
            use HoVer for group 3, the paper's for groups 2 and 3, and StarDist for the others.
        pretraining: share of training in which all streams of a kind learn as one, in [0, 1]. It ends
            earlier where early stopping would otherwise end training.
        thumbnail: side in pixels of the thumbnail that the classifier sees.
        window: side in pixels of the windows in which whole images are segmented.
        overlap: share of a window that its neighbour covers too, in [0, 1).
        channels_last: store the networks' arrays pixel by pixel; faster for ConvNeXt.
        compiled: compile the networks for training (torch.compile); the start takes minutes longer,
            each step is faster.
        **training: options of every model, see
            [`InstanceSegmentationModel`][cellbench.models.base.InstanceSegmentationModel]. In the paper
            ``learning_rate`` is 1e-4, and ``encoder_rate`` 0.1 for StarDist streams.

    Raises:
        UsageError: if an option has an impossible value.
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
        window: int = 256,
        overlap: float = 0.25,
        channels_last: bool = False,
        compiled: bool = False,
        **training: Any,
    ) -> None:
        grouping = grouping_rules(
            rules, saturation=saturation, value=value, largest_cell=largest_cell
        )
        kinds = tuple(streams or _KINDS[rules])
        _check(kinds, pretraining, thumbnail)
        shared = {
            **{"encoder": encoder, "pretrained": pretrained, "window": window, "overlap": overlap},
            **{"channels_last": channels_last, "compiled": compiled},
        }
        star = {"decoder_channels": star_channels, "rays": rays, **shared}
        hover = {"decoder_channels": hover_channels, **shared}
        models = _build_streams(kinds, star, hover)
        network = Streams(GroupClassifier(GROUPS), models, [kinds.index(each) for each in kinds])
        super().__init__(**training)
        self.network = network.to(
            memory_format=torch.channels_last if channels_last else torch.contiguous_format
        )
        self.weights_licence = models[0].weights_licence
        self.representation = JointRepresentation([each.representation for each in models])
        self.rules = grouping
        self.kinds = kinds
        self.pretraining = pretraining
        self.thumbnail = thumbnail
        self._pretrains = True

    def stream(self, index: int) -> DenseModel:
        """Return the stream of a group.

        Args:
            index: number of the group, 0 … 3.
        """
        found: DenseModel = self.network.streams[index]  # type: ignore[assignment]
        return found

    def choose(self, image: torch.Tensor) -> int:
        """Return the group that the classifier assigns to an image, in single precision.

        Args:
            image: (3, H, W) in [0, 1].
        """
        small = thumbnail(image.permute(1, 2, 0).numpy(force=True), self.thumbnail)
        with torch.autocast(self.device.type, enabled=False):
            logits = self.network.classifier(torch.from_numpy(small)[None].to(self.device))
        return int(logits.argmax())

    def image_targets(self, image: npt.NDArray[np.uint8], labels: LabelMap) -> Targets:
        """Return what the classifier learns: the ``group``, (), and the ``thumbnail``, (3, S, S) uint8.

        Args:
            image: (H, W, 3), normalised.
            labels: (H, W) label map of the image.
        """
        return {
            "group": np.array(self.rules.group(image, labels)),
            "thumbnail": thumbnail(image, self.thumbnail),
        }

    def encoder_parameters(self) -> list[nn.Parameter]:
        """Return the parameters of the encoders of all streams."""
        return list(self.network.encoder.parameters())

    def setup(self, stage: str) -> None:
        """Compile the streams for training."""
        for index in range(GROUPS):
            self.stream(index).setup(stage)

    def training_step(self, batch: Batch, batch_idx: int) -> torch.Tensor:
        """Return the loss of a batch of patches and of the thumbnails of their images."""
        if self._pretrains and training_progress(self.trainer) >= self.pretraining:
            self._end_pretraining()
        cells = self.loss(batch) if self._pretrains else self.routed_loss(batch)
        targets = batch["targets"]
        logits = self.network.classifier(rotated(targets["thumbnail"], batch_idx))
        groups = cross_entropy(logits.float(), targets["group"])
        size = len(batch["image"])
        self.log("train/classifier_loss", groups, batch_size=size)
        self.log("train/loss", cells + groups, prog_bar=True, batch_size=size)
        return cells + groups

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return the loss of pre-training: of the first stream of each kind, on all patches.

        Args:
            batch: patches and the maps of all kinds.
        """
        first, *others = (self.stream(each).loss(batch) for each in sorted({*self.network.leaders}))
        return sum(others, first)

    def routed_loss(self, batch: Batch) -> torch.Tensor:
        """Return the loss of each stream on the patches of its group, weighted by their number.

        A stream without patches gets no gradient, and its weights do not decay.

        Args:
            batch: patches, the maps of all kinds and the ``group`` of each patch, (B,).
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
        """In pre-training, copy what the first stream of a kind has learned to the others."""
        if self._pretrains:
            self.network.follow()

    def on_validation_end(self) -> None:
        """Where early stopping would end training during pre-training, end only pre-training."""
        stopping = [
            each
            for each in self.trainer.early_stopping_callbacks
            if isinstance(each, EarlyStopping) and each.wait_count >= each.patience
        ]
        if stopping and self._pretrains and training_progress(self.trainer) < 1:
            self._end_pretraining()
            self.trainer.should_stop = False
            for each in stopping:
                each.wait_count = 0

    def _end_pretraining(self) -> None:
        """End pre-training: the other streams of a kind continue from the state of the first."""
        self._pretrains = False
        (optimizer,) = self.trainer.optimizers
        self.network.follow(optimizer)
        for callback in self.trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, AveragedWeights) and isinstance(callback.averaged, MultiStream):
                callback.averaged.network.follow()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Store also whether pre-training continues; if so, all streams of a kind get the same weights."""
        super().on_save_checkpoint(checkpoint)
        checkpoint[PRETRAINS_KEY] = self._pretrains
        if self._pretrains:
            for key in checkpoint.keys() & {"state_dict", PLAIN_WEIGHTS_KEY}:
                checkpoint[key] = self.network.followed(checkpoint[key], "network.")

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore the decoding and whether pre-training continues."""
        super().on_load_checkpoint(checkpoint)
        self._pretrains = checkpoint[PRETRAINS_KEY]

    def on_train_start(self) -> None:
        """Check that processes of a distributed run do not wait for streams without patches.

        Raises:
            UsageError: if they would.
        """
        wrapped = self.trainer.model
        if isinstance(wrapped, DistributedDataParallel) and not wrapped.find_unused_parameters:
            raise UsageError(
                "multi_stream: training in several processes needs --trainer.strategy "
                "ddp_find_unused_parameters_true, because not every batch has patches for every stream"
            )

    def configure_callbacks(self) -> list[Callback]:
        """Report the images and scores of each group."""
        return [GroupReport(self.rules, self.kinds)]


def _check(kinds: Sequence[Kind], pretraining: float, thumbnail_side: int) -> None:
    if len(kinds) != GROUPS or not {*kinds} <= {"star", "hover"}:
        raise UsageError(
            f"streams {list(kinds)}: must be star or hover for each of the {GROUPS} groups"
        )
    if not 0 <= pretraining <= 1:
        raise UsageError(f"pretraining {pretraining}: must be a share of training, from 0 to 1")
    if thumbnail_side < _SMALLEST_THUMBNAIL:
        raise UsageError(
            f"thumbnail {thumbnail_side}: must be at least {_SMALLEST_THUMBNAIL} pixels"
        )


def _build_streams(
    kinds: Sequence[Kind], star: dict[str, Any], hover: dict[str, Any]
) -> list[DenseModel]:
    """Build the first stream of each kind; the others are copies of it."""
    models: list[DenseModel] = []
    for index, kind in enumerate(kinds):
        first = kinds.index(kind)
        if first < index:
            models.append(deepcopy(models[first]))
        else:
            models.append(ConvNextStarDist(**star) if kind == "star" else ConvNextHoVer(**hover))
    return models
