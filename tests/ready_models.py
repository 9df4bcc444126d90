"""Tiny ready models in a temporary folder: what `make weights` would write, from an untrained network."""

import hashlib
from pathlib import Path

import pytest
from checkpoints import save_checkpoint, small_unet

from cellbench.models.about import ModelAbout, checked_about
from cellbench.models.weights import read_checkpoint
from cellbench.models.weights_file import write_weights_file

ABOUT = {
    "name": "generalist",
    "version": "1.2.3",
    "title": "A tiny model for tests",
    "description": "Finds nothing.",
    "authors": ["The cellbench authors"],
    "licence": "Apache-2.0",
    "trained_on": [{"name": "Cells", "licence": "CC0-1.0", "url": "https://example.org/cells"}],
    "cite": [{"text": "Caicedo et al. 2019", "doi": "10.1038/s41592-019-0612-7"}],
}


def about(**changes: object) -> ModelAbout:
    """Return what the tiny model is."""
    return checked_about(ABOUT | changes, "about.yaml")


def tiny_checkpoint(path: Path) -> Path:
    """Write a checkpoint of a tiny U-Net that knows the sizes of its cells."""
    model = small_unet(2)
    model.diameters = (10.0, 20.0, 40.0)
    return save_checkpoint(model, path)


def ship(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str = "generalist") -> Path:
    """Make a package of ready models and return the weights file; no other package is seen."""
    package = folder / "cellbench_weights"
    package.mkdir(parents=True, exist_ok=True)
    checkpoint = tiny_checkpoint(folder / "model.ckpt")
    file = package / f"{name}.safetensors"
    write_weights_file(file, read_checkpoint(checkpoint), about(name=name))
    sums = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(package.glob("*.safetensors"))
    ]
    (package / "SHA256SUMS").write_text("".join(sums))
    use_folder(package, monkeypatch)
    return file


def use_folder(package: Path | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the package of ready models be in a folder, or nowhere."""
    for module in ("resources", "models.shipped"):
        monkeypatch.setattr(f"cellbench.{module}.weights_folder", lambda: package)
