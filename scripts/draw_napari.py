"""Draw the two pictures of docs/napari.md: the window of napari with the plugin; `make pictures` calls it.

Needs napari and a display, such as that of xvfb-run:
    xvfb-run -a python scripts/draw_napari.py data/sample docs/pictures
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["NAPARI_CONFIG"] = ""  # the settings of a user who has napari are not read

import imageio.v3 as iio
import napari
from qtpy.QtWidgets import QApplication

STEM = "fluorescence_dsb2018"
SIZE = (1150, 768)
"""Width and height of the window in pixels."""


def wait(condition: Callable[[], bool], seconds: float = 300) -> None:
    """Let the window work until a condition is true.

    Args:
        condition: the condition.
        seconds: the longest time to wait.

    Raises:
        TimeoutError: if it is not true by then.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("napari did not finish in time")
        QApplication.processEvents()
        time.sleep(0.05)


def save(viewer: napari.Viewer, out: Path, zoom: float = 1) -> None:
    """Write the window as a picture.

    Args:
        viewer: napari's viewer.
        out: picture to write.
        zoom: how much larger the image is drawn than fits into the window.
    """
    viewer.reset_view()
    viewer.scene.camera.zoom *= zoom
    end = time.monotonic() + 1
    wait(lambda: time.monotonic() > end)  # until everything is drawn
    window = viewer.screenshot(canvas_only=False, flash=False)[..., :3]
    iio.imwrite(out, window & 0xFC, optimize=True)  # without noise that nobody sees


def dock(viewer: napari.Viewer, name: str) -> Any:  # noqa: ANN401
    """Open a widget of the plugin.

    Args:
        viewer: napari's viewer.
        name: its name in the menu.
    """
    return viewer.window.add_plugin_dock_widget("cellbench", name)[1]


def main(data: Path, out: Path) -> None:
    """Segment an image with the ready model, compare the result with the truth, and draw both.

    Args:
        data: the sample dataset.
        out: folder of the pictures.
    """
    viewer = napari.Viewer()
    viewer.window.resize(*SIZE)
    viewer.open(data / f"test/images/{STEM}.tif", plugin="napari")
    segment = dock(viewer, "Segment")
    segment.start.native.click()
    wait(lambda: f"{STEM} cells" in viewer.layers)
    save(viewer, out / "napari_segment.png")

    viewer.window.remove_dock_widget("all")
    viewer.open(data / f"test/labels/{STEM}_label.tiff", plugin="cellbench")
    compare = dock(viewer, "Compare")
    compare.prediction.value = viewer.layers[f"{STEM} cells"]
    compare.start.native.click()
    wait(lambda: "comparison" in viewer.layers)
    for layer in viewer.layers:
        layer.visible = layer.name in (STEM, "comparison")
    save(viewer, out / "napari_compare.png", zoom=1.6)
    viewer.close()


if __name__ == "__main__":
    data, out = (Path(word).absolute() for word in sys.argv[1:])
    with tempfile.TemporaryDirectory() as empty:
        os.chdir(empty)  # without trainings in runs/, so that the ready model is chosen
        main(data, out)
