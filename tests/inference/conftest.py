"""Repeated runs of `cellbench segment`."""

from pathlib import Path

import pytest
from checkpoints import save_checkpoint, small_unet
from segmentation_runs import STEMS, Runs, write_image

from cellbench.inference import run_files
from cellbench.inference.segment import read_model_image


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """Four images and a checkpoint; the images that are segmented are noted."""
    save_checkpoint(small_unet(2), tmp_path / "model.ckpt")
    (tmp_path / "images").mkdir()
    for seed, stem in enumerate(STEMS):
        write_image(tmp_path / f"images/{stem}.png", seed)
    runs = Runs(tmp_path)

    def read(models: object, path: Path) -> object:
        runs.read.append(path.stem)
        return read_model_image(models, path)  # type: ignore[arg-type]

    monkeypatch.setattr(run_files, "read_model_image", read)
    return runs
