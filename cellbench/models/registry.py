"""The registered models: cellbench's own and those of installed packages, by name.

A package registers its models as entry points, in its ``pyproject.toml``::

    [project.entry-points."cellbench.models"]
    mymodel = "mypackage.mymodel:MyModel"

Listing names imports no model, and no PyTorch.
"""

import pkgutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from cellbench.errors import CellbenchError, UsageError

if TYPE_CHECKING:
    from cellbench.models.base import InstanceSegmentationModel

ENTRY_POINTS = "cellbench.models"
"""The entry-point group in which packages register their models."""

OWN_MODELS = {
    "boundary_unet": "cellbench.models.boundary_unet.BoundaryUNet",
    "convnext_hover": "cellbench.models.convnext_hover.ConvNextHoVer",
    "convnext_stardist": "cellbench.models.convnext_stardist.ConvNextStarDist",
    "hover": "cellbench.models.hover.HoVerUNet",
    "multi_stream": "cellbench.models.multi_stream.MultiStream",
    "stardist": "cellbench.models.stardist.StarDistUNet",
    "swin_unetr": "cellbench.models.swin_unetr.SwinUNETRBoundary",
    "unet": "cellbench.models.unet.UNetBoundary",
}
"""The class path of each model of cellbench, by name."""


_MODEL_OPTIONS = ("--model", "--model.help", "--model.class_path")


@dataclass(frozen=True)
class RegisteredModel:
    """A model that can be used by its name.

    Attributes:
        name: the name, as in ``cellbench fit --model NAME``.
        class_path: ``package.module.Class``.
        package: the installed package that registers it.
    """

    name: str
    class_path: str
    package: str


def registered_models() -> dict[str, RegisteredModel]:
    """Return all registered models by name, in alphabetical order.

    Raises:
        CellbenchError: if two packages register the same name.
    """
    found: dict[str, RegisteredModel] = {}
    for model in _all_registrations():
        other = found.setdefault(model.name, model)
        if other.class_path != model.class_path:
            raise CellbenchError(
                f"model name {model.name!r}: registered by two packages, {other.package} and "
                f"{model.package}; uninstall one of them, or rename its entry point"
            )
    return dict(sorted(found.items()))


def _all_registrations() -> Iterator[RegisteredModel]:
    for name, path in OWN_MODELS.items():
        yield RegisteredModel(name, path, "cellbench")
    for point in entry_points(group=ENTRY_POINTS):
        package = "unknown package" if point.dist is None else point.dist.name
        yield RegisteredModel(point.name, point.value.replace(":", "."), package)


def list_models() -> list[str]:
    """Return the names of the registered models, in alphabetical order.

    Example:
        >>> "unet" in list_models()
        True
    """
    return list(registered_models())


def class_path(model: type) -> str:
    """Return the full path of a class.

    Args:
        model: any class.

    Example:
        >>> class_path(RegisteredModel)
        'cellbench.models.registry.RegisteredModel'
    """
    return f"{model.__module__}.{model.__qualname__}"


def model_class(name: str) -> "type[InstanceSegmentationModel]":
    """Import the class of a registered model.

    Args:
        name: the registered name of the model.

    Raises:
        CellbenchError: if no model of that name is registered, or its class cannot be imported.
    """
    models = registered_models()
    if name not in models:
        raise CellbenchError(f"model {name!r}: not known; choose from {', '.join(models)}")
    return import_model(models[name].class_path)


def import_model(path: str) -> "type[InstanceSegmentationModel]":
    """Import a model's class; this runs the code of its module.

    Args:
        path: ``package.module.Class``.

    Raises:
        UsageError: if the path cannot be imported, or is not the class of a model.
    """
    from cellbench.models.base import InstanceSegmentationModel

    try:
        found = pkgutil.resolve_name(path)
    except (ImportError, AttributeError, ValueError, SyntaxError) as error:
        raise UsageError(
            f"model class {path}: cannot be imported ({error}); install its package, or add the "
            "folder of its package to PYTHONPATH"
        ) from error
    if not (isinstance(found, type) and issubclass(found, InstanceSegmentationModel)):
        raise UsageError(
            f"model class {path}: not a subclass of cellbench.models.InstanceSegmentationModel"
        )
    return found


