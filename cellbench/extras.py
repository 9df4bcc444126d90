"""The optional packages: ``cellbench[train]``, ``cellbench[formats]`` and ``cellbench[export]``."""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from cellbench.errors import CellbenchError

TRAIN_PACKAGES = (
    "torch", "torchvision", "pytorch_lightning", "jsonargparse", "docstring_parser", "torchmetrics",
    "timm", "segmentation_models_pytorch", "monai", "einops", "safetensors", "stardist",
)  # fmt: skip
"""Import names of the packages that ``pip install "cellbench[train]"`` adds to the base install."""

FORMAT_PACKAGES = {"czifile": "CZI", "nd2": "ND2", "liffile": "LIF", "roifile": "ROI"}
"""Import names of the packages that ``pip install "cellbench[formats]"`` adds, and what they read."""

EXPORT_PACKAGES = ("onnx", "onnxscript", "onnxruntime", "bioimageio.spec")
"""Import names of the packages that ``pip install "cellbench[export]"`` adds."""


def import_export_package(name: str) -> Any:  # noqa: ANN401  (checked only where it is installed)
    """Import one of the modules of [`EXPORT_PACKAGES`][], or a module inside one of them.

    Args:
        name: its import name.

    Raises:
        CellbenchError: if it is not installed.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as missing:
        if not f"{name}.".startswith(f"{missing.name}."):
            raise  # one of its own dependencies
        raise CellbenchError(
            f"export: needs the package {missing.name}, which is not installed; "
            'run: pip install "cellbench[export]"'
        ) from missing


def import_format_package(name: str, subject: object, error: type[CellbenchError]) -> ModuleType:
    """Import one of the packages of [`FORMAT_PACKAGES`][].

    Args:
        name: its import name.
        subject: what needs it, for the message: a file or an option.
        error: type of the error that is raised.

    Raises:
        CellbenchError: of the type ``error``, if the package is not installed.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as missing:
        raise error(
            f"{subject}: {FORMAT_PACKAGES[name]} files need the package {name}, which is not installed; "
            'run: pip install "cellbench[formats]"'
        ) from missing


def missing_train_packages(error: ModuleNotFoundError) -> str:
    """Return an instruction to install ``cellbench[train]``, if that is what an import failed for.

    Args:
        error: what the import raised.

    Returns:
        One line that names the missing packages; empty if the missing module is not one of theirs.
    """
    if (error.name or "").partition(".")[0] not in TRAIN_PACKAGES:
        return ""
    missing = [name for name in TRAIN_PACKAGES if find_spec(name) is None]
    return (
        f"needs packages that are not installed ({', '.join(missing)}); "
        'run: pip install "cellbench[train]"'
    )
