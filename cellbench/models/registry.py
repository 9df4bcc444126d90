"""The registered models: cellbench's own and those of installed packages, by name.

A package registers its models as entry points, in its ``pyproject.toml``:

```
[project.entry-points."cellbench.models"]
mymodel = "mypackage.mymodel:MyModel"
```

Listing names imports no model, and no PyTorch.
"""

import inspect
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from cellbench.errors import CellbenchError, UsageError
from cellbench.models.class_paths import import_model, refuse_local_class
from cellbench.models.names import OWN_MODELS, class_path

if TYPE_CHECKING:
    from cellbench.models.base import InstanceSegmentationModel

ENTRY_POINTS = "cellbench.models"
"""The entry-point group in which packages register their models."""

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
        value = re.sub(r"\s|\[.*", "", point.value)  # an entry point may also name extras
        yield RegisteredModel(point.name, value.replace(":", "."), package)


def list_models() -> list[str]:
    """Return the names of the registered models, in alphabetical order.

    Examples:
        >>> "unet" in list_models()
        True
    """
    return list(registered_models())


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


def resolve_class_path(model: str) -> str:
    """Return the class path of a model that a user names, without importing it.

    Args:
        model: a registered name, the bare class name of a registered model, or a class path.

    Raises:
        UsageError: if it is none of these.

    Examples:
        >>> resolve_class_path("unet")
        'cellbench.models.unet.UNetBoundary'
    """
    if "." in model:
        return model.replace(":", ".")  # as entry points separate a module from its class
    models = registered_models()
    by_class = {each.class_path.rsplit(".", 1)[-1]: each for each in models.values()}
    if found := models.get(model) or by_class.get(model):
        return found.class_path
    near = get_close_matches(model, models, n=1)
    hint = f"did you mean {near[0]}? Choose" if near else "choose"
    raise UsageError(
        f"model {model!r}: not known; {hint} from {', '.join(models)}, or give the full path of a "
        "class, as package.module.Class"
    )


def is_registered(path: str) -> bool:
    """Return whether a class belongs to cellbench or to an installed package that registers it.

    A package may register a class under a shorter path than that of its module. Only packages
    that register a model and have the same top-level name are imported to find that out.

    Args:
        path: ``package.module.Class``, as [`class_path`][cellbench.models.names.class_path] returns it.
    """
    models = list(_all_registrations())  # two packages with one name do no harm here
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

    Examples:
        >>> resolve_model_words(["fit", "--model=unet"])
        ['fit', '--model=cellbench.models.unet.UNetBoundary']
    """
    resolved: list[str] = []
    for index, word in enumerate(words):
        option, sign, value = word.partition("=")
        if sign and option in _MODEL_OPTIONS:
            resolved.append(f"{option}={importable_path(value)}")
        elif index and words[index - 1] in _MODEL_OPTIONS:
            resolved.append(importable_path(word))
        else:
            resolved.append(word)
    return resolved


def importable_path(model: str) -> str:
    """Return the class path of a model that can be trained, after importing it.

    Args:
        model: a registered name or a class path. A file or a piece of YAML is returned as it is.

    Raises:
        UsageError: if there is no such model, or its class cannot be imported or trained.
    """
    refuse_local_class(model)
    is_file = model.endswith((".yaml", ".yml", ".json"))
    if is_file or not all(part.isidentifier() for part in re.split("[.:]", model)):
        return model
    path = resolve_class_path(model)
    found = import_model(path)
    if inspect.isabstract(found):
        missing = ", ".join(sorted(found.__abstractmethods__))
        raise UsageError(
            f"model class {path}: cannot be trained, because it does not define {missing}; name a "
            "class that does"
        )
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
