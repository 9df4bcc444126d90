"""Ready models: trained weights that can be installed, found by name. Listing them needs no PyTorch.

The package ``cellbench-weights`` contains a weights file NAME.safetensors for each model, its model card
NAME.md, and SHA256SUMS, the checksums of the weights files. It contains no code.
"""

from dataclasses import dataclass
from pathlib import Path

from cellbench.errors import CheckpointError, UsageError
from cellbench.evaluation.seals import checksum_of
from cellbench.models.about import ModelAbout
from cellbench.models.weights_metadata import about_in, read_metadata
from cellbench.resources import INSTALL_WEIGHTS, WEIGHTS_SUFFIX, ready_weights, weights_folder

DEFAULT = "generalist"
"""The ready model that segments where no other model is named."""

CHECKSUMS = "SHA256SUMS"
"""The file with the checksums of the weights files, as ``sha256sum`` writes it."""


@dataclass(frozen=True)
class ShippedModel:
    """A ready model.

    Attributes:
        about: what it is.
        path: its weights file.
        size: size of the file in bytes.
    """

    about: ModelAbout
    path: Path
    size: int


def shipped_names() -> list[str]:
    """Return the names of the ready models that are installed, in alphabetical order."""
    folder = weights_folder()
    return [] if folder is None else sorted(path.stem for path in folder.glob(f"*{WEIGHTS_SUFFIX}"))


def shipped_models() -> list[ShippedModel]:
    """Return the ready models that are installed, by name.

    Raises:
        CheckpointError: if a weights file cannot be read.
    """
    folder = weights_folder()
    files = (
        [] if folder is None else [folder / f"{name}{WEIGHTS_SUFFIX}" for name in shipped_names()]
    )
    return [_described(path) for path in files]


def _described(path: Path) -> ShippedModel:
    about = about_in(read_metadata(path), path)
    if about is None or about.name != path.stem:
        raise CheckpointError(
            f"{path}: does not say that it is the model {path.stem}; {INSTALL_WEIGHTS} --force-reinstall"
        )
    return ShippedModel(about, path, path.stat().st_size)


def shipped_weights(name: str) -> Path:
    """Return the weights file of a ready model, after its checksum was verified.

    Args:
        name: name of the model.

    Raises:
        UsageError: if there is no ready model of this name among those that are installed.
        CheckpointError: if none is installed, or the file is damaged.
    """
    names = shipped_names()
    if not names:
        raise CheckpointError(
            f"model {name!r}: no ready model is installed; {INSTALL_WEIGHTS}, or use a model of your own "
            "with --checkpoint FILE"
        )
    path = ready_weights(name) if name in names else None
    if path is None:
        raise UsageError(f"model {name!r}: no such ready model; choose from {', '.join(names)}")
    if _stated_checksum(path.with_name(CHECKSUMS), path.name) != checksum_of(path.resolve()):
        raise CheckpointError(
            f"{path}: does not have the checksum in {CHECKSUMS}, so it is damaged; {INSTALL_WEIGHTS} "
            "--force-reinstall"
        )
    return path


def _stated_checksum(file: Path, name: str) -> str:
    """Return the checksum of a file; empty if the list does not have it."""
    try:
        lines = [line.split() for line in file.read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError):
        return ""
    return next((line[0] for line in lines if len(line) == 2 and line[1].lstrip("*") == name), "")


def checkpoint_or_shipped(path: str | Path) -> Path:
    """Return the file of a model that is named by its file or by the name of a ready model.

    Args:
        path: a checkpoint, a weights file, or the name of a ready model. An existing file comes first.

    Raises:
        CheckpointError: if it is the name of a ready model that is not installed or damaged.
    """
    is_name = not Path(path).exists() and str(path) in (DEFAULT, *shipped_names())
    return shipped_weights(str(path)) if is_name else Path(path)
