"""Choosing layers of the viewer, and placing new ones over them."""

from collections.abc import Callable
from typing import Any

from magicgui.widgets import ComboBox
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox

COMPARISON = "cellbench_comparison"
"""Key in the metadata of a layer of outlines, which is no label map of cells."""

_TABLE_HEIGHT = 220  # pixels
_SHOWN_LETTERS = 12


def layer_box(viewer: Any, kind: Any, label: str) -> ComboBox:  # noqa: ANN401
    """Return a box to choose one of the viewer's layers; napari keeps its list current.

    Args:
        viewer: napari's viewer.
        kind: type of the layers.
        label: text beside the box.
    """

    def fitting(_box: object) -> list[tuple[str, Any]]:
        return [
            (each.name, each)
            for each in viewer.layers
            if isinstance(each, kind) and COMPARISON not in each.metadata
        ]

    return keep_narrow(ComboBox(label=label, choices=fitting, nullable=False))


def keep_narrow(box: ComboBox) -> ComboBox:
    """Let a box be narrower than its longest choice, and show the whole of the chosen one as its tooltip.

    Args:
        box: the box.

    Returns:
        The same box.
    """
    native = box.native
    native.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    native.setMinimumContentsLength(_SHOWN_LETTERS)
    native.view().setTextElideMode(Qt.TextElideMode.ElideMiddle)
    native.currentTextChanged.connect(native.setToolTip)
    native.setToolTip(native.currentText())
    return box


def placement(layer: Any, axes: int) -> dict[str, Any]:  # noqa: ANN401
    """Return the options that put a new layer at the place of another one.

    Args:
        layer: the other layer.
        axes: number of axes of the new layer, which are the last ones of the other.
    """
    return {
        "scale": layer.scale[-axes:],
        "translate": layer.translate[-axes:],
        "units": layer.units[-axes:],
    }


def show_table(viewer: Any) -> None:  # noqa: ANN401
    """Show napari's table of the selected layer below the image, where its many columns have room.

    Args:
        viewer: napari's viewer.
    """
    known = set(viewer.window.dock_widgets)
    dock, _ = viewer.window.add_plugin_dock_widget("napari", "Features table widget")
    if set(viewer.window.dock_widgets) - known:  # else it stays where the user has put it
        window = dock.parent()
        window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
        window.resizeDocks([dock], [_TABLE_HEIGHT], Qt.Orientation.Vertical)


def keeping_selection(viewer: Any, add: Callable[[], Any]) -> Any:  # noqa: ANN401
    """Add a layer, and leave the layer selected that the user works on.

    Args:
        viewer: napari's viewer.
        add: function that adds the layer.

    Returns:
        The new layer.
    """
    active = viewer.layers.selection.active
    added = add()
    if active is not None:
        viewer.layers.selection.active = active
    return added