def resolve_class_path(model: str) -> str:
    """Return the class path of a model that a user names, without importing it.

    Args:
        model: a registered name, the bare class name of a registered model, or a class path.

    Raises:
        UsageError: if it is none of these.

    Example:
        >>> resolve_class_path("unet")
        'cellbench.models.unet.UNetBoundary'
    """
    if "." in model:
        return model
    models = registered_models()
    by_class = {each.class_path.rsplit(".", 1)[-1]: each for each in models.values()}
    if found := models.get(model) or by_class.get(model):
        return found.class_path
    raise UsageError(
        f"model {model!r}: not known; choose from {', '.join(models)}, or give the full path of a "
        "class, as package.module.Class"
    )


def is_registered(path: str) -> bool:
    """Return whether a class belongs to cellbench or to an installed package that registers it.

    A package may register a class under a shorter path than that of its module. Only packages
    that register a model and have the same top-level name are imported to find that out.

    Args:
        path: ``package.module.Class``, as :func:`class_path` returns it.
    """
    models = registered_models().values()
    if any(path == each.class_path for each in models):
        return True
    package = path.partition(".")[0]
    same_package = [
        each.class_path
        for each in models
        if each.class_path.partition(".")[0] == package != "cellbench"
    ]
    return any(_leads_to(each, path) for each in same_package)


def _leads_to(registered: str, path: str) -> bool:
    """Return whether a registered path is that of a class, under another name."""
    try:
        return class_path(import_model(registered)) == path
    except UsageError:  # a broken registration says nothing about other classes
        return False


def resolve_model_words(words: Sequence[str]) -> list[str]:
    """Replace a registered name after ``--model`` by its class path, which LightningCLI expects.

    Args:
        words: the words of a command line.

    Raises:
        UsageError: if a plain name is not registered, or a class path cannot be imported.

    Example:
        >>> resolve_model_words(["fit", "--model=unet"])
        ['fit', '--model=cellbench.models.unet.UNetBoundary']
    """
    resolved: list[str] = []
    for index, word in enumerate(words):
        option, sign, value = word.partition("=")
        if sign and option in _MODEL_OPTIONS:
            resolved.append(f"{option}={_importable(value)}")
        elif index and words[index - 1] in _MODEL_OPTIONS:
            resolved.append(_importable(word))
        else:
            resolved.append(word)
    return resolved


def _importable(model: str) -> str:
    """Return the class path of a model that can be imported; leave files and YAML as they are."""
    if "<locals>" in model:
        raise UsageError(_not_loadable(model, "it is defined inside a function"))
    is_file = model.endswith((".yaml", ".yml", ".json"))
    if is_file or not all(part.isidentifier() for part in model.split(".")):
        return model
    path = resolve_class_path(model)
    import_model(path)
    return path


def model_class_words(model: type) -> list[str]:
    """Return the words that ``cellbench segment`` needs to load a checkpoint of a class.

    Args:
        model: the class of a model.

    Returns:
        ``--model-class`` and the class path; nothing where the class is registered.
    """
    path = class_path(model)
    return [] if is_registered(path) else ["--model-class", path]


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
            if pkgutil.resolve_name(path) is model:
                return
            reason = "its path leads to another object"
        except (ImportError, AttributeError, ValueError):
            reason = "its path cannot be imported"
    raise UsageError(_not_loadable(path, reason))


def _not_loadable(path: str, reason: str) -> str:
    return (
        f"model class {path}: its checkpoints could not be loaded again, because {reason}; define "
        "it at the top level of a module that can be imported"
    )
