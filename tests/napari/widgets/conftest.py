"""Fixtures of the tests of the widgets."""

import os
from pathlib import Path

import pytest
from napari_session import Session, missing, register_plugin

# The tests must not change the settings of a user who has napari; it reads this when it is imported.
os.environ["NAPARI_CONFIG"] = ""


@pytest.fixture
def session(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Session:
    """Open napari's test viewer with the plugin, in an empty working folder."""
    if reason := missing():
        pytest.skip(reason)
    from cellbench.napari.widgets import model_picker

    register_plugin()
    model_picker._opened.clear()  # by other tests
    monkeypatch.chdir(tmp_path)
    make_viewer = request.getfixturevalue("make_napari_viewer")
    return Session(make_viewer(), request.getfixturevalue("qtbot"))
