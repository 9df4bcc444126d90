"""Import timm and MONAI without PyTorch's compiler, which would be a third of the start of a program.

Both import torchvision, which imports ``torch._dynamo`` for one function, and timm marks a method with
``torch.compiler.disable``. Neither is called when a model is built or used, unless it is compiled.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any

_COMPILER = "torch._dynamo"
_UTILS = f"{_COMPILER}.utils"


class _Deferred(ModuleType):
    """Stands for a module of the compiler; whatever it does not have itself is taken from that module."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        # Other code asks every module for its file; only the path of a package is needed for an import.
        is_path = name == "__path__" and self.__name__ == _COMPILER
        if name.startswith("__") and not is_path:
            raise AttributeError(name)
        return getattr(_load(self.__name__), name)


@contextmanager
def deferred_compiler() -> Iterator[None]:
    """Import the compiler in this block only if something needs more of it than timm and MONAI do.

    What they take from it here loads it when it is called, and is the same then.

    Examples:
        >>> with deferred_compiler():
        ...     import timm
    """
    if _COMPILER in sys.modules:
        yield
        return
    compiler, utils = _Deferred(_COMPILER), _Deferred(_UTILS)
    compiler.disable = _disable  # type: ignore[attr-defined]
    utils.is_compile_supported = _is_compile_supported  # type: ignore[attr-defined]
    sys.modules.update({_COMPILER: compiler, _UTILS: utils})
    try:
        yield
    finally:
        _forget()


def _forget() -> None:
    for name in (_COMPILER, _UTILS):
        if isinstance(sys.modules.get(name), _Deferred):
            del sys.modules[name]


def _load(name: str) -> ModuleType:
    _forget()
    return import_module(name)


def _is_compile_supported(device: str) -> bool:
    supported: bool = _load(_UTILS).is_compile_supported(device)
    return supported


def _disable(function: Any = None, *options: Any, **named: Any) -> Any:  # noqa: ANN401
    """Return a function that is marked for the compiler when it is first called."""
    if not isinstance(function, FunctionType):
        return _load(_COMPILER).disable(function, *options, **named)
    marked: list[Callable[..., Any]] = []

    @wraps(function)
    def call(*values: Any, **others: Any) -> Any:  # noqa: ANN401
        if not marked:
            marked.append(_load(_COMPILER).disable(function, *options, **named))
        return marked[0](*values, **others)

    return call
