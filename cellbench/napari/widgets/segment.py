"""The widget that segments an image layer with a trained model."""

from collections.abc import Callable
from typing import Any, Literal, cast

from magicgui.widgets import (
    CheckBox,
    ComboBox,
    Container,
    FloatSpinBox,
    Label,
    ProgressBar,
    PushButton,
)
from napari.layers import Image
from qtpy.QtCore import QTimer

from cellbench.errors import UsageError
from cellbench.models.weights_metadata import is_weights_file
from cellbench.napari.planes import Planes, layer_pixel_size, layer_planes
from cellbench.napari.segmenting import Segmentation, SegmentOptions, segment_planes
from cellbench.napari.widgets.jobs import report_error, start_job, status_label
from cellbench.napari.widgets.layers import layer_box, placement, show_table
from cellbench.napari.widgets.model_picker import NO_MODEL, ModelPicker

_AS_IT_IS, _ESTIMATE, _NUMBER = "as the image is", "estimate", "number of pixels"
_AXES = {"automatic": "auto", "channels": "channels", "separate planes": "planes"}
_POLL_MS = 200


class SegmentWidget(Container):
    """Choose a model and an image layer, and get a labels layer with a table of its cells.

    Args:
        napari_viewer: the viewer.
    """

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:  # type: ignore[name-defined]  # noqa: F821
        self._viewer = napari_viewer
        self._stop: Callable[[], None] = lambda: None
        self._progress = (0, 0)
        self.image = layer_box(napari_viewer, Image, "image")
        self.model = ModelPicker()
        self._make_options()
        self.table = CheckBox(value=True, text="show the table of the cells")
        self.start, self.cancel = PushButton(text="Segment"), PushButton(text="Cancel")
        self.bar = ProgressBar(value=0, min=0, max=1, visible=False)
        self.status: Label = status_label()
        buttons = Container(
            widgets=[self.start, self.cancel], layout="horizontal", labels=False, label=""
        )
        super().__init__()
        self.extend(  # magicgui aligns the labels of widgets only if they are added later
            [
                *(self.image, self.axes, self.model, self.diameter, self.pixels, self.precision),
                *(self.augment, self.table, buttons, self.bar, self.status),
            ]
        )
        self.cancel.enabled = False
        self.start.changed.connect(self.segment)
        self.cancel.changed.connect(self._cancel)
        self._timer = QTimer(self.native)
        self._timer.timeout.connect(self._show_progress)

    def _make_options(self) -> None:
        self.axes = ComboBox(label="further axes", choices=list(_AXES), value="automatic")
        self.axes.tooltip = (
            "what axes before height and width are: automatic takes one axis of at most five for "
            "channels, and anything else for planes, which are segmented one by one"
        )
        self.diameter = ComboBox(label="diameter", choices=[_AS_IT_IS, _ESTIMATE, _NUMBER])
        self.diameter.tooltip = (
            "diameter of the cells: resizes images whose cells are smaller or larger than those in "
            "training; to estimate it takes several times as long"
        )
        self.pixels = FloatSpinBox(label="pixels", value=30, min=1, max=5000, step=1, visible=False)
        self.precision = ComboBox(label="precision", choices=["auto", "bf16", "32"])
        self.precision.tooltip = "auto: half precision where the hardware is fast in it"
        self.augment = CheckBox(
            value=False, text="average eight orientations (takes 8 times as long)"
        )
        self.diameter.changed.connect(self._show_pixels)
        self.model.choice.changed.connect(self._propose_diameter)
        self._propose_diameter()

    def _show_pixels(self, chosen: str) -> None:
        self.pixels.visible = chosen == _NUMBER

    def _propose_diameter(self) -> None:
        # As in `cellbench segment`: models that are published are used on images of any magnification.
        file = self.model.file
        self.diameter.value = _ESTIMATE if file and is_weights_file(file) else _AS_IT_IS

    def options(self) -> SegmentOptions:
        """Return the chosen options.

        Raises:
            UsageError: if no model is chosen.
        """
        checkpoint = self.model.checkpoint
        if checkpoint is None:
            raise UsageError(NO_MODEL)
        diameters: dict[str, float | Literal["auto"] | None] = {
            _AS_IT_IS: None,
            _ESTIMATE: "auto",
            _NUMBER: self.pixels.value,
        }
        return SegmentOptions(
            checkpoint, diameters[self.diameter.value], self.precision.value, self.augment.value
        )

    def segment(self) -> None:
        """Segment the chosen layer in a thread."""
        layer = self.image.value
        try:
            if layer is None:
                raise UsageError("no image is chosen; open one first")
            axes = cast("Any", _AXES[self.axes.value])
            planes = layer_planes(layer.data, rgb=layer.rgb, axes=axes)
            options = self.options()
        except ValueError as error:
            report_error(error, self.status)
            return
        size = layer_pixel_size(layer.scale, layer.units)

        def work(is_cancelled: Callable[[], bool]) -> Segmentation:
            return segment_planes(
                planes,
                options,
                size,
                is_cancelled=is_cancelled,
                on_progress=self._note_progress,
            )

        self._set_running(True)
        self.status.value = f"segmenting {planes.describe()} …"
        self._stop = start_job(
            self,
            "segmentation",
            work,
            lambda found: self._add_result(layer, planes, found),
            self._fail,
        )

    def _add_result(self, layer: Any, planes: Planes, found: Segmentation) -> None:  # noqa: ANN401
        self._set_running(False)
        self._viewer.add_labels(
            found.labels,
            name=f"{layer.name} cells",
            features=found.table,
            **placement(layer, found.labels.ndim),
        )
        self.status.value = f"{len(found.table)} cells in {planes.describe()}"
        if self.table.value:
            show_table(self._viewer)

    def _fail(self, error: Exception) -> None:
        from cellbench.napari.watching import Cancelled

        self._set_running(False)
        if isinstance(error, Cancelled):
            self.status.value = "cancelled"
        else:
            report_error(error, self.status)

    def _cancel(self) -> None:
        self.status.value = "cancelling …"
        self._stop()

    def _note_progress(self, done: int, total: int) -> None:
        self._progress = done, total

    def _show_progress(self) -> None:
        done, total = self._progress
        self.bar.max = total  # 0 shows that it is busy
        self.bar.value = min(done, total)

    def _set_running(self, running: bool) -> None:
        self.start.enabled, self.cancel.enabled, self.bar.visible = not running, running, running
        self._progress = 0, 0
        if running:
            self._timer.start(_POLL_MS)
        else:
            self._timer.stop()
