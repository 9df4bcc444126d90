"""Import timm and MONAI without PyTorch's compiler, which would make programs start much later.

Both import torchvision. It imports ``torch._dynamo.utils`` for one function, and it and timm mark functions
with ``torch.compiler.disable``. None of them is called when a network of cellbench is built or used, unless
it is compiled.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import FunctionType, ModuleType
from typing import Any

_COMPILER = "torch._dynamo"
_UTILS = f"{_COMPILER}.utils"
_lock = threading.Lock()


class _Deferred(ModuleType):
    """Stands for a module of the compiler; what it does not have itself is taken from that module."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        # Other code asks every module for its file, which is no reason to load the compiler.
        if name.startswith("__") and name != "__all__":
            raise AttributeError(name)
        return getattr(_load(self.__name__), name)


class _Submodules:
    """Finds all other modules of the compiler while it is deferred: it is loaded with them."""

    @staticmethod
    def find_spec(name: str, *_: object) -> ModuleSpec | None:
        if not name.startswith(f"{_COMPILER}.") or not _is_deferred(_COMPILER):
            return None
        module = _load(name)
        spec = spec_from_loader(name, _Loaded(module))
        # The import system takes that of a module that is there by now. Some modules refuse attributes.
        vars(module)["__spec__"] = spec
        return spec


class _Loaded(Loader):
    """Gives a module to the import system that is loaded already."""

    def __init__(self, module: ModuleType) -> None:
        self._module, self._spec = module, module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:  # noqa: ARG002
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__spec__"] = self._spec


@contextmanager
def deferred_compiler() -> Iterator[None]:
    """Import the compiler in this block only if something needs more of it than timm and MONAI do.

    The functions that they take from the compiler here import it when they are first called, and then do
    what the compiler's own functions do.

    Examples:
        >>> with deferred_compiler():
        ...     import timm
    """
    with _lock:
        deferred = not {_COMPILER, _UTILS} & sys.modules.keys()
        if deferred:
            compiler, utils = _Deferred(_COMPILER), _Deferred(_UTILS)
            compiler.__path__ = []
            compiler.disable = _disable  # type: ignore[attr-defined]
            utils.is_compile_supported = _is_compile_supported  # type: ignore[attr-defined]
            sys.modules.update({_COMPILER: compiler, _UTILS: utils})
            sys.meta_path.insert(0, _Submodules)
    try:
        yield
    finally:
        if deferred:
            sys.meta_path.remove(_Submodules)
            _forget()


def _is_deferred(name: str) -> bool:
    return isinstance(sys.modules.get(name), _Deferred)


def _forget() -> None:
    with _lock:
        for name in filter(_is_deferred, (_COMPILER, _UTILS)):
            del sys.modules[name]


def _load(name: str) -> ModuleType:
    _forget()
    return import_module(name)


def _is_compile_supported(device_type: str) -> bool:
    supported: bool = _load(_UTILS).is_compile_supported(device_type)
    return supported


def _disable(fn: Any = None, *options: Any, **named: Any) -> Any:  # noqa: ANN401
    """Return a function that is marked for the compiler when it is first called."""
    if not isinstance(fn, FunctionType):
        return _load(_COMPILER).disable(fn, *options, **named)
    marked: list[Callable[..., Any]] = []

    @wraps(fn)
    def call(*values: Any, **others: Any) -> Any:  # noqa: ANN401
        if not marked:
            marked.append(_load(_COMPILER).disable(fn, *options, **named))
        return marked[0](*values, **others)

    return call
