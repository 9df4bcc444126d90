"""The widget that compares two labels layers, also while one of them is corrected."""

from html import escape
from typing import Any

import numpy as np
from magicgui.widgets import CheckBox, Container, Label, PushButton
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from qtpy.QtCore import QTimer

from cellbench.errors import UsageError
from cellbench.labels import LabelMap
from cellbench.napari.comparing import Comparison, compare, kind_colours
from cellbench.napari.widgets.jobs import report_error, start_job, status_label
from cellbench.napari.widgets.layers import COMPARISON, keeping_selection, layer_box, placement

_LAYER = "comparison"
_WAIT_MS = 300
_EDITS = ("data", "paint", "labels_update", "set_data")  # the last one for undo, which has no event


class CompareWidget(Container):
    """Outlines and scores of a prediction, which follow each correction of the labels.

    Args:
        napari_viewer: the viewer.
    """

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:  # type: ignore[name-defined]  # noqa: F821
        self._viewer = napari_viewer
        self.is_running = False
        self._watched: list[Any] = []
        self._maps: list[LabelMap] = []  # of the watched layers, as they were compared last
        self._again = False
        self.prediction = layer_box(napari_viewer, Labels, "prediction")
        self.truth = layer_box(napari_viewer, Labels, "truth")
        self.live = CheckBox(value=True, text="update while labels are corrected")
        self.start = PushButton(text="Compare")
        self.scores: Label = status_label()
        self.legend: Label = status_label()
        super().__init__()
        self.extend([self.prediction, self.truth, self.live, self.start, self.scores, self.legend])
        self.reset_choices()
        self.start.changed.connect(self.compare)
        # Strokes of the brush follow each other quickly; the comparison waits for a pause.
        self._pause = QTimer(self.native)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self._follow)
        self.native.destroyed.connect(lambda: self._watch([]))

    def reset_choices(self, *_: object) -> None:
        """Look again for labels layers, and choose two different ones if there are any."""
        super().reset_choices()
        others = [each for each in self.truth.choices if each != self.prediction.value]
        if others and self.truth.value == self.prediction.value:
            self.truth.value = others[-1]

    def compare(self) -> None:
        """Compare the chosen layers in a thread."""
        if self.is_running:
            self._again = True
            return
        prediction, truth = self.prediction.value, self.truth.value
        try:
            if prediction is None or truth is None or prediction == truth:
                raise UsageError("choose two different labels layers, a prediction and the truth")
            # Copies, because the user goes on painting.
            maps = [np.array(layer.data) for layer in (truth, prediction)]
        except ValueError as error:
            report_error(error, self.scores)
            return
        self._watch([truth, prediction])
        self._maps = maps
        self.is_running = True
        start_job(
            self,
            "comparison",
            lambda _is_cancelled: compare(*maps),
            lambda found: self._show(truth, found),
            self._fail,
        )

    def _show(self, truth: Any, found: Comparison) -> None:  # noqa: ANN401
        self.is_running = False
        self.scores.value = found.summary()
        self.legend.value = _legend(found)
        layer = next((each for each in self._viewer.layers if COMPARISON in each.metadata), None)
        if layer is not None and layer.data.shape == found.outlines.shape:
            layer.data = found.outlines
        else:
            if layer is not None:
                self._viewer.layers.remove(layer)
            keeping_selection(self._viewer, lambda: self._add_outlines(truth, found))
        if self._again:
            self._again = False
            self.compare()

    def _add_outlines(self, truth: Any, found: Comparison) -> Any:  # noqa: ANN401
        colours: dict[int | None, str] = {None: "transparent", 0: "transparent"}
        colours |= dict(enumerate(kind_colours().values(), start=1))
        layer = self._viewer.add_labels(
            found.outlines,
            name=_LAYER,
            opacity=1,
            colormap=DirectLabelColormap(color_dict=colours),
            features={
                "index": range(1, 1 + len(kind_colours())),
                "kind": list(kind_colours()),
            },
            metadata={COMPARISON: True},
            **placement(truth, 2),
        )
        layer.editable = False
        return layer

    def _fail(self, error: Exception) -> None:
        self.is_running = False
        self._again = False
        report_error(error, self.scores)

    def _watch(self, layers: list[Any]) -> None:
        """Follow the edits of these layers, and no longer those of others."""
        for layer in self._watched:
            for name in _EDITS:
                getattr(layer.events, name).disconnect(self._edited)
        self._watched = layers
        for layer in layers:
            for name in _EDITS:
                getattr(layer.events, name).connect(self._edited)

    def _edited(self) -> None:
        if self.live.value:
            self._pause.start(_WAIT_MS)

    def _follow(self) -> None:
        """Compare again if the labels have changed; layers also say so when only their look has."""
        pairs = zip(self._watched, self._maps, strict=True)
        if not all(np.array_equal(layer.data, compared) for layer, compared in pairs):
            self.compare()


def _legend(found: Comparison) -> str:
    """Return the colours of the outlines with the numbers of cells, as rich text."""
    counts = found.counts()
    rows = (
        f'<span style="color: {colour}; background: #5b5b5b">&nbsp;■&nbsp;</span> '
        f"{escape(kind.replace('-', ' '))}{f': {counts[kind]}' if kind in counts else ''}"
        for kind, colour in kind_colours().items()
    )
    return "<br>".join(rows)
