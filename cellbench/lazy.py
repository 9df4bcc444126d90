"""Names that a package offers without importing their modules until one of them is used."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from cellbench.extras import missing_train_packages


def lazy_names(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a module ``__getattr__`` (PEP 562) that imports a name when it is first used.

    Args:
        package: full name of the package that offers the names.
        homes: full name of the module that defines each name.

    Returns:
        The function to call ``__getattr__`` in the package's ``__init__.py``.
    """

    def __getattr__(name: str) -> Any:  # noqa: ANN401, N807  (a module's attribute has any type)
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            return getattr(import_module(homes[name]), name)
        except ModuleNotFoundError as error:
            advice = missing_train_packages(error)
            if not advice:
                raise
            raise ModuleNotFoundError(f"{package}.{name}: {advice}", name=error.name) from error

    return __getattr__
