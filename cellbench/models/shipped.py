"""Ready models: trained weights that can be installed, found by name. Listing them needs no PyTorch.

The package ``cellbench-weights`` contains a weights file NAME.safetensors for each model, its model card
NAME.md, and SHA256SUMS, the checksums of the weights files. It contains no code.
"""

import re
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

_ENTRY = re.compile(r"(?P<checksum>[0-9a-f]{64}) [ *](?P<name>.+)")
_AGAIN = f"{INSTALL_WEIGHTS} --force-reinstall"


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
    files = [] if folder is None else folder.glob(f"*{WEIGHTS_SUFFIX}")
    return sorted(path.stem for path in files if path.is_file())


def shipped_model(name: str) -> ShippedModel:
    """Return a ready model, after its checksum was verified.

    Args:
        name: name of the model.

    Raises:
        CellbenchError: as [`shipped_weights`][], or if the file says that it is another model.
    """
    path = shipped_weights(name)
    about = about_in(read_metadata(path), path)
    if about is None or about.name != name:
        raise CheckpointError(f"{path}: does not say that it is the model {name}; {_AGAIN}")
    return ShippedModel(about, path, path.stat().st_size)


def shipped_weights(name: str) -> Path:
    """Return the weights file of a ready model, after its checksum was verified.

    Args:
        name: name of the model.

    Raises:
        UsageError: if there is no ready model of this name among those that are installed.
        CheckpointError: if none is installed, the file is damaged, or its checksum is not known.
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
            f"{path}: does not have the checksum in {CHECKSUMS}, so it is damaged; {_AGAIN}"
        )
    return path


def _stated_checksum(file: Path, name: str) -> str:
    """Return the checksum of a weights file according to the list of checksums."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise CheckpointError(f"{file}: cannot be read ({reason}); {_AGAIN}") from error
    stated = {}
    for number, line in enumerate(lines, 1):
        if (entry := _ENTRY.fullmatch(line)) is None:
            raise CheckpointError(
                f"{file}: line {number} is not a checksum and the name of a file; {_AGAIN}"
            )
        stated[entry["name"]] = entry["checksum"]
    if name not in stated:
        raise CheckpointError(
            f"{file}: does not list {name}, so one of the two comes from another set of models; {_AGAIN}, "
            "and name a model of your own with --checkpoint FILE"
        )
    return stated[name]


def checkpoint_or_shipped(path: str | Path) -> Path:
    """Return the file of a model that is named by its file or by the name of a ready model.

    Args:
        path: a checkpoint, a weights file, or the name of a ready model. An existing file comes first.

    Raises:
        CheckpointError: if it is the name of a ready model that is not installed or damaged.
    """
    is_name = not Path(path).exists() and str(path) in (DEFAULT, *shipped_names())
    return shipped_weights(str(path)) if is_name else Path(path)
