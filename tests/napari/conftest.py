"""Fixtures of the tests of the plugin for napari."""

from pathlib import Path

import pytest
from checkpoints import save_checkpoint, small_unet


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a checkpoint of a small untrained U-Net."""
    return save_checkpoint(small_unet(), tmp_path_factory.mktemp("model") / "unet.ckpt")
