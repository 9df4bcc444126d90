"""The widget that saves corrected images into a dataset, and trains a model further with them."""

from pathlib import Path
from typing import Any

import numpy as np
from magicgui.widgets import ComboBox, Container, FileEdit, Label, LineEdit, PushButton, SpinBox
from napari.layers import Image, Labels

from cellbench.data.folder import MODALITIES, SPLITS
from cellbench.errors import UsageError
from cellbench.images.pixel_size import PixelSize
from cellbench.napari.checkpoints import BEST
from cellbench.napari.fine_tuning import free_run, prepare_fine_tuning
from cellbench.napari.planes import layer_pixel_size, layer_planes
from cellbench.napari.saving import NewImage, save_to_dataset
from cellbench.napari.widgets.command_run import CommandRun
from cellbench.napari.widgets.jobs import report_error, status_label
from cellbench.napari.widgets.layers import layer_box
from cellbench.napari.widgets.model_picker import NO_MODEL, ModelPicker

_UNKNOWN = "not known"


class SaveWidget(Container):
    """Add an image layer and its labels layer to a dataset, then fine-tune a model on it.

    Args:
        napari_viewer: the viewer.
    """

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:  # type: ignore[name-defined]  # noqa: F821
        self.image = layer_box(napari_viewer, Image, "image")
        self.cells = layer_box(napari_viewer, Labels, "labels")
        self.dataset = FileEdit(label="dataset", mode="d", value="data/corrected")
        self.split = ComboBox(label="split", choices=list(SPLITS), value="train")
        self.stem = LineEdit(label="name")
        self.modality = ComboBox(label="modality", choices=[_UNKNOWN, *MODALITIES])
        self.source = LineEdit(label="source")
        self.source.tooltip = "where the image comes from, such as your laboratory; may be empty"
        self.save = PushButton(text="Save image and labels")
        self.saved: Label = status_label()
        self.model = ModelPicker()
        self.out = FileEdit(label="new run", mode="d", value="runs/corrected/fine_tuned")
        self.minutes = SpinBox(label="minutes", value=30, min=1, max=100_000)
        self.minutes.tooltip = "the longest time to train"
        self.tune = PushButton(text="Fine-tune")
        self.training = CommandRun(self._end_run)
        super().__init__(scrollable=True)
        self.extend(
            [
                *(self.image, self.cells, self.dataset, self.split, self.stem),
                *(self.modality, self.source, self.save, self.saved),
                Label(value="<b>Train a model further on this dataset</b>"),
                *(self.model, self.out, self.minutes, self.tune, self.training),
            ]
        )
        self.image.changed.connect(self._propose_name)
        self.save.changed.connect(self.save_layers)
        self.tune.changed.connect(self.fine_tune)
        self._propose_name(self.image.value)

    @property
    def native(self) -> Any:  # noqa: ANN401
        """The widget that napari puts into its window: the area that scrolls if the window is too low."""
        return self.root_native_widget

    def _propose_name(self, layer: Any) -> None:  # noqa: ANN401
        if layer is not None:
            self.stem.value = layer.name

    def save_layers(self) -> None:
        """Add the chosen layers to the dataset."""
        image, labels = self.image.value, self.cells.value
        try:
            if image is None or labels is None:
                raise UsageError("choose an image layer and the labels layer of its cells")
            planes = layer_planes(image.data, rgb=image.rgb)
            if planes.stack:
                raise UsageError(
                    f"{image.name}: has {planes.describe()}; a dataset holds single images, so save one "
                    "plane as a layer of its own (right click on the layer: Split Stack)"
                )
            saved = save_to_dataset(
                Path(self.dataset.value),
                self._about(layer_pixel_size(image.scale, image.units)),
                next(iter(planes)),
                np.asarray(labels.data),
            )
        except (ValueError, OSError) as error:
            report_error(error, self.saved)
            return
        self.saved.value = f"saved {saved.image} with {saved.cells} cells, and {saved.labels.name}"

    def _about(self, size: PixelSize | None) -> NewImage:
        modality = "" if self.modality.value == _UNKNOWN else self.modality.value
        return NewImage(self.split.value, self.stem.value, modality, self.source.value, size)

    def fine_tune(self) -> None:
        """Train the chosen model further on the dataset, in a process of its own."""
        if self.training.is_running:
            self.training.status.value = "is running already; cancel it first"
            return
        try:
            checkpoint = self.model.checkpoint
            if checkpoint is None:
                raise UsageError(NO_MODEL)
            words = prepare_fine_tuning(
                checkpoint, Path(self.dataset.value), Path(self.out.value), self.minutes.value
            )
        except (ValueError, OSError) as error:
            report_error(error, self.training.status)
            return
        self.training.run(words)

    def _end_run(self) -> None:
        best = Path(self.out.value) / BEST
        if best.is_file():  # also after a training that was cancelled
            self.model.add(best)
        self.out.value = free_run(Path(self.out.value))  # the folder of this run is kept
