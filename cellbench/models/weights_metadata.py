"""The metadata of a weights file: everything in it but the weights. Reading it needs no PyTorch."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cellbench.entrants.yaml_files import check_texts
from cellbench.errors import CheckpointError
from cellbench.models.about import ABOUT_KEY, ModelAbout, checked_about
from cellbench.models.checkpoint_keys import MODEL_KEY
from cellbench.resources import WEIGHTS_SUFFIX

OPTIONS_KEY = "hyper_parameters"
"""Where checkpoints and weights files keep the options of the model."""

_ENTRY = "cellbench"
_VERSION = 1
_VERSION_KEY = "cellbench_weights_file"


def is_weights_file(path: str | Path) -> bool:
    """Return whether a path is that of a weights file, by its extension.

    Args:
        path: a checkpoint or a weights file.
    """
    return Path(path).suffix == WEIGHTS_SUFFIX


def make_metadata(
    path: str | Path, checkpoint: Mapping[str, Any], about: ModelAbout
) -> dict[str, str]:
    """Return the metadata of the weights file of a model.

    Args:
        path: the weights file, for error messages.
        checkpoint: content of a checkpoint or of another weights file.
        about: what the model is.

    Returns:
        One text by name, as safetensors stores it.

    Raises:
        CheckpointError: if an option is not a number, a text, or a list or mapping of these.
    """
    content = {name: value for name, value in checkpoint.items() if name.startswith("cellbench_")}
    # LightningCLI adds options that start with an underscore; `weights` is a path of the training machine.
    content[OPTIONS_KEY] = {
        name: value
        for name, value in checkpoint[OPTIONS_KEY].items()
        if not name.startswith("_") and name != "weights"
    }
    content |= {_VERSION_KEY: _VERSION, ABOUT_KEY: about.model_dump()}
    try:
        return {_ENTRY: json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False)}
    except (TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path}: an option of the model cannot be stored ({error}); options must be numbers, texts, "
            "and lists or mappings of these"
        ) from error


def read_metadata(path: str | Path) -> dict[str, Any]:
    """Read the metadata of a weights file.

    Args:
        path: the file.

    Returns:
        What a checkpoint contains besides the weights, by the same names.

    Raises:
        CheckpointError: if the file cannot be read or is not a weights file of cellbench.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            metadata = file.metadata()
    except (SafetensorError, OSError) as error:
        raise unreadable(path, error) from error
    return _checked(path, (metadata or {}).get(_ENTRY, ""))


def unreadable(path: str | Path, error: Exception) -> CheckpointError:
    """Return the error for a weights file that is damaged or does not exist.

    Args:
        path: the file.
        error: what reading it raised.
    """
    reason = " ".join(str(error).split()) or type(error).__name__
    return CheckpointError(
        f"{path}: not a readable weights file ({reason}); copy or install it again"
    )


def _checked(path: str | Path, text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
        version, options, model = (content[key] for key in (_VERSION_KEY, OPTIONS_KEY, MODEL_KEY))
    except (ValueError, KeyError, TypeError, RecursionError):
        version, options, model = None, None, None
    if version is None or not isinstance(options, dict):
        raise CheckpointError(
            f"{path}: not a weights file of cellbench; give a file that `cellbench export --to weights` "
            "wrote"
        )
    if version != _VERSION:
        raise CheckpointError(
            f"{path}: a weights file of format {version}, and this version of cellbench reads format "
            f"{_VERSION}; update cellbench"
        )
    try:
        check_texts(content)
    except ValueError as error:
        raise unreadable(path, error) from error
    if not isinstance(model, str) or "." not in model:
        raise unreadable(path, ValueError(f"the model class {model!r} is unknown"))
    return dict(content)


def about_in(content: Mapping[str, Any], path: str | Path) -> ModelAbout | None:
    """Return what the model of a weights file is; None for a checkpoint of training, which does not say.

    Args:
        content: what the file contains.
        path: the file, for error messages.

    Raises:
        CheckpointError: if the description has wrong keys or values.
    """
    about = content.get(ABOUT_KEY)
    return None if about is None else checked_about(about, path, CheckpointError)
