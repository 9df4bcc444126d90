"""Models: one network and one representation each. A file in this folder is a model, by its name."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from cellbench.errors import CellbenchError

if TYPE_CHECKING:
    from cellbench.models.base import InstanceSegmentationModel

_NOT_MODELS = ("__init__", "base", "grouping", "groups")


def list_models() -> list[str]:
    """List the names of the models, alphabetically.

    Example:
        >>> "unet" in list_models()
        True
    """
    files = Path(__file__).parent.glob("*.py")
    return sorted(path.stem for path in files if path.stem not in _NOT_MODELS)


def model_class(name: str) -> "type[InstanceSegmentationModel]":
    """Give the class of a model.

    Raises:
        CellbenchError: if there is no model of that name.
    """
    from cellbench.models.base import InstanceSegmentationModel

    if name not in list_models():
        raise CellbenchError(f"model {name!r}: not known; choose from {', '.join(list_models())}")
    module = import_module(f"{__name__}.{name}")
    (found,) = (
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, InstanceSegmentationModel)
        and value.__module__ == module.__name__
    )
    return found
