"""Fixtures of the tests of the plugin for napari."""

from pathlib import Path

import pytest
from checkpoints import save_checkpoint, small_unet
from ready_models import use_folder

GENERALIST = Path(__file__).parents[2] / "weights/cellbench_weights/generalist.safetensors"


@pytest.fixture(autouse=True)
def _no_ready_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the ready models, so that the plugin offers what a test makes."""
    use_folder(None, monkeypatch)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a checkpoint of a small untrained U-Net."""
    return save_checkpoint(small_unet(), tmp_path_factory.mktemp("model") / "unet.ckpt")


@pytest.fixture
def trained() -> Path:
    """Return a model that finds cells: the ready model."""
    return GENERALIST
