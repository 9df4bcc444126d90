"""Class paths: ``package.module.Class`` as text, and the class that it leads to."""

import sys
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from types import ModuleType
from typing import TYPE_CHECKING, Any

from cellbench.errors import UsageError
from cellbench.models.names import class_path

if TYPE_CHECKING:
    from cellbench.models.base import InstanceSegmentationModel


def import_model(path: str) -> "type[InstanceSegmentationModel]":
    """Import a model's class; this runs the code of its module.

    Args:
        path: ``package.module.Class``.

    Raises:
        UsageError: if the path cannot be imported, or is not the class of a model.
    """
    from cellbench.models.base import InstanceSegmentationModel

    found = import_object(path, "model class ")
    if not (isinstance(found, type) and issubclass(found, InstanceSegmentationModel)):
        raise UsageError(
            f"model class {path}: not a subclass of cellbench.models.InstanceSegmentationModel"
        )
    return found


def import_object(path: str, what: str = "") -> Any:  # noqa: ANN401  (whatever has the path)
    """Import what a path leads to; this runs the code of its module.

    Args:
        path: ``package.module.Class``.
        what: words that stand before the path in an error message.

    Raises:
        UsageError: if the path leads to nothing, or its module raises an error of any kind.
    """
    try:
        return _find(path)
    except (Exception, SystemExit) as error:  # a module's code can raise anything
        advice = "correct its module, or install what it needs"
        reason = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(": ")
        if isinstance(error, _PathError):
            reason, advice = str(error), "check its spelling"
        elif isinstance(error, ModuleNotFoundError) and f"{path}.".startswith(f"{error.name}."):
            reason = str(error)
            advice = "install its package, or add the folder of its package to PYTHONPATH"
        raise UsageError(f"{what}{path}: cannot be imported ({reason}); {advice}") from error


class _PathError(Exception):
    """A path that leads to nothing."""


def _find(path: str) -> Any:  # noqa: ANN401
    """Return what a path leads to; unlike ``pkgutil.resolve_name``, keep the errors of its modules."""
    if not all(part.isidentifier() for part in path.split(".")):
        raise _PathError("not written as package.module.Class")
    name, *parts = path.split(".")
    found: Any = import_module(name)
    for part in parts:
        name = f"{name}.{part}"
        if _is_module(found, name) and not (name == path and hasattr(found, part)):
            found = import_module(name)
        elif hasattr(found, part):
            found = getattr(found, part)
        else:
            modules = [each.name for each in iter_modules(getattr(found, "__path__", []))]
            near = get_close_matches(part, {*dir(found), *modules}, n=3)
            hint = f"; did you mean {' or '.join(sorted(near))}?" if near else ""
            raise _PathError(f"{name.removesuffix(f'.{part}')} has no {part}{hint}")
    return found


def _is_module(package: object, name: str) -> bool:
    if not isinstance(package, ModuleType):
        return False
    return name in sys.modules or (hasattr(package, "__path__") and find_spec(name) is not None)


def check_loadable(model: type) -> None:
    """Check that a checkpoint of a model can be loaded by the class path that it stores.

    Args:
        model: the class of the model.

    Raises:
        UsageError: if the class is defined in a script or in a function, or its path leads to
            something else.
    """
    path = class_path(model)
    if model.__module__ == "__main__":
        reason = "it is defined in a script (__main__)"
    elif "<locals>" in model.__qualname__:
        reason = "it is defined inside a function"
    else:
        try:
            if _find(path) is model:
                return
            reason = "its path leads to another object"
        except (Exception, SystemExit):  # a module's code can raise anything
            reason = "its path cannot be imported"
    raise UsageError(_not_loadable(path, reason))


def refuse_local_class(path: str) -> None:
    """Refuse the path of a class that is defined inside a function.

    Args:
        path: a class path, as [`class_path`][cellbench.models.names.class_path] returns it.

    Raises:
        UsageError: if it is such a path.
    """
    if "<locals>" in path:
        raise UsageError(_not_loadable(path, "it is defined inside a function"))


def _not_loadable(path: str, reason: str) -> str:
    return (
        f"model class {path}: its checkpoints could not be loaded again, because {reason}; define "
        "it at the top level of a module that can be imported"
    )
