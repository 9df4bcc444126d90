"""A session with the plugin in napari's own test viewer, where there is a display."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cellbench.napari

_PACKAGES = {"napari": "napari", "PySide6": "PySide6_Essentials", "pytestqt": "pytest-qt"}


@dataclass(frozen=True)
class Session:
    """A window of napari.

    Attributes:
        viewer: napari's viewer.
        qtbot: what runs the window while a test waits.
    """

    viewer: Any
    qtbot: Any

    def dock(self, name: str) -> Any:  # noqa: ANN401
        """Open a widget of the plugin by its name in the menu."""
        return self.viewer.window.add_plugin_dock_widget("cellbench", name)[1]

    def wait(self, condition: Callable[[], bool], minutes: float = 2) -> None:
        """Wait until a condition is true, while the window works."""
        self.qtbot.waitUntil(condition, timeout=round(minutes * 60_000))


def missing() -> str:
    """Return why no window can be opened; empty if one can."""
    for name, package in _PACKAGES.items():
        if find_spec(name) is None:
            return f"needs the package {package}: pip install 'cellbench[napari]' pytest-qt"
    if sys.platform == "linux" and not os.environ.get("DISPLAY"):
        return "needs a display: run the tests with xvfb-run"
    return ""


def register_plugin() -> None:
    """Let napari find the plugin, also where this checkout is not installed."""
    from npe2 import PluginManager, PluginManifest

    manager = PluginManager.instance()
    manager.discover()
    if "cellbench" not in {each.name for each in manager.iter_manifests()}:
        manifest = Path(cellbench.napari.__file__).with_name("napari.yaml")
        manager.register(PluginManifest.from_file(manifest))
